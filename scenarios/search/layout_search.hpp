// Judges every layout of a search space in closed form: what fits, what it takes, why the rest is out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/search_spec.hpp"

namespace orrery {

/// What the devices that a layout uses draw and cost, for figures of one step in closed form; PUE included.
struct DevicePrices {
  double per_hour = 0;              // of one device, in any currency; 0: unknown
  double per_kWh = 0;               // of electricity, 0: contained, or unknown
  Watts computing, blocked, idle;   // of one device, mean; 0: unknown
  Watts node_computing, node_idle;  // of its share of the rest of its node, while one of the node's computes or not
  Watts links;                      // of all links of their ports together, standing by
  double node_byte = 0, network_byte = 0;  // joules of a byte inside a node, between nodes
};
/// By the number of devices in use.
using PricesByDevices = std::map<std::int64_t, DevicePrices>;

/// A layout that can run within every limit.
struct Candidate {
  Layout layout;
  double step_s = 0, memory_GiB = 0;
  double cost = 0, energy_J = 0;  // of one step, all its devices; 0: unknown
  double mfu = 0;
  /// No other candidate is better in one of step, memory, cost and energy and at least as good in the rest; of equal
  /// ones the first alone.
  bool on_front = false;
};

/// What a layout breaks: a rule of its own numbers, its device's memory, or a limit that the search sets. One that
/// breaks a later one keeps the earlier ones.
enum class ConstraintKind : std::uint8_t { rule, memory, limit };

/// A constraint that layouts break: how many, and the one that comes nearest to keeping it.
struct Rejection {
  std::string constraint;  // "does not fit", "tp N does not divide the N heads of gpt"
  std::size_t count = 0;
  std::string nearest;  // its layout and what is wrong with it
  double excess = 0;    // measured / allowed of the nearest, the largest of several; 0 where there is no such figure
  ConstraintKind kind = ConstraintKind::rule;
};

struct SearchResult {
  std::size_t judged = 0;
  std::vector<Candidate>
      candidates;            // best first by the objective, then by memory; ties in the order of the search space
  std::size_t repeated = 0;  // that can run, left out: recomputation is all that they have other than a candidate, and
                             // it changes nothing
  std::vector<Rejection> rejections;  // the most frequent first; a layout counts once: with its first obstacle, else
                                      // with its memory, else with all limits that it is beyond
};

/// Called with the share of the layouts that are judged; may be empty. From one thread at a time.
using SearchProgress = std::function<void(double share)>;

/// One LayoutJudge per thread. The result does not depend on `threads`.
SearchResult search_layouts(const TrainingJob& job, const std::vector<Layout>& layouts, const SearchSpec& spec,
                            const PricesByDevices& prices, int threads, const SearchProgress& progress = {});

/// Every limit that these figures are beyond, with both numbers; empty: none.
std::string over_limit(const Candidate& candidate, const SearchLimits& limits);

/// Marks what nothing else dominates, of equal candidates the first; figures that are 0 for all decide nothing.
void mark_front(std::vector<Candidate>& candidates);

}  // namespace orrery
