#include "models/training/local_trainer.hpp"

#include <algorithm>
#include <utility>

#include "models/training/epoch_order.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

LocalTrainer::LocalTrainer(std::shared_ptr<const ExecutionPlan> plan, const LocalOptions& options)
    : options_(options),
      step_(std::move(plan), {.optimizer = options.optimizer, .storage = options.storage}),
      weights_(step_.runner().plan().weight_count()) {
  ORRERY_EXPECT(options.batch >= 0);
}

LocalResult LocalTrainer::train(const Job& job, Random random) {
  ORRERY_EXPECT(job.start.size() == weights_.size() && !job.indices.empty());
  ORRERY_EXPECT(job.work.epochs > 0 && job.work.steps >= 0);
  std::copy(job.start.begin(), job.start.end(), weights_.begin());
  // The seed is a copy's: the order is drawn from the generator as it came.
  step_.restart(Random(random).bits(), job.learning_rate, job.term);
  EpochOrder order({job.indices.begin(), job.indices.end()}, static_cast<std::size_t>(options_.batch), random);
  LocalResult result;
  result.samples = static_cast<std::int64_t>(job.indices.size());
  result.steps =
      job.work.steps > 0 ? job.work.steps : static_cast<std::int64_t>(order.batches_per_epoch()) * job.work.epochs;
  BatchResult sum;
  for (std::int64_t step = 0; step < result.steps; ++step) {
    sum += step_.run(weights_, batch_.gather(job.samples, order.next()));
  }
  result.train_loss = sum.loss_sum / static_cast<double>(sum.samples);
  return result;
}

}  // namespace orrery
