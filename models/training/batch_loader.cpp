#include "models/training/batch_loader.hpp"

#include <utility>

namespace orrery {

BatchLoader::BatchLoader(const Samples& samples, EpochOrder order, const LoaderOptions& options)
    : samples_(samples), order_(std::move(order)), batches_per_epoch_(order_.batches_per_epoch()) {
  check(options.augmentation, samples, options.shape);
  if (options.augmentation.is_on()) augmenter_.emplace(options.augmentation, options.shape, options.seed);
  if (options.prefetch == Prefetch::one_ahead) {
    thread_ = std::jthread([this](const std::stop_token& stop) { gather_ahead(stop); });
  }
}

Batch BatchLoader::next() {
  if (!thread_.joinable()) return gather(0);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ready_ || failure_; });
  if (!ready_) std::rethrow_exception(failure_);
  const Batch batch = *std::exchange(ready_, std::nullopt);
  changed_.notify_one();
  return batch;
}

Batch BatchLoader::gather(std::size_t slot) {
  const auto indices = order_.next();
  if (augmenter_) return slots_[slot].gather(samples_, indices, *augmenter_, order_.epoch());
  return slots_[slot].gather(samples_, indices);
}

// A batch is gathered only when the one before was taken: by then the caller is done with the one before that, whose
// slot it goes to.
void BatchLoader::gather_ahead(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (std::size_t slot = 0;; slot = 1 - slot) {
    if (!changed_.wait(lock, stop, [&] { return !ready_; }) || stop.stop_requested()) return;
    lock.unlock();
    std::optional<Batch> batch;
    std::exception_ptr failure;
    try {
      batch = gather(slot);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    ready_ = batch;
    failure_ = failure;
    changed_.notify_one();
    if (failure) return;
  }
}

}  // namespace orrery
