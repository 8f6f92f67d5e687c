// What a machine does with a kind of layer, of any size: a law fitted to a profile.
#pragma once

#include <string>
#include <vector>

#include "models/cost/step_profile.hpp"
#include "models/networks/layer_graph.hpp"

namespace orrery {

/// seconds = overhead + work / rate, Hockney's law of vector pipelines (Hockney and Jesshope 1988): the efficiency over
/// the size is the curve work / (work + half), which reaches one half at `half = overhead x rate`. Work is FLOPs for
/// layers of matrix products and bytes (pass_bytes() in fp32) for all others; an update's is 12 bytes per
/// trained parameter (SGD). A shard's kernel starts count with the batch's.
struct KindFit {
  LayerKind kind = LayerKind::dense;
  Pass pass = Pass::forward;
  int threads = 1;
  std::string work;                             // "FLOP" or "byte"
  double overhead_s = 0, overhead_error_s = 0;  // with its standard error
  double rate = 0, rate_error = 0;              // work per second
  double spread = 0;                            // median of |fitted / measured - 1|
  int rows = 0;                                 // of the profile that it was fitted to
  [[nodiscard]] double seconds(double of_work) const { return overhead_s + of_work / rate; }
  [[nodiscard]] double half() const { return overhead_s * rate; }
};

/// One fit per kind, pass and number of threads with at least three different amounts of work, in that order: least
/// squares of the relative errors, the overhead not below 0 (then its error is 0: it was not fitted). Rows of views and
/// rows of no time are left out, and so is a fit whose time does not grow with the work.
std::vector<KindFit> fit_kinds(const StepProfile& profile, const LayerGraph& graph);

/// Columns kind,pass,threads,work,overhead_s,overhead_error_s,rate_per_s,rate_error_per_s,half_work,spread,rows.
std::string to_csv(const std::vector<KindFit>& fits);

}  // namespace orrery
