#include "models/layouts/obstacles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/layouts/kind_obstacles.hpp"

namespace orrery {

namespace {

std::string nearest_divisors_of_any(std::initializer_list<std::int64_t> wholes, std::int64_t value) {
  std::int64_t below = 0, above = 0;
  for (const std::int64_t whole : wholes) {
    for (std::int64_t small = 1; small <= whole / small; ++small) {
      if (whole % small != 0) continue;
      for (const std::int64_t divisor : {small, whole / small}) {
        if (divisor < value) below = std::max(below, divisor);
        if (divisor > value) above = above == 0 ? divisor : std::min(above, divisor);
      }
    }
  }
  if (below == 0) return fmt::format("{}", above);
  return above == 0 ? fmt::format("{}", below) : fmt::format("{} or {}", below, above);
}

}  // namespace

std::string nearest_divisors(std::int64_t whole, std::int64_t value) {
  return nearest_divisors_of_any({whole}, value);
}

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
    check_tensor();
    check_pipeline();
    check_context();
    check_islands();
    check_experts();
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
    const std::int64_t there = job_.cluster.devices();
    if (has_devices()) return;
    found_.push_back(fmt::format("dp {} x tp {} x pp {} x cp {} = {} devices, but the cluster has {} - use dp {}",
                                 layout_.dp, layout_.tp, layout_.pp, layout_.cp, layout_.devices(), there,
                                 std::max<std::int64_t>(1, there / (layout_.devices() / layout_.dp))));
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

  void check_heads(const Layer& attention) {
    if (attention.heads % layout_.tp != 0) {
      found_.push_back(fmt::format("tp {} does not divide the {} heads of {} - use tp {}", layout_.tp, attention.heads,
                                   job_.network.name, nearest_divisors(attention.heads, layout_.tp)));
    } else if (attention.kv_heads % layout_.tp != 0 && layout_.tp % attention.kv_heads != 0) {
      found_.push_back(fmt::format(
          "tp {} neither divides the {} heads of keys and values of {} nor is a multiple of them - use tp {}",
          layout_.tp, attention.kv_heads, job_.network.name, nearest_divisors(attention.kv_heads, layout_.tp)));
    }
  }

  void check_tensor() {
    if (layout_.tp == 1) return;
    bool has_attention = false;
    for (const Layer& layer : job_.network.layers) {
      if (layer.kind != LayerKind::attention) continue;
      has_attention = true;
      const std::size_t before = found_.size();
      check_heads(layer);
      if (found_.size() > before) return;
    }
    if (!has_attention) {
      found_.push_back(fmt::format("tp {}: {} has no attention blocks to split - use tp 1, or kind = \"model\"",
                                   layout_.tp, job_.network.name));
    }
  }

  void check_pipeline() {
    const std::int64_t chunks = std::int64_t{layout_.pp} * layout_.interleave;
    const bool is_even = layout_.chunks == Chunks::equal;
    const auto blocks = static_cast<std::int64_t>(is_even ? dealt_blocks(sequence_) : sequence_.blocks.size());
    if (layout_.pp == 1 && layout_.interleave > 1) {
      found_.push_back(fmt::format("interleave {} needs a pipeline - use interleave 1 or pp 2", layout_.interleave));
    }
    const bool divides = is_even && divides_into(sequence_, static_cast<std::size_t>(chunks));
    if (chunks > blocks && !divides) {
      found_.push_back(
          fmt::format("pp {} x interleave {} = {} chunks, but {} has {} blocks{} - use pp x interleave up to {}",
                      layout_.pp, layout_.interleave, chunks, job_.network.name, blocks,
                      is_even || !has_repeated_blocks(sequence_) ? "" : " with its ends", blocks));
    } else if (layout_.interleave > 1 && is_even && !divides) {
      found_.push_back(fmt::format(
          "pp {} x interleave {} = {} chunks do not divide the {} blocks of {} - use pp x "
          "interleave = {}, or chunks uneven",
          layout_.pp, layout_.interleave, chunks, blocks, job_.network.name, nearest_chunks(blocks, chunks)));
    }
    const std::int64_t count = microbatches(layout_, job_.batch);
    if (layout_.interleave > 1 && layout_.pp > 1 && count % layout_.pp != 0) {
      found_.push_back(fmt::format("interleaving needs micro-batches in multiples of pp {}, there are {} - use {}",
                                   layout_.pp, count, multiples_of_stages()));
    }
    if (layout_.pp == 1 && layout_.schedule == PipelineSchedule::zero_bubble) {
      found_.emplace_back("schedule zb-h1 needs a pipeline - use schedule 1f1b or pp 2");
    }
    if (layout_.interleave > 1 && layout_.schedule != PipelineSchedule::one_f_one_b) {
      found_.push_back(
          fmt::format("schedule {} is not interleaved - use interleave 1 or schedule 1f1b", name_of(layout_.schedule)));
    }
  }

  /// Embedding and head may stand for a block each.
  [[nodiscard]] std::string nearest_chunks(std::int64_t blocks, std::int64_t wanted) const {
    return has_repeated_blocks(sequence_) ? nearest_divisors_of_any({blocks, blocks + 2}, wanted)
                                          : nearest_divisors(blocks, wanted);
  }

  /// What makes micro-batches a multiple of the stages.
  [[nodiscard]] std::string multiples_of_stages() const {
    const std::int64_t together = std::int64_t{layout_.dp} * layout_.microbatch;
    if (job_.batch % layout_.pp != 0) {
      return fmt::format("interleave 1, or a batch in multiples of {}", together * layout_.pp);
    }
    return fmt::format("dp x micro-batch = {}, or interleave 1", nearest_divisors(job_.batch / layout_.pp, together));
  }

  void check_context() {
    if (layout_.cp == 1) return;
    const std::int64_t tokens = job_.network.input.height;
    if (job_.network.sample != "sequence") {
      found_.push_back(
          fmt::format("cp {} splits sequences, which {} does not read - use cp 1", layout_.cp, job_.network.name));
    } else if (tokens % layout_.cp != 0) {
      found_.push_back(fmt::format("cp {} does not divide the {} tokens of a sample - use cp {}", layout_.cp, tokens,
                                   nearest_divisors(tokens, layout_.cp)));
    }
  }

  void check_experts() {
    check_expert_degree();
    if (layout_.ep == 1) return;
    std::int64_t experts = 0;
    for (const Layer& layer : job_.network.layers) experts = std::max(experts, layer.experts);
    if (experts == 0) {
      found_.push_back(fmt::format("ep {}: {} has no experts - use ep 1", layout_.ep, job_.network.name));
      return;
    }
    if (experts % layout_.ep != 0) {
      found_.push_back(fmt::format("ep {} does not divide {} experts - use ep {}", layout_.ep, experts,
                                   nearest_divisors(experts, layout_.ep)));
    }
    const std::int64_t ranks = expert_ranks_in_step(layout_);
    if (ranks % layout_.ep == 0 || !has_equal_islands()) return;
    const bool is_split = expert_tensor_degree(layout_) == layout_.tp;
    const bool whole_would_do = is_split && std::int64_t{replicas_in_step(layout_)} * layout_.tp % layout_.ep == 0;
    found_.push_back(fmt::format("ep {} does not divide {}{} = {} ranks that share the experts - use ep {}{}",
                                 layout_.ep, replicas_text(), is_split ? "" : fmt::format(" x tp {}", layout_.tp),
                                 ranks, nearest_divisors(ranks, layout_.ep), whole_would_do ? ", or etp 1" : ""));
  }

  void check_expert_degree() {
    const int degree = expert_tensor_degree(layout_);
    if (degree == layout_.tp) return;
    if (degree != 1) {
      found_.push_back(
          fmt::format("etp {}: an expert is split over all tp {} ranks that share a layer, or over none - use etp 1{}",
                      degree, layout_.tp, layout_.tp > 1 ? fmt::format(" or {}", layout_.tp) : ""));
    } else if (layout_.sequence_parallel == SequenceParallel::off) {
      found_.push_back(fmt::format(
          "etp 1 with tp {}: without sequence parallelism every rank has the same tokens to send to experts - use "
          "sequence_parallel true, or etp {}",
          layout_.tp, layout_.tp));
    }
  }

  void check_sharding() {
    if (layout_.zero_stage < 0 || layout_.zero_stage > 3) {
      found_.push_back(fmt::format("zero_stage {} is not a stage - use 0, 1, 2 or 3", layout_.zero_stage));
    }
    const std::int64_t ranks = replicas_in_step(layout_);
    if (layout_.zero_group > 0 && ranks % layout_.zero_group != 0 && has_equal_islands()) {
      found_.push_back(fmt::format("zero_group {} does not divide {} replicas{} - use {}", layout_.zero_group, ranks,
                                   layout_.outer.islands > 1 ? " of an island" : "",
                                   nearest_divisors(ranks, layout_.zero_group)));
    }
    check_shared_experts();
  }

  /// Or some ranks of a group would share their experts' states and others not.
  void check_shared_experts() {
    if (layout_.zero_stage < 1 || layout_.zero_group < 1 || layout_.ep == 1) return;
    const int degree = std::min(expert_tensor_degree(layout_), layout_.tp),
              ranks = layout_.zero_group * (layout_.tp / degree);
    if (ranks % layout_.ep == 0 || layout_.ep % ranks == 0) return;
    found_.push_back(fmt::format(
        "zero_group {} cuts through groups of ep {} that share the experts - use a multiple or a divisor of ep",
        layout_.zero_group, layout_.ep));
  }

  [[nodiscard]] bool has_equal_islands() const { return layout_.dp % layout_.outer.islands == 0; }

  /// Who sums gradients in every step.
  [[nodiscard]] std::string replicas_text() const {
    const int islands = layout_.outer.islands;
    const std::string all = fmt::format("dp {} x cp {}", layout_.dp, layout_.cp);
    return islands == 1 ? all : fmt::format("{} / {} islands", all, islands);
  }

  void check_islands() {
    const int islands = layout_.outer.islands;
    if (islands == 1) return;
    if (!has_equal_islands()) {
      found_.push_back(fmt::format("{} islands do not divide dp {} - use {}", islands, layout_.dp,
                                   nearest_divisors(layout_.dp, islands)));
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
