#include "models/layouts/pipeline_obstacles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/layouts/nearest_degrees.hpp"

namespace orrery {
namespace {

class PipelineObstacles {
 public:
  PipelineObstacles(const TrainingJob& job, const BlockSequence& sequence, const Layout& layout,
                    std::vector<std::string>& found)
      : job_(job),
        sequence_(sequence),
        layout_(layout),
        blocks_(static_cast<std::int64_t>(is_even() ? dealt_blocks(sequence) : sequence.blocks.size())),
        found_(found) {}

  void add() {
    if (layout_.pp == 1 && layout_.interleave > 1) {
      found_.push_back(
          fmt::format("interleave {} needs a pipeline - use interleave 1{}", layout_.interleave, or_a_pipeline()));
    }
    if (layout_.pp > 1) check_chunks();
    check_microbatches();
    if (layout_.pp == 1 && layout_.schedule == PipelineSchedule::zero_bubble) {
      found_.push_back(fmt::format("schedule zb-h1 needs a pipeline - use schedule 1f1b{}", or_a_pipeline()));
    }
    if (layout_.interleave > 1 && layout_.schedule != PipelineSchedule::one_f_one_b) {
      found_.push_back(
          fmt::format("schedule {} is not interleaved - use interleave 1 or schedule 1f1b", name_of(layout_.schedule)));
    }
  }

 private:
  [[nodiscard]] bool is_even() const { return layout_.chunks == Chunks::equal; }

  /// Embedding and head may stand for a block each.
  [[nodiscard]] bool divides(std::int64_t chunks) const {
    return is_even() && divides_into(sequence_, static_cast<std::size_t>(chunks));
  }

  [[nodiscard]] bool can_be_dealt(std::int64_t stages, std::int64_t interleave) const {
    const bool are_enough = stages * interleave <= blocks_;
    return divides(stages * interleave) || (are_enough && (interleave == 1 || !is_even()));
  }

  /// Whether so many stages would do on the devices that there are: where all of them are in use fewer replicas, with
  /// more micro-batches each, make up for them.
  [[nodiscard]] bool would_do(std::int64_t stages) const {
    if (stages == 1) return layout_.interleave == 1;
    if (!can_be_dealt(stages, layout_.interleave) || !has_devices_for(job_, layout_, layout_.pp, stages)) return false;
    Layout other = layout_;
    const bool are_all_used = layout_.devices() == job_.cluster.devices();
    if (are_all_used) other.dp = static_cast<int>(std::int64_t{layout_.dp} * layout_.pp / stages);
    return layout_.interleave == 1 || microbatches(other, job_.batch) % stages == 0;
  }

  /// " or pp 2"; nothing where no number of stages would do.
  [[nodiscard]] std::string or_a_pipeline() const {
    const std::string stages = nearest_values(1, blocks_ + 2, [this](std::int64_t pp) { return would_do(pp); });
    return stages.empty() ? "" : " or pp " + stages;
  }

  void check_chunks() {
    if (can_be_dealt(layout_.pp, layout_.interleave)) return;
    const std::int64_t chunks = std::int64_t{layout_.pp} * layout_.interleave;
    const std::string what = fmt::format("pp {} x interleave {} = {} chunks", layout_.pp, layout_.interleave, chunks);
    if (chunks > blocks_) {
      found_.push_back(fmt::format("{}, but {} has {} blocks{} - use {}", what, job_.network.name, blocks_,
                                   is_even() || !has_repeated_blocks(sequence_) ? "" : " with its ends", remedy()));
    } else {
      found_.push_back(fmt::format("{} do not divide the {} blocks of {} - use {}, or chunks uneven", what, blocks_,
                                   job_.network.name, remedy()));
    }
  }

  /// Of as many stages the nearest numbers of chunks, else fewer stages.
  [[nodiscard]] std::string remedy() const {
    const bool are_multiples = microbatches(layout_, job_.batch) % layout_.pp == 0;
    const std::string interleave = nearest_values(layout_.interleave, blocks_ / layout_.pp + 1, [&](std::int64_t each) {
      return (each == 1 || are_multiples) && can_be_dealt(layout_.pp, each);
    });
    if (!interleave.empty()) return "interleave " + interleave;
    const std::string stages =
        nearest_values(layout_.pp, blocks_ + 2, [this](std::int64_t pp) { return would_do(pp); });
    return stages.empty() ? "pp 1 and interleave 1" : "pp " + stages;
  }

  void check_microbatches() {
    const std::int64_t count = microbatches(layout_, job_.batch);
    if (layout_.interleave == 1 || layout_.pp == 1 || count % layout_.pp == 0) return;
    found_.push_back(fmt::format("interleaving needs micro-batches in multiples of pp {}, there are {} - use {}",
                                 layout_.pp, count, multiples_of_stages()));
  }

  /// What makes micro-batches a multiple of the stages.
  [[nodiscard]] std::string multiples_of_stages() const {
    const std::int64_t together = std::int64_t{layout_.dp} * layout_.microbatch;
    if (job_.batch % layout_.pp != 0) {
      return fmt::format("interleave 1, or a batch in multiples of {}", together * layout_.pp);
    }
    return fmt::format("dp x micro-batch = {}, or interleave 1", nearest_divisors(job_.batch / layout_.pp, together));
  }

  const TrainingJob& job_;
  const BlockSequence& sequence_;
  const Layout& layout_;
  std::int64_t blocks_;  // that can be dealt out
  std::vector<std::string>& found_;
};

}  // namespace

void add_pipeline_obstacles(const TrainingJob& job, const BlockSequence& sequence, const Layout& layout,
                            std::vector<std::string>& found) {
  PipelineObstacles(job, sequence, layout, found).add();
}

}  // namespace orrery
