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

/// `laws_of(job)`: where the constants of one law stand, of a job as it is or to be moved. They move together.
template <class LawsOf, class Constants>
void vary(const LawsOf& laws_of, const Constants& constants, const TrainingJob& job, const Layout& layout,
          const std::function<double(const StepPrediction&)>& figure, double middle, Deviations& deviations) {
  for (const auto& constant : constants) {
    const Ranged& range = laws_of(job).front()->*constant.member;
    for (const double end : {range.low, range.high}) {
      if (end == range.value) continue;
      TrainingJob moved = job;
      for (auto* law : laws_of(moved)) (law->*constant.member).value = end;
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

/// Of several groups one law of each.
template <class Law>
auto laws_of_groups(const std::vector<std::size_t>& groups, Law NodeLaws::*law) {
  return [groups, law](auto& job) {
    std::vector<decltype(&(laws_of(job, 0).*law))> laws;
    for (const std::size_t group : groups) laws.push_back(&(laws_of(job, group).*law));
    return laws;
  };
}

/// Groups of nodes for which a law says the same: what it errs by in one it errs by in the others.
template <class Law, class Constants>
std::vector<std::vector<std::size_t>> groups_alike(const TrainingJob& job, Law NodeLaws::*law,
                                                   const Constants& constants) {
  const auto says_same = [&](std::size_t one, std::size_t other) {
    const Law &first = laws_of(job, one).*law, &second = laws_of(job, other).*law;
    return std::all_of(constants.begin(), constants.end(),
                       [&](const auto& constant) { return first.*constant.member == second.*constant.member; });
  };
  std::vector<std::vector<std::size_t>> alike;
  for (std::size_t group = 0; group < job.cluster.groups(); ++group) {
    const auto same =
        std::find_if(alike.begin(), alike.end(), [&](const auto& groups) { return says_same(groups.front(), group); });
    if (same == alike.end()) {
      alike.push_back({group});
    } else {
      same->push_back(group);
    }
  }
  return alike;
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
  vary_all([](auto& any) { return std::vector{&any.framework}; }, framework_constants());
  const auto vary_groups = [&](auto law, const auto& constants) {
    for (const auto& groups : groups_alike(job, law, constants)) vary_all(laws_of_groups(groups, law), constants);
  };
  vary_groups(&NodeLaws::device_law, device_constants());
  vary_groups(&NodeLaws::node_law, fabric_constants());
  vary_groups(&NodeLaws::network_law, fabric_constants());
  deviations.add(middle * error);
  deviations.add(-middle * error);
  return {middle, middle - std::sqrt(deviations.below), middle + std::sqrt(deviations.above)};
}

}  // namespace orrery
