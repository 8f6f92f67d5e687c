#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "models/layouts/step_prediction.hpp"

namespace orrery {
namespace {

/// Deviations of either sign, added in squares.
struct Deviations {
  double below = 0, above = 0;
  void add(double deviation) { (deviation < 0 ? below : above) += deviation * deviation; }
};

/// `law_of(job)`: the constants of one law, of a job as it is or to be moved.
template <class LawOf, class Constants>
void vary(const LawOf& law_of, const Constants& constants, const TrainingJob& job, const Layout& layout,
          const std::function<double(const StepPrediction&)>& figure, double middle, Deviations& deviations) {
  for (const auto& constant : constants) {
    const Ranged& range = law_of(job).*constant.member;
    for (const double end : {range.low, range.high}) {
      if (end == range.value) continue;
      TrainingJob moved = job;
      (law_of(moved).*constant.member).value = end;
      deviations.add(figure(LayoutJudge(std::move(moved)).predict(layout)) - middle);
    }
  }
}

/// Of a group of nodes; Job: const or not.
template <class Job>
auto& laws_of(Job& job, std::size_t group) {
  using Laws = std::conditional_t<std::is_const_v<Job>, const NodeLaws, NodeLaws>;
  return group == 0 ? static_cast<Laws&>(job) : job.more_laws[group - 1];
}

}  // namespace

double time_error(const TrainingJob& job) {
  const std::vector<Layer>& layers = job.network.layers;
  const bool has_experts = std::any_of(layers.begin(), layers.end(),
                                       [](const Layer& layer) { return layer.kind == LayerKind::mixture_of_experts; });
  const double error = job.framework.model_error.value;
  return has_experts ? std::max(error, job.framework.expert_error.value) : error;
}

Ranged predicted_range(const TrainingJob& job, const Layout& layout,
                       const std::function<double(const StepPrediction&)>& figure, double error) {
  const double middle = figure(LayoutJudge(job).predict(layout));
  Deviations deviations;
  const auto vary_all = [&](const auto& law_of, const auto& constants) {
    vary(law_of, constants, job, layout, figure, middle, deviations);
  };
  vary_all(
      [](auto& any) -> auto& { return any.framework; }, framework_constants());
  for (std::size_t group = 0; group < job.cluster.groups(); ++group) {
    vary_all(
        [group](auto& any) -> auto& { return laws_of(any, group).device_law; }, device_constants());
    vary_all(
        [group](auto& any) -> auto& { return laws_of(any, group).node_law; }, fabric_constants());
    vary_all(
        [group](auto& any) -> auto& { return laws_of(any, group).network_law; }, fabric_constants());
  }
  deviations.add(middle * error);
  deviations.add(-middle * error);
  return {middle, middle - std::sqrt(deviations.below), middle + std::sqrt(deviations.above)};
}

}  // namespace orrery
