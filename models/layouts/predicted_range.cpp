#include <algorithm>
#include <cmath>

#include "models/layouts/step_prediction.hpp"

namespace orrery {
namespace {

/// Deviations of either sign, added in squares.
struct Deviations {
  double below = 0, above = 0;
  void add(double deviation) { (deviation < 0 ? below : above) += deviation * deviation; }
};

template <class Law, class Constants>
void vary(Law TrainingJob::*law, const Constants& constants, const TrainingJob& job, const Layout& layout,
          const std::function<double(const StepPrediction&)>& figure, double middle, Deviations& deviations) {
  for (const auto& constant : constants) {
    const Ranged& range = job.*law.*constant.member;
    for (const double end : {range.low, range.high}) {
      if (end == range.value) continue;
      TrainingJob moved = job;
      (moved.*law.*constant.member).value = end;
      deviations.add(figure(LayoutJudge(std::move(moved)).predict(layout)) - middle);
    }
  }
}

}  // namespace

Ranged predicted_range(const TrainingJob& job, const Layout& layout,
                       const std::function<double(const StepPrediction&)>& figure) {
  const double middle = figure(LayoutJudge(job).predict(layout));
  Deviations deviations;
  vary(&TrainingJob::framework, framework_constants(), job, layout, figure, middle, deviations);
  vary(&TrainingJob::device_law, device_constants(), job, layout, figure, middle, deviations);
  vary(&TrainingJob::node_law, fabric_constants(), job, layout, figure, middle, deviations);
  vary(&TrainingJob::network_law, fabric_constants(), job, layout, figure, middle, deviations);
  const double model = middle * job.framework.model_error.value;
  deviations.add(model);
  deviations.add(-model);
  return {middle, middle - std::sqrt(deviations.below), middle + std::sqrt(deviations.above)};
}

}  // namespace orrery
