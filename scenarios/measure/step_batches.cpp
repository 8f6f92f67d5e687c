#include "scenarios/measure/step_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "models/training/random_samples.hpp"
#include "models/training/row_numbers.hpp"
#include "scenarios/plan.hpp"

namespace orrery {
namespace {

bool can_be_trained_on(const std::string& name) {
  const auto& sets = data_sets();
  return std::any_of(sets.begin(), sets.end(),
                     [&](const DataSetInfo& set) { return set.name == name && set.use == DataSetUse::training; });
}

DataSet load(const Scenario& scenario, const ExecutionPlan& plan) {
  const WorkloadSpec& workload = scenario.workload;
  if (!workload.dataset.empty() && can_be_trained_on(workload.dataset)) {
    return load_data_set(workload.dataset, scenario.seed);
  }
  DataSet data;
  constexpr std::size_t batches = 4;
  data.train = random_samples(plan, batches * static_cast<std::size_t>(workload.batch), scenario.seed);
  return data;
}

std::vector<std::size_t> all_of(const Samples& samples) {
  std::vector<std::size_t> indices(samples.count());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

}  // namespace

StepBatches::StepBatches(const Scenario& scenario, const ExecutionPlan& plan)
    : data_(load(scenario, plan)),
      batch_(static_cast<std::size_t>(scenario.workload.batch)),
      order_(all_of(data_.train), batch_, Random::derived(scenario.seed, "central order")) {
  require_rows(plan.graph(), data_.train);
  require_rows(plan.graph(), data_.test);  // on every rank, though rank 0 alone evaluates
  if (data_.train.count() < batch_) {
    throw Infeasible(
        fmt::format("a batch of {} samples is more than the {} of the data set", batch_, data_.train.count()));
  }
}

double StepBatches::epochs(std::int64_t steps) const {
  const std::int64_t whole_batches = data_.train.count() / batch_;
  return static_cast<double>(steps) / static_cast<double>(whole_batches);
}

Batch StepBatches::next() {
  std::span<const std::size_t> indices = order_.next();
  if (indices.size() < batch_) indices = order_.next();
  return gathered_.gather(data_.train, indices);
}

}  // namespace orrery
