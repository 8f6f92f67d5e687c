#include "models/layouts/pipeline_time.hpp"

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

class Pipeline {
 public:
  Pipeline(const std::vector<StageTime>& stages, const Layout& layout, double count)
      : stages_(stages), layout_(layout), count_(count) {
    for (const StageTime& stage : stages) {
      sum_ += stage.total();
      if (stage.total() > most_) most_ = stage.total(), slowest_ = static_cast<std::size_t>(&stage - stages.data());
    }
  }

  [[nodiscard]] std::size_t slowest() const { return slowest_; }
  [[nodiscard]] Seconds work() const { return most_ * count_; }

  [[nodiscard]] Seconds time(Seconds transfer, Sending sending) const {
    switch (layout_.schedule) {
      case PipelineSchedule::gpipe:
        return gpipe(transfer, sending);
      case PipelineSchedule::zero_bubble:
        return paced(transfer, sending) + most_ + left_bubble() + transfer * hops();
      case PipelineSchedule::one_f_one_b:
        break;
    }
    if (layout_.interleave > 1) return interleaved(transfer, sending);
    return plain() + paced(transfer, sending) - most_ * (count_ - 1.0) + transfer * hops();
  }

 private:
  [[nodiscard]] double hops() const { return 2.0 * (static_cast<double>(stages_.size()) - 1.0); }
  [[nodiscard]] bool is_first(std::size_t stage) const { return stage == 0; }
  [[nodiscard]] bool is_last(std::size_t stage) const { return stage + 1 == stages_.size(); }
  [[nodiscard]] bool is_end(std::size_t stage) const { return is_first(stage) || is_last(stage); }
  /// Per micro-batch.
  [[nodiscard]] double sent_by(std::size_t stage) const {
    return 2.0 * layout_.interleave - (is_first(stage) ? 1 : 0) - (is_last(stage) ? 1 : 0);
  }

  /// 1F1B with free messages.
  [[nodiscard]] Seconds plain() const {
    Seconds most, before, behind = sum_;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const StageTime& stage = stages_[i];
      behind = std::max(Seconds(), behind - stage.total());
      const double warm_up = std::min(static_cast<double>(stages_.size() - i) - 1.0, count_ - 1.0);
      const Seconds first = std::max(Seconds(), behind - stage.forward * warm_up);
      const Seconds last = std::max(Seconds(), behind - stage.backward * warm_up);
      const Seconds idle = count_ > warm_up + 1.0 ? first + last : std::max(first, last);
      most = std::max(most, before + stage.total() * count_ + idle);
      before += stage.total();
    }
    return most;
  }

  [[nodiscard]] Seconds gpipe(Seconds transfer, Sending sending) const {
    Seconds forward = transfer, backward = transfer;  // a stage's messages go one after the other
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const bool waits = sending == Sending::waits;
      forward = std::max(forward, stages_[i].forward + (waits && !is_last(i) ? transfer : Seconds()));
      backward = std::max(backward, stages_[i].backward + (waits && !is_first(i) ? transfer : Seconds()));
    }
    return (forward + backward) * (count_ - 1.0) + sum_ + transfer * hops();
  }

  [[nodiscard]] Seconds interleaved(Seconds transfer, Sending sending) const {
    const double chunks = layout_.interleave;
    Seconds time = work() + (sum_ - most_) / chunks + transfer * (hops() + 2.0 * (chunks - 1.0) * layout_.pp);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const double sent = count_ * sent_by(i);
      time = std::max(time, transfer * sent);
      if (sending == Sending::beside) continue;
      Seconds others = sum_ - stages_[i].total();
      if (!is_end(i)) others -= least_beside(i);  // a stage inside begins later and ends earlier than the pipeline
      time = std::max(time, stages_[i].total() * count_ + others / chunks + transfer * (sent + hops() - 1.0));
    }
    return time;
  }

  [[nodiscard]] Seconds least_beside(std::size_t stage) const {
    Seconds least = sum_;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (i != stage) least = std::min(least, stages_[i].total());
    }
    return least;
  }

  /// All micro-batches but the first, at the pace of the slowest stage or of the slowest stages that wait for each
  /// other.
  [[nodiscard]] Seconds paced(Seconds transfer, Sending sending) const {
    const double waits = sending == Sending::waits ? 1.0 : 0.0;
    Seconds alone = most_;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      alone = std::max({alone, stages_[i].total() + transfer * (waits * sent_by(i)), transfer * sent_by(i)});
    }
    const double rest = count_ - 1.0;
    Seconds most = alone * rest;
    if (transfer <= Seconds()) return most;
    for (std::size_t first = 0; first < stages_.size(); ++first) {
      Seconds work = stages_[first].weights;
      for (std::size_t last = first; last < stages_.size(); ++last) {
        work += stages_[last].forward + stages_[last].backward;
        const double kept = static_cast<double>(last - first) + 1.0;
        const double ends = (is_first(first) ? 0.0 : waits) + (is_last(last) ? 0.0 : waits);
        const double rounds = std::floor(rest / kept);
        if (rounds < 1.0) break;
        const Seconds round = work + transfer * (2.0 * (kept - 1.0) + ends);
        most = std::max(most, round * rounds + alone * (rest - rounds * kept));
      }
    }
    return most;
  }

  /// Of ZB-H1, what the gradients of weights do not fill.
  [[nodiscard]] Seconds left_bubble() const {
    Seconds idle;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (i != slowest_) idle += stages_[i].forward + stages_[i].backward - stages_[i].weights;
    }
    return std::max(Seconds(), idle);
  }

  const std::vector<StageTime>& stages_;
  const Layout& layout_;
  double count_;
  Seconds sum_, most_;
  std::size_t slowest_ = 0;
};

}  // namespace

PipelineTime pipeline_time(const std::vector<StageTime>& stages, const Layout& layout, double microbatches,
                           Seconds transfer, double waiting) {
  const Pipeline pipeline(stages, layout, microbatches);
  const Seconds free = pipeline.time(Seconds(), Sending::beside);
  PipelineTime result{pipeline.slowest(), Seconds(), Seconds()};
  if (stages.size() < 2) return result;
  result.bubble = free - pipeline.work();
  if (transfer <= Seconds()) return result;
  if (waiting < 1) result.messages += (pipeline.time(transfer, Sending::beside) - free) * (1.0 - waiting);
  if (waiting > 0) result.messages += (pipeline.time(transfer, Sending::waits) - free) * waiting;
  return result;
}

}  // namespace orrery
