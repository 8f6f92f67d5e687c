#include "models/layouts/pipeline_time.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace orrery {
namespace {

/// Between stages; none: they are free.
using Transfers = std::span<const Seconds>;

class Pipeline {
 public:
  Pipeline(const std::vector<StageTime>& chunks, const Layout& layout, double count)
      : chunks_(chunks), stages_(stages_of(chunks, layout)), layout_(layout), count_(count) {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const Seconds total = stages_[i].total();
      sum_ += total;
      if (total > most_) most_ = total, slowest_ = i;
    }
  }

  [[nodiscard]] std::size_t stages() const { return stages_.size(); }
  [[nodiscard]] std::size_t slowest() const { return slowest_; }
  [[nodiscard]] Seconds work() const { return most_ * count_; }

  [[nodiscard]] Seconds time(Transfers transfers, Sending sending) const {
    switch (layout_.schedule) {
      case PipelineSchedule::gpipe:
        return gpipe(transfers, sending);
      case PipelineSchedule::zero_bubble:
        return paced(transfers, sending) + most_ + left_bubble() + there_and_back(transfers);
      case PipelineSchedule::one_f_one_b:
        break;
    }
    if (layout_.interleave > 1) return interleaved(transfers, sending);
    return plain() + paced(transfers, sending) - most_ * (count_ - 1.0) + there_and_back(transfers);
  }

 private:
  /// From a stage to the next one; from the last: to the first.
  [[nodiscard]] static Seconds after(std::size_t stage, Transfers transfers) {
    return stage < transfers.size() ? transfers[stage] : Seconds();
  }
  [[nodiscard]] Seconds before(std::size_t stage, Transfers transfers) const {
    return after((stage + stages_.size() - 1) % stages_.size(), transfers);
  }
  /// Through all stages once.
  [[nodiscard]] Seconds there_and_back(Transfers transfers) const {
    Seconds sum;
    for (std::size_t i = 0; i + 1 < stages_.size(); ++i) sum += after(i, transfers) * 2.0;
    return sum;
  }
  [[nodiscard]] bool is_first(std::size_t stage) const { return stage == 0; }
  [[nodiscard]] bool is_last(std::size_t stage) const { return stage + 1 == stages_.size(); }
  [[nodiscard]] bool is_end(std::size_t stage) const { return is_first(stage) || is_last(stage); }
  /// What a stage's messages of one micro-batch take.
  [[nodiscard]] Seconds sent_by(std::size_t stage, Transfers transfers) const {
    const double chunks = layout_.interleave;
    return after(stage, transfers) * (chunks - (is_last(stage) ? 1.0 : 0.0)) +
           before(stage, transfers) * (chunks - (is_first(stage) ? 1.0 : 0.0));
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

  [[nodiscard]] Seconds gpipe(Transfers transfers, Sending sending) const {
    Seconds forward, backward;
    const double waits = sending == Sending::waits ? 1.0 : 0.0;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const Seconds ahead = is_last(i) ? Seconds() : after(i, transfers);
      const Seconds back = is_first(i) ? Seconds() : before(i, transfers);
      // A stage's messages go one after the other.
      forward = std::max({forward, ahead, stages_[i].forward + ahead * waits});
      backward = std::max({backward, back, stages_[i].backward + back * waits});
    }
    return (forward + backward) * (count_ - 1.0) + sum_ + there_and_back(transfers);
  }

  [[nodiscard]] Seconds interleaved(Transfers transfers, Sending sending) const {
    const double chunks = layout_.interleave;
    const Seconds once = there_and_back(transfers);
    const Seconds around = after(stages_.size() - 1, transfers) * 2.0;
    const Seconds least = transfers.empty() ? Seconds() : *std::ranges::min_element(transfers);
    Seconds time = free_interleaved() + once * chunks + around * (chunks - 1.0);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const Seconds sent = sent_by(i, transfers) * count_;
      time = std::max(time, sent);
      if (sending == Sending::beside) continue;
      Seconds others = sum_ - stages_[i].total();
      if (!is_end(i)) others -= least_beside(i);  // a stage inside begins later and ends earlier than the pipeline
      time = std::max(time, stages_[i].total() * count_ + others / chunks + sent + once - least);
    }
    return time;
  }

  /// What the last stage, the first and one inside do, and wait for: the longest.
  [[nodiscard]] Seconds free_interleaved() const {
    const Seconds none;
    const auto stages = static_cast<double>(stages_.size());
    const StageTime& first = chunks_.front();
    const StageTime inside = mean_inside();
    const Seconds chunk = inside.total();
    const Seconds more = first.total() - chunk, more_last = chunks_.back().total() - chunk;
    const Seconds held_up = more > none ? more * stages : more;
    const Seconds answered = std::min(none, more_last);  // so much sooner
    const Seconds longer_last = std::max(none, more_last) * stages;
    const Seconds filled = chunk * (stages - 2.0) - held_up + (more > none ? more_last * stages : longer_last);
    const Seconds warm_up = (inside.backward - first.forward) * (stages - 1.0) + answered;
    const Seconds by_last = stages_.back().total() * count_ + chunk * (stages - 1.0) + held_up;
    const Seconds by_first = stages_.front().total() * count_ + std::max({filled, warm_up, longer_last});
    const Seconds most = std::max({by_last, by_first, work()});
    if (stages_.size() == 2) return most;
    const Seconds waits = chunk * (stages - 2.0) + std::max(none, inside.backward - inside.forward + answered);
    return std::max(most, chunk * layout_.interleave * count_ + waits + held_up);
  }

  /// A chunk that is neither the first nor the last.
  [[nodiscard]] StageTime mean_inside() const {
    StageTime mean;
    for (std::size_t i = 1; i + 1 < chunks_.size(); ++i) add(mean, chunks_[i]);
    const double share = 1.0 / (static_cast<double>(chunks_.size()) - 2.0);
    mean.forward *= share, mean.backward *= share;
    return mean;
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
  [[nodiscard]] Seconds paced(Transfers transfers, Sending sending) const {
    const double waits = sending == Sending::waits ? 1.0 : 0.0;
    Seconds alone = most_;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const Seconds sent = sent_by(i, transfers);
      alone = std::max({alone, stages_[i].total() + sent * waits, sent});
    }
    const double rest = count_ - 1.0;
    Seconds most = alone * rest;
    if (transfers.empty()) return most;
    for (std::size_t first = 0; first < stages_.size(); ++first) {
      Seconds work = stages_[first].weights;
      if (!is_first(first)) work += before(first, transfers) * waits;
      for (std::size_t last = first; last < stages_.size(); ++last) {
        work += stages_[last].forward + stages_[last].backward;
        if (last > first) work += before(last, transfers) * 2.0;
        const double kept = static_cast<double>(last - first) + 1.0;
        const double rounds = std::floor(rest / kept);
        if (rounds < 1.0) break;
        const Seconds round = is_last(last) ? work : work + after(last, transfers) * waits;
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

  static void add(StageTime& sum, const StageTime& chunk) {
    sum.forward += chunk.forward, sum.backward += chunk.backward, sum.weights += chunk.weights;
  }
  static std::vector<StageTime> stages_of(const std::vector<StageTime>& chunks, const Layout& layout) {
    const auto count = static_cast<std::size_t>(layout.pp);
    std::vector<StageTime> stages(chunks.begin(), chunks.begin() + layout.pp);
    for (std::size_t i = count; i < chunks.size(); ++i) add(stages[i % count], chunks[i]);
    return stages;
  }

  const std::vector<StageTime>& chunks_;
  std::vector<StageTime> stages_;
  const Layout& layout_;
  double count_;
  Seconds sum_, most_;
  std::size_t slowest_ = 0;
};

}  // namespace

PipelineTime pipeline_time(const std::vector<StageTime>& chunks, const Layout& layout, double microbatches,
                           const std::vector<Seconds>& transfers, double waiting) {
  const Pipeline pipeline(chunks, layout, microbatches);
  const Seconds free = pipeline.time({}, Sending::beside);
  PipelineTime result{pipeline.slowest(), Seconds(), Seconds()};
  if (pipeline.stages() < 2) return result;
  result.bubble = free - pipeline.work();
  if (waiting < 1) result.messages += (pipeline.time(transfers, Sending::beside) - free) * (1.0 - waiting);
  if (waiting > 0) result.messages += (pipeline.time(transfers, Sending::waits) - free) * waiting;
  return result;
}

}  // namespace orrery
