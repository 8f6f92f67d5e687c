// Judges every layout of a search space in closed form: what fits, what it takes, why the rest is out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/search_spec.hpp"

namespace orrery {

/// What a device costs while it is kept, for figures of one step in closed form.
struct DevicePrices {
  double per_hour = 0;             // of one device, in any currency; 0: unknown
  Watts computing, blocked, idle;  // of one device and its share of the node, PUE included; 0: unknown
};

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

/// A constraint that layouts break: how many, and the one that comes nearest to keeping it.
struct Rejection {
  std::string constraint;  // "does not fit", "tp # does not divide the # heads of gpt"
  std::size_t count = 0;
  std::string nearest;  // its layout and what is wrong with it
  double excess = 0;    // measured / allowed of the nearest; 0 where there is no such figure
};

struct SearchResult {
  std::size_t judged = 0;
  std::vector<Candidate>
      candidates;  // best first by the objective, then by memory; ties in the order of the search space
  std::vector<Rejection> rejections;  // the most frequent first; a layout counts with its first broken constraint
};

/// Called with the share of the layouts that are judged; may be empty. From one thread at a time.
using SearchProgress = std::function<void(double share)>;

/// One LayoutJudge per thread. The result does not depend on `threads`.
SearchResult search_layouts(const TrainingJob& job, const std::vector<Layout>& layouts, const SearchSpec& spec,
                            const DevicePrices& prices, int threads, const SearchProgress& progress = {});

/// Marks what nothing else dominates, of equal candidates the first; figures that are 0 for all decide nothing.
void mark_front(std::vector<Candidate>& candidates);

}  // namespace orrery
