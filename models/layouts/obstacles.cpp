#include "models/layouts/obstacles.hpp"

#include <fmt/format.h>

#include "models/layouts/expert_obstacles.hpp"
#include "models/layouts/kind_obstacles.hpp"
#include "models/layouts/nearest_degrees.hpp"
#include "models/layouts/pipeline_obstacles.hpp"
#include "models/layouts/split_obstacles.hpp"

namespace orrery {
namespace {

class Obstacles {
 public:
  Obstacles(const TrainingJob& job, const BlockSequence& sequence, const Layout& layout)
      : job_(job), sequence_(sequence), layout_(layout) {}

  std::vector<std::string> list() {
    if (!check_degrees()) return std::move(found_);
    check_precision();
    check_devices();
    check_batch();
    add_tensor_obstacles(job_, layout_, found_);
    add_pipeline_obstacles(job_, sequence_, layout_, found_);
    add_context_obstacles(job_, layout_, found_);
    check_islands();
    add_expert_obstacles(job_, layout_, found_);
    check_sharding();
    if (!job_.cluster.more.empty() && has_devices()) add_kind_obstacles(job_, layout_, found_);
    return std::move(found_);
  }

 private:
  /// Wider formats take a narrower one's place without a word; these two would be another training.
  void check_precision() {
    const Precision precision = job_.precision;
    if (precision == Precision::int8) {
      found_.emplace_back("int8 is no format to train in - use bf16 or fp8");
    } else if (precision == Precision::fp8 && !has_format(job_.cluster, precision)) {
      const Precision wider = has_format(job_.cluster, Precision::bf16) ? Precision::bf16 : Precision::fp16;
      found_.push_back(fmt::format("{} has no fp8 products - use {}", job_.cluster.device.id, name_of(wider)));
    }
  }

  [[nodiscard]] bool has_devices() const { return layout_.devices() <= job_.cluster.devices(); }

  void check_devices() {
    if (has_devices()) return;
    const std::int64_t there = job_.cluster.devices(), replicas = there / (layout_.devices() / layout_.dp);
    found_.push_back(
        fmt::format("dp {} x tp {} x pp {} x cp {} = {} devices, but the cluster has {} - use {}", layout_.dp,
                    layout_.tp, layout_.pp, layout_.cp, layout_.devices(), there,
                    replicas > 0 ? fmt::format("dp {}", replicas) : fmt::format("tp x pp x cp up to {}", there)));
  }

  bool check_degrees() {
    const auto positive = [&](std::int64_t value, const char* name) {
      if (value < 1) found_.push_back(fmt::format("{} = {} must be at least 1", name, value));
    };
    positive(layout_.dp, "dp"), positive(layout_.tp, "tp"), positive(layout_.pp, "pp"), positive(layout_.cp, "cp");
    positive(layout_.ep, "ep"), positive(expert_tensor_degree(layout_), "etp"),
        positive(layout_.microbatch, "microbatch"), positive(layout_.interleave, "interleave");
    positive(layout_.outer.islands, "islands"), positive(layout_.outer.every, "every");
    return found_.empty();
  }

  void check_batch() {
    const std::int64_t together = layout_.dp * layout_.microbatch;
    if (job_.batch % together == 0 && job_.batch >= together) return;
    found_.push_back(
        fmt::format("dp {} x micro-batch {} = {} samples do not divide the batch of {} - use dp x "
                    "micro-batch = {}",
                    layout_.dp, layout_.microbatch, together, job_.batch, nearest_divisors(job_.batch, together)));
  }

  void check_sharding() {
    if (layout_.zero_stage < 0 || layout_.zero_stage > 3) {
      found_.push_back(fmt::format("zero_stage {} is not a stage - use 0, 1, 2 or 3", layout_.zero_stage));
    }
    const std::int64_t ranks = replicas_in_step(layout_);
    if (layout_.zero_group > 0 && ranks % layout_.zero_group != 0 && has_equal_islands(layout_)) {
      found_.push_back(fmt::format("zero_group {} does not divide {} replicas{} - use {}", layout_.zero_group, ranks,
                                   layout_.outer.islands > 1 ? " of an island" : "",
                                   nearest_divisors(ranks, layout_.zero_group)));
    }
  }

  void check_islands() {
    const int islands = layout_.outer.islands;
    if (islands == 1) return;
    if (!has_equal_islands(layout_)) {
      found_.push_back(fmt::format("{} islands do not divide dp {} - {}", islands, layout_.dp, other_islands()));
    }
    if (layout_.cp > 1 && stride(layout_, Dimension::dp) < stride(layout_, Dimension::cp)) {
      found_.emplace_back("islands are runs of whole replicas, but order numbers dp before cp - put cp first");
    }
    if (!has_devices() || used_groups(job_.cluster, layout_) == 1) return;
    const NodeGroup& first = job_.cluster.group(0);
    found_.push_back(
        fmt::format("islands are alike, but of these {} devices {} are in the first group of nodes - use no more, or "
                    "leave outer out",
                    layout_.devices(), std::int64_t{first.nodes} * first.devices_per_node));
  }

  /// One island is none.
  [[nodiscard]] std::string other_islands() const {
    const auto divides = [this](std::int64_t islands) { return islands > 1 && layout_.dp % islands == 0; };
    const std::string fewer = nearest_values(layout_.outer.islands, layout_.outer.islands - 1, divides);
    const std::string values = nearest_values(layout_.outer.islands, layout_.dp, divides);
    if (values.empty()) return "leave outer out";
    return fmt::format("use {}{}", values, fewer.empty() ? ", or leave outer out" : "");
  }

  const TrainingJob& job_;
  const BlockSequence& sequence_;
  const Layout& layout_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> layout_obstacles(const TrainingJob& job, const BlockSequence& sequence, const Layout& layout) {
  return Obstacles(job, sequence, layout).list();
}

}  // namespace orrery
