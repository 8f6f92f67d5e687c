#include "scenarios/strategies/stage_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "scenarios/strategies/stages.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// Weights that two stages use: their gradients are added up before the optimizer step.
struct TiedWeights {
  LayerId owner, user;
  int owner_stage = 0, user_stage = 0;
  double numbers = 0;
};

class StagePlanner {
 public:
  StagePlanner(const Job& job, const StageOrder& order)
      : job_(job),
        graph_(job.scenario.workload.network),
        order_(order),
        stages_(job.strategy.devices),
        plan_(start_plan(job, stages_)),
        computing_(plan_),
        samples_(divide_batch(job, order.microbatches, fmt::format("{} {}", order.microbatches, order.unit))),
        work_(job, {samples_, order_.microbatches}) {
    if (static_cast<std::size_t>(stages_) > graph_.layers.size()) {
      throw Infeasible(fmt::format("{} stages, but {} has only {} layers", stages_, graph_.name, graph_.layers.size()));
    }
    spans_ = cut_into_stages(row_of_layers(), static_cast<std::size_t>(stages_));
    for (int stage = 0; stage < stages_; ++stage) {
      work_of_stage_.push_back(work_.of(rank(stage)).as_process(span(stage)));
    }
    find_tied_weights();
  }

  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }

  Plan plan() {
    for (int stage = 0; stage < stages_; ++stage) write_stage(stage);
    plan_.degrees.pp = stages_;
    plan_.microbatches = order_.microbatches;
    take_memory_of_fullest();
    write_notes();
    return std::move(plan_);
  }

 private:
  static RankId rank(int stage) { return RankId(static_cast<std::size_t>(stage)); }
  [[nodiscard]] Span span(int stage) const { return spans_[static_cast<std::size_t>(stage)]; }
  [[nodiscard]] const LayerWork& work(int stage) const { return work_of_stage_[static_cast<std::size_t>(stage)]; }

  /// Bytes of one micro-batch that cross the cut before `layer`, activations forward, gradients backward.
  [[nodiscard]] Bytes bytes_before_layer(std::size_t layer, Pass pass) const {
    return bytes_sent_per_number(job_) * (samples_ * numbers_across(graph_, layer, pass));
  }
  [[nodiscard]] Bytes bytes_across(int stage, Pass pass) const { return bytes_before_layer(span(stage).first, pass); }

  /// Forward and backward of one micro-batch, and forward again where it is recomputed. Tied weights are left out:
  /// their exchange is once per step.
  [[nodiscard]] LayerRow row_of_layers() const {
    LayerRow row;
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      row.seconds.push_back(work_.of(rank(0)).round(i).value());
      row.flops.push_back(work_.of(rank(0)).round_flops(i).value());
      row.cut_bytes.push_back(
          (bytes_before_layer(i + 1, Pass::forward) + bytes_before_layer(i + 1, Pass::backward)).value());
    }
    if (job_.cluster.description.groups() == 1) return row;
    for (int stage = 0; stage < stages_; ++stage) {
      std::vector<double>& seconds = row.seconds_of_part.emplace_back();
      const LayerWork& own = work_.of(rank(stage));
      for (std::size_t i = 0; i < graph_.layers.size(); ++i) seconds.push_back(own.round(i).value());
    }
    return row;
  }

  [[nodiscard]] int stage_of(LayerId layer) const {
    int stage = 0;
    while (span(stage).end <= layer.index()) ++stage;
    return stage;
  }

  void find_tied_weights() {
    for (const Layer& layer : graph_.layers) {
      const LayerId owner = owner_of_tied_weights(graph_, layer);
      if (!owner.valid() || layer.frozen || stage_of(owner) == stage_of(layer.id)) continue;
      tied_ = TiedWeights{owner, layer.id, stage_of(owner), stage_of(layer.id), static_cast<double>(weights(layer))};
      const GroupId group = plan_.program.add_group({rank(tied_->owner_stage), rank(tied_->user_stage)});
      tied_exchange_ = plan_.program.add_collective(
          {CollectiveKind::all_reduce, Algorithm::ring, group, bytes_sent_per_gradient(job_) * tied_->numbers, 0});
      return;
    }
  }

  void write_stage(int stage) {
    const LayerWork& own = work(stage);
    const Work forward = own.of(Pass::forward, span(stage)), backward = own.of(Pass::backward, span(stage));
    OpId last;
    Task before;
    for (const Task& task : order_.of(stage)) {
      if (task.kind == Task::Kind::forward) {
        last = write_forward(stage, task.microbatch, forward);
      } else {
        last = write_backward(stage, task.microbatch, again(stage, before, task), backward);
      }
      before = task;
    }
    std::vector<OpId> after;
    if (holds_tied(stage)) after = {exchange_tied(stage, last)};
    computing_.add(rank(stage), Phase::optimizer, span(stage), update_of(stage), -1, std::move(after));
  }

  /// Both stages that hold tied weights update theirs.
  [[nodiscard]] Work update_of(int stage) const {
    Work update = work(stage).update();
    if (!tied_ || stage != tied_->user_stage) return update;
    const std::size_t owner = tied_->owner.index();
    const double part = tied_->numbers / static_cast<double>(trainable_parameters(graph_.layers[owner]));
    update += work(stage).of(Pass::optimizer, {owner, owner + 1}) * part;
    return update;
  }

  OpId write_forward(int stage, int microbatch, const Work& work) {
    std::vector<OpId> after;
    if (stage > 0) {
      after = {plan_.program.add(receive_op(rank(stage - 1), rank(stage), Phase::forward, microbatch))};
    }
    const OpId done = computing_.add(rank(stage), Phase::forward, span(stage), work, microbatch, std::move(after));
    if (stage + 1 < stages_)
      send(stage, stage + 1, bytes_across(stage + 1, Pass::forward), Phase::forward, microbatch, done);
    return done;
  }

  /// Recomputation before a backward pass. Right after the forward pass of the same micro-batch, the activations of the
  /// stage's last segment are still there.
  [[nodiscard]] Work again(int stage, const Task& before, const Task& now) const {
    if (job_.strategy.recompute == Recompute::none) return {};
    const LayerWork& own = work(stage);
    Span run = span(stage);
    const bool at_once = before.kind == Task::Kind::forward && before.microbatch == now.microbatch;
    if (at_once) run.end = std::max(run.first, own.segment_start(run.end - 1));
    return own.again(run);
  }

  OpId write_backward(int stage, int microbatch, const Work& recompute, const Work& work) {
    std::vector<OpId> after;
    if (stage + 1 < stages_) {
      after = {plan_.program.add(receive_op(rank(stage + 1), rank(stage), Phase::backward, microbatch))};
    }
    computing_.add_again(rank(stage), recompute, microbatch, after);
    const OpId done = computing_.add(rank(stage), Phase::backward, span(stage), work, microbatch, std::move(after));
    if (stage > 0) send(stage, stage - 1, bytes_across(stage, Pass::backward), Phase::backward, microbatch, done);
    return done;
  }

  void send(int from, int to, Bytes bytes, Phase phase, int microbatch, OpId after) {
    Op op = send_op(rank(from), rank(to), bytes, phase, microbatch);
    op.after = {after};
    plan_.program.add(std::move(op));
  }

  [[nodiscard]] bool holds_tied(int stage) const {
    return tied_ && (stage == tied_->owner_stage || stage == tied_->user_stage);
  }

  OpId exchange_tied(int stage, OpId after) {
    Op op = collective_op(rank(stage), Dimension::pp, Phase::gradient_exchange, tied_exchange_, tied_->owner);
    op.after = {after};
    return plan_.program.add(std::move(op));
  }

  [[nodiscard]] MemoryEstimate memory_of(int stage) const {
    std::vector<Share> shares(graph_.layers.size(), Share{0.0, 0.0});
    std::fill(shares.begin() + static_cast<std::ptrdiff_t>(span(stage).first),
              shares.begin() + static_cast<std::ptrdiff_t>(span(stage).end), Share{});
    return orrery::memory_of(job_, shares, samples_, most_in_flight(order_.of(stage)));
  }

  /// The stage that fills its device the furthest.
  void take_memory_of_fullest() {
    const auto filled = [this](const MemoryEstimate& memory, int stage) {
      return memory.peak() / device_of(job_, rank(stage)).memory;
    };
    plan_.memory = memory_of(0);
    double most = filled(plan_.memory, 0);
    for (int stage = 1; stage < stages_; ++stage) {
      const MemoryEstimate memory = memory_of(stage);
      if (filled(memory, stage) <= most) continue;
      plan_.memory = memory, plan_.fullest = rank(stage);
      most = filled(memory, stage);
    }
  }

  void write_notes() {
    if (job_.strategy.recompute == Recompute::full) {
      plan_.notes.emplace_back(
          "recompute: segments keep their inputs only; backward runs the forward pass of each once more, but of a "
          "stage's last right after that forward pass, when its activations are still there");
    }
    if (stages_ > 1) {
      plan_.notes.push_back(fmt::format(
          "cuts: the fewest bytes across among those whose slowest stage takes at most {} % longer than the "
          "shortest possible (assumed), then the evenest stages",
          number_text(100 * stage_slack)));
    }
    for (int stage = 0; stage < stages_; ++stage) {
      Work both = work(stage).of(Pass::forward, span(stage));
      both += work(stage).of(Pass::backward, span(stage));
      std::string note = fmt::format("stage {}: {} to {}, {} forward and backward per micro-batch", stage,
                                     graph_.layers[span(stage).first].name, graph_.layers[span(stage).end - 1].name,
                                     human(both.total()));
      if (stage > 0)
        note +=
            fmt::format(", {} bytes cross the cut before it", number_text(bytes_across(stage, Pass::forward).value()));
      plan_.notes.push_back(std::move(note));
    }
    if (tied_) {
      plan_.notes.push_back(fmt::format("stages {} and {} both hold the weights of {} and add up their gradients",
                                        tied_->owner_stage, tied_->user_stage,
                                        graph_.layers[tied_->owner.index()].name));
    }
  }

  const Job& job_;
  const LayerGraph& graph_;
  const StageOrder& order_;
  int stages_;
  Plan plan_;
  Computing computing_;
  double samples_;  // of one micro-batch
  RankWork work_;
  std::vector<Span> spans_;
  std::vector<LayerWork> work_of_stage_;
  std::optional<TiedWeights> tied_;
  CollectiveId tied_exchange_;
};

}  // namespace

StageOrder stage_order(const StrategySpec& strategy) {
  if (strategy.kind == StrategyKind::pipeline) {
    return {strategy.microbatches, "micro-batches",
            [schedule = strategy.schedule, stages = strategy.devices, count = strategy.microbatches](int stage) {
              return task_order(schedule, stage, stages, count);
            }};
  }
  return {strategy.accumulation, "micro-steps",
          [count = strategy.accumulation](int /*stage*/) { return one_after_the_other(count); }};
}

Plan plan_stages(const Job& job, const StageOrder& order) {
  return StagePlanner(job, order).plan();
}

std::vector<Span> stage_spans(const Job& job, const StageOrder& order) {
  return StagePlanner(job, order).spans();
}

}  // namespace orrery
