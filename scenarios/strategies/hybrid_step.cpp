#include "scenarios/strategies/hybrid_step.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "scenarios/strategies/hybrid_groups.hpp"
#include "scenarios/strategies/schedules.hpp"
#include "sim/base/random.hpp"

namespace orrery {
namespace {

using Kind = Task::Kind;

/// One pass through a chunk: computing, then what its exchanges add.
struct PassPrice {
  Seconds compute, tensor, context, expert;
};

PassPrice price_of(const ChunkPrice& price, const Task& task, PipelineSchedule schedule) {
  if (task.kind == Kind::forward) {
    return {price.forward, price.tensor_forward, price.context_forward, price.expert_forward};
  }
  if (task.kind == Kind::weights) return {price.backward_weights, {}, {}, {}};
  const Seconds weights = schedule == PipelineSchedule::zero_bubble ? Seconds() : price.backward_weights;
  return {price.backward_input + weights, price.tensor_backward, price.context_backward, price.expert_backward};
}

/// How many times longer each computation of a rank takes: a slow device, and draws of a normal distribution, of which
/// the largest of all devices that wait for each other counts; never less than a tenth.
class Slowness {
 public:
  Slowness(const HybridStep& step, RankId rank)
      : jitter_(step.options.jitter),
        draws_(step.ranks.folded() == Folded::device ? 1 : step.options.layout.tp * step.options.layout.cp),
        random_(
            Random::derived(step.seed, "hybrid jitter", static_cast<std::uint64_t>(step.ranks.first_device(rank)))) {
    const auto& slow = step.options.straggler;
    if (slow && step.ranks.stands_for(rank, slow->rank)) constant_ = slow->factor;
  }

  double next() {
    if (jitter_ <= 0) return constant_;
    double most = -1.0;
    for (int draw = 0; draw < draws_; ++draw) most = std::max(most, 1.0 + jitter_ * random_.normal());
    return constant_ * std::max(0.1, most);
  }

 private:
  double constant_ = 1, jitter_ = 0;
  int draws_ = 1;
  Random random_;
};

class RankWriter {
 public:
  RankWriter(const HybridStep& step, Program& program, HybridGroups& groups, RankId rank)
      : step_(step),
        program_(program),
        groups_(groups),
        layout_(step.options.layout),
        rank_(rank),
        stage_(step.ranks.at(rank).pp),
        slowness_(step, rank) {}

  void write() {
    write_passes();
    exchange_gradients();
    const bool is_end = stage_ == 0 || stage_ == layout_.pp - 1;
    if (layout_.pp > 1 && is_end) {
      meet(Meeting::ends, Dimension::pp, Phase::gradient_exchange, step_.prices.tied_exchange, -1);
    }
    compute(Phase::optimizer, stage_price().optimizer, -1);
  }

 private:
  [[nodiscard]] const StagePrice& stage_price() const { return step_.prices.stages[static_cast<std::size_t>(stage_)]; }

  void write_passes() {
    const std::vector<Task> tasks =
        task_order(layout_.schedule, stage_, layout_.pp, step_.microbatches, layout_.interleave);
    for (const Task& task : tasks) write(task, &task == &tasks.back());
    if (stage_ != 0) return;
    load(step_.microbatches - 1);
    needed_ = OpId();  // nothing of this step waits for it
  }

  [[nodiscard]] Op make_op(Stream stream, Dimension dimension, Phase phase, int microbatch) const {
    Op op;
    op.rank = rank_;
    op.stream = stream;
    op.dimension = dimension;
    op.phase = phase;
    op.microbatch = microbatch;
    return op;
  }

  /// Adds an operation that waits for the one before, and for the message or data that the next one needs.
  OpId chain(Op op) {
    for (const OpId before : {last_, needed_}) {
      if (before.valid()) op.after.push_back(before);
    }
    needed_ = OpId();
    return last_ = program_.add(std::move(op));
  }

  /// Meets a group for so long.
  void meet(Meeting meeting, Dimension dimension, Phase phase, Seconds duration, int microbatch) {
    if (duration <= Seconds()) return;
    Op op = make_op(Stream::collective, dimension, phase, microbatch);
    op.action = CollectiveCall{groups_.spend(rank_, meeting, duration)};
    chain(std::move(op));
  }

  void compute(Phase phase, Seconds duration, int microbatch) {
    Op op = make_op(Stream::compute, Dimension::none, phase, microbatch);
    op.action = Compute{duration, Flops()};
    chain(std::move(op));
  }

  void write(const Task& task, bool is_last) {
    const ChunkPrice& price = stage_price().chunks[static_cast<std::size_t>(task.chunk)];
    receive(task);
    const double slow = slowness_.next();
    const Phase phase = task.kind == Kind::forward ? Phase::forward : Phase::backward;
    if (task.kind == Kind::backward && price.recompute + price.tensor_recompute > Seconds()) {
      compute(Phase::recompute, price.recompute * slow, task.microbatch);
      meet(Meeting::slices, Dimension::tp, Phase::recompute, price.tensor_recompute, task.microbatch);
    }
    const PassPrice pass = price_of(price, task, layout_.schedule);
    const Seconds behind = is_last ? hidden_behind(pass, slow) : Seconds();
    const Seconds ahead = pass.compute * slow - behind;
    compute(phase, ahead, task.microbatch);
    if (is_last && hidden_exchange() > Seconds()) gradients_ready_ = last_;
    if (behind > Seconds()) compute(phase, behind, task.microbatch);
    meet(Meeting::slices, Dimension::tp, phase, pass.tensor, task.microbatch);
    meet(Meeting::parts, Dimension::cp, phase, pass.context, task.microbatch);
    meet(Meeting::experts, Dimension::ep, phase, pass.expert, task.microbatch);
    send(task);
  }

  /// Of the exchange of gradients, what the prices say that the last pass hides.
  [[nodiscard]] Seconds hidden_exchange() const {
    return std::max(Seconds(), step_.prices.gradient_exchange.total() - step_.prices.gradient_exposed);
  }
  /// Computing of the last pass that goes on beside the exchange; its own exchanges hide their part, too.
  [[nodiscard]] Seconds hidden_behind(const PassPrice& pass, double slow) const {
    const Seconds exchanges = pass.tensor + pass.context + pass.expert;
    return std::clamp(hidden_exchange() - exchanges, Seconds(), pass.compute * slow);
  }

  void exchange_gradients() {
    const LayoutPrices& prices = step_.prices;
    const Seconds whole = prices.gradient_exchange.total();
    if (whole > Seconds()) {
      Op op = make_op(Stream::collective, Dimension::dp, Phase::gradient_exchange, -1);
      op.action = CollectiveCall{groups_.next(rank_, Meeting::replicas, step_.exchange)};
      if (gradients_ready_.valid()) {
        op.after = {gradients_ready_};
        needed_ = program_.add(std::move(op));
      } else {
        chain(std::move(op));
      }
    }
    meet(Meeting::replicas, Dimension::dp, Phase::gradient_exchange, prices.gradient_exposed - whole, -1);
  }

  /// The chunk that a task's message comes from (-1) or goes to (1), counted along the network.
  [[nodiscard]] int chunk_of(const Task& task, int direction) const {
    const int way = task.kind == Kind::forward ? direction : -direction;
    return task.chunk * layout_.pp + stage_ + way;
  }
  [[nodiscard]] bool has_neighbour(const Task& task, int direction) const {
    const int chunk = chunk_of(task, direction);
    return task.kind != Kind::weights && chunk >= 0 && chunk < layout_.pp * layout_.interleave;
  }
  [[nodiscard]] RankId neighbour(const Task& task, int direction) const {
    return step_.ranks.in_stage(rank_, chunk_of(task, direction) % layout_.pp);
  }
  /// Tells messages apart by micro-batch, the chunk they leave, and the pass.
  [[nodiscard]] std::int32_t tag(const Task& task, int from) const {
    const int pass = task.kind == Kind::forward ? 0 : 1;
    return (task.microbatch * layout_.pp * layout_.interleave + from) * 2 + pass;
  }

  void receive(const Task& task) {
    if (task.kind == Kind::forward && stage_ == 0 && task.chunk == 0 && task.microbatch > 0) load(task.microbatch - 1);
    if (!has_neighbour(task, -1)) return;
    Op op = make_op(Stream::receive, Dimension::pp, phase_of(task), task.microbatch);
    op.action = Receive{neighbour(task, -1), tag(task, chunk_of(task, -1))};
    needed_ = program_.add(std::move(op));
  }

  /// What leaves the chunk that comes first along the network: backward its gradients come back.
  [[nodiscard]] Bytes message_of(const Task& task) const {
    const int chunk = std::min(chunk_of(task, 0), chunk_of(task, 1));
    const StagePrice& stage = step_.prices.stages[static_cast<std::size_t>(chunk % layout_.pp)];
    return stage.chunks[static_cast<std::size_t>(chunk / layout_.pp)].boundary;
  }

  void send(const Task& task) {
    if (!has_neighbour(task, 1)) return;
    Op op = make_op(Stream::send, Dimension::pp, phase_of(task), task.microbatch);
    op.after = {last_};
    if (step_.transfer_beyond > Seconds()) {
      op.action = CollectiveCall{groups_.spend(rank_, Meeting::alone, step_.transfer_beyond)};
      program_.add(op);
      op.after.clear();  // the stream keeps the order
    }
    op.action = Send{neighbour(task, 1), message_of(task), tag(task, chunk_of(task, 0))};
    const OpId sent = program_.add(std::move(op));
    if (step_.framework.blocking_transfers.value > 0.5) last_ = sent;
  }

  [[nodiscard]] static Phase phase_of(const Task& task) {
    return task.kind == Kind::forward ? Phase::forward : Phase::backward;
  }

  /// The loader's work on the micro-batch after this one; the next pass that takes one waits for it.
  void load(int microbatch) {
    if (step_.load <= Seconds()) return;
    Op op = make_op(Stream::receive, Dimension::dp, Phase::input, microbatch);
    op.action = CollectiveCall{groups_.spend(rank_, Meeting::alone, step_.load)};
    needed_ = program_.add(std::move(op));
  }

  const HybridStep& step_;
  Program& program_;
  HybridGroups& groups_;
  const Layout& layout_;
  RankId rank_;
  int stage_;
  Slowness slowness_;
  OpId last_;             // operation that the next one waits for
  OpId needed_;           // message, data or exchange that the next one waits for, too
  OpId gradients_ready_;  // invalid: with the last pass
};

}  // namespace

void write_hybrid_step(const HybridStep& step, Program& program) {
  HybridGroups groups(step.options.layout, step.ranks, program);
  for (std::size_t rank = 0; rank < step.ranks.count(); ++rank) {
    RankWriter(step, program, groups, RankId(rank)).write();
  }
}

}  // namespace orrery
