// One layout in closed form: its figures, or what keeps it out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/search/layout_search.hpp"

namespace orrery {

/// A layout that is out: the constraint with its numbers, and by how much where that can be said.
struct Broken {
  std::string text;
  double excess = 0;
  ConstraintKind kind = ConstraintKind::rule;
};

/// One per thread.
class LayoutExaminer {
 public:
  LayoutExaminer(const TrainingJob& job, const SearchSpec& spec, const PricesByDevices& prices)
      : judge_(job), spec_(spec), prices_(prices), cluster_(job.cluster), precision_(job.precision) {}

  /// Nothing when it is out; then `broken` says why.
  std::optional<Candidate> examine(const Layout& layout, Broken& broken);

 private:
  [[nodiscard]] Candidate figures_of(const Layout& layout, const StepPrediction& step) const;
  void add_costs(const StepPrediction& step, Candidate& candidate);
  Joules energy(const StepPrediction& step, const Layout& layout, const DevicePrices& prices);
  [[nodiscard]] double peak_of(std::int64_t devices) const;
  bool over_memory(const LayoutMemory& memory, Broken& broken) const;

  LayoutJudge judge_;
  const SearchSpec& spec_;
  const PricesByDevices& prices_;
  const ClusterDescription& cluster_;
  Precision precision_;
};

}  // namespace orrery
