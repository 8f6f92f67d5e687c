// The order in which mini-batches take the samples of an epoch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// Hands out batch after batch; shuffles anew when an epoch is over. The last batch of an epoch is smaller when the
/// samples do not divide evenly: no batch spans two epochs.
class EpochOrder {
 public:
  /// batch 0: everything in one batch. There must be samples.
  EpochOrder(std::vector<std::size_t> samples, std::size_t batch, Random random)
      : samples_(std::move(samples)), batch_(batch == 0 ? samples_.size() : batch), random_(random) {
    ORRERY_EXPECT(!samples_.empty());
  }

  /// Indices of the next batch; good until the next call.
  std::span<const std::size_t> next() {
    if (at_ == 0) {
      random_.shuffle(samples_);
      ++epoch_;
    }
    const std::size_t count = std::min(batch_, samples_.size() - at_);
    const auto indices = std::span<const std::size_t>(samples_).subspan(at_, count);
    at_ = (at_ + count) % samples_.size();
    return indices;
  }
  /// Of the batch that next() gave last, counted from 0; -1 before the first.
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  [[nodiscard]] std::size_t batches_per_epoch() const { return (samples_.size() + batch_ - 1) / batch_; }

 private:
  std::vector<std::size_t> samples_;
  std::size_t batch_, at_ = 0;
  std::int64_t epoch_ = -1;
  Random random_;
};

}  // namespace orrery
