#include "models/training/federated/personal_models.hpp"

#include <algorithm>

#include "models/kernels/parallel.hpp"
#include "models/training/federated/sent_numbers.hpp"
#include "models/training/partition_laws.hpp"
#include "models/training/row_numbers.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/shard_runner.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class PersonalEvaluation {
 public:
  PersonalEvaluation(const CommonModel& common, const Samples& train, const Samples& test)
      : common_(common), train_(train), test_(test), classes_(samples_by_label(test)) {}

  [[nodiscard]] Evaluation of(const PersonalModel& model, ShardRunner& runner) const {
    std::vector<float> weights(common_.weights.begin(), common_.weights.end());
    scatter(model.numbers, common_.personal, weights);
    if (common_.storage == Storage::bf16) {
      round_to_bf16(std::span<float>(weights).first(common_.plan->parameter_count()));
    }
    const std::vector<double> mix = label_mix(model.samples);
    SampleBatch batch;
    Evaluation result;
    for (std::size_t label = 0; label < classes_.size(); ++label) {
      if (mix[label] <= 0) continue;
      const Evaluation of_class = on(classes_[label], weights, runner, batch);
      result.accuracy += mix[label] * of_class.accuracy;
      result.loss += mix[label] * of_class.loss;
    }
    return result;
  }

 private:
  /// Shares of the test set's classes in these training samples.
  [[nodiscard]] std::vector<double> label_mix(std::span<const std::size_t> samples) const {
    std::vector<double> mix(classes_.size());
    double sum = 0;
    for (const std::size_t sample : samples) {
      const auto label = static_cast<std::size_t>(label_of(train_, sample));
      if (label >= mix.size() || classes_[label].empty()) continue;
      mix[label] += 1;
      sum += 1;
    }
    for (double& share : mix) share /= std::max(sum, 1.0);
    return mix;
  }

  Evaluation on(std::span<const std::size_t> samples, std::span<const float> weights, ShardRunner& runner,
                SampleBatch& batch) const {
    BatchResult sum;
    const std::size_t slice = common_.plan->samples_per_slice();
    for (std::size_t first = 0; first < samples.size(); first += slice) {
      const auto part = samples.subspan(first, std::min(slice, samples.size() - first));
      runner.start(weights, batch.gather(test_, part), {.mode = Mode::evaluation});
      runner.forward(0, common_.plan->kernels(), {});
      sum += runner.loss();
    }
    const auto count = static_cast<double>(sum.samples);
    return {static_cast<double>(sum.correct) / count, sum.loss_sum / count};
  }

  const CommonModel& common_;
  const Samples& train_;
  const Samples& test_;
  std::vector<std::vector<std::size_t>> classes_;  // samples of the test set by label
};

}  // namespace

Evaluation evaluate_personal(const CommonModel& common, std::span<const PersonalModel> models, const Samples& train,
                             const Samples& test) {
  ORRERY_EXPECT(!models.empty() && test.count() > 0);
  require_rows(common.plan->graph(), test);
  const PersonalEvaluation evaluation(common, train, test);
  std::vector<ShardRunner> runners;
  for (std::size_t i = 0; i < std::min(models.size(), default_workers()); ++i) {
    runners.emplace_back(common.plan);
    runners.back().set_storage(common.storage);
  }
  std::vector<Evaluation> results(models.size());
  for_each_task(models.size(), runners.size(), [&](std::size_t task, std::size_t worker) {
    results[task] = evaluation.of(models[task], runners[worker]);
  });
  Evaluation mean;
  for (const Evaluation& result : results) {
    mean.accuracy += result.accuracy / static_cast<double>(results.size());
    mean.loss += result.loss / static_cast<double>(results.size());
  }
  return mean;
}

}  // namespace orrery
