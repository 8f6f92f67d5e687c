#include "scenarios/strategies/hybrid_step.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "models/layouts/schedules.hpp"
#include "scenarios/strategies/hybrid_gradients.hpp"
#include "scenarios/strategies/hybrid_groups.hpp"
#include "scenarios/strategies/hybrid_messages.hpp"
#include "scenarios/strategies/hybrid_pass.hpp"
#include "scenarios/strategies/hybrid_slowness.hpp"

namespace orrery {
namespace {

using Kind = Task::Kind;

bool moves(const Collective& what) {
  return what.library.node_bytes + what.library.network_bytes > Bytes();
}

/// Of an exchange, whose parts take together what the whole takes.
Collective part_of(Collective what, double share) {
  what.bytes = what.bytes * share;
  what.library.overhead *= share, what.library.least *= share;
  what.library.node_bytes = what.library.node_bytes * share;
  what.library.network_bytes = what.library.network_bytes * share;
  return what;
}

class RankWriter {
 public:
  RankWriter(const HybridStep& step, Program& program, HybridGroups& groups, RankId rank)
      : step_(step),
        program_(program),
        groups_(groups),
        layout_(step.options.layout),
        rank_(rank),
        stage_(step.ranks.at(rank).pp),
        replica_(step.ranks.at(rank).dp),
        microbatches_(step.prices.microbatches_of(replica_, step.microbatches)),
        messages_(step, rank),
        gradients_(step, stage_),
        slowness_(step, rank) {}

  void write() {
    write_passes();
    exchange_gradients();
    sum_tied_weights();
    compute(Phase::optimizer, stage_price().optimizer, -1);
    exchange_between_islands();
  }

 private:
  enum class Last : std::uint8_t { no, yes };  // task of the step, beside which gradients are exchanged

  [[nodiscard]] const StagePrice& stage_price() const {
    return step_.prices.stages_of(replica_)[static_cast<std::size_t>(stage_)];
  }
  [[nodiscard]] const HybridWires& wires() const {
    return step_.wires_of_rank.empty() ? step_.wires : step_.wires_of_rank[rank_.index()];
  }

  void write_passes() {
    const std::vector<Task> tasks = task_order(layout_.schedule, stage_, layout_.pp, microbatches_, layout_.interleave);
    const Task& last = gradients_.last_task(tasks);
    for (const Task& task : tasks) write(task, &task == &last ? Last::yes : Last::no);
    if (stage_ == 0) load(microbatches_ - 1);  // nothing of this step waits for it
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

  /// What an operation waits for that comes now: the one before, and messages, data and hidden exchanges.
  [[nodiscard]] std::vector<OpId> all_needed() const {
    std::vector<OpId> all = needed_;
    if (last_.valid()) all.push_back(last_);
    return all;
  }

  /// Adds an operation that comes now; the next one waits for it.
  OpId chain(Op op) {
    op.after = all_needed();
    needed_.clear();
    return last_ = program_.add(std::move(op));
  }

  /// Meets a group for so long.
  void meet(Meeting meeting, Dimension dimension, Phase phase, Seconds duration, int microbatch) {
    if (duration <= Seconds()) return;
    Op op = make_op(Stream::collective, dimension, phase, microbatch);
    op.action = CollectiveCall{groups_.spend(rank_, meeting, duration)};
    chain(std::move(op));
  }

  /// Meets a group to move bytes.
  OpId exchange(Meeting meeting, Dimension dimension, Phase phase, const Collective& what, int microbatch,
                std::vector<OpId> after) {
    Op op = make_op(Stream::collective, dimension, phase, microbatch);
    op.action = CollectiveCall{groups_.next(rank_, meeting, what)};
    op.after = std::move(after);
    return program_.add(std::move(op));
  }

  /// Computes beside hidden exchanges, then exchanges what shows. `gradients`: when their exchange begins, if now.
  void write_pass(const PassPrice& price, Phase phase, double slow, GradientStart gradients, int microbatch) {
    const std::vector<SplitExchange> exchanges = split_exchanges(price, wires());
    std::vector<OpId> hidden;
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
      if (!moves(exchanges[i].hidden)) continue;
      const GroupExchange& group = price.exchanges[i];
      hidden.push_back(exchange(group.meeting, group.dimension, phase, exchanges[i].hidden, microbatch, all_needed()));
    }
    const auto begin_gradients = [&] {
      gradients_ready_.push_back(last_);
      if (gradients.computing > Seconds()) compute(phase, gradients.computing, microbatch);
    };
    compute(phase, price.compute * slow - gradients.computing, microbatch);
    if (gradients.shown == Shown::behind) begin_gradients();
    needed_ = std::move(hidden);
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
      const GroupExchange& group = price.exchanges[i];
      if (group.price.exposed <= Seconds()) continue;
      if (is_of_states(group)) wait_for_host(price);
      last_ = exchange(group.meeting, group.dimension, phase, exchanges[i].shown, microbatch, all_needed());
      needed_.clear();
    }
    if (gradients.shown == Shown::before) begin_gradients();
    wait_for_host(price);
  }

  /// The host begins with a pass, whatever the device waits for meanwhile, and is done no sooner than it takes. Of its
  /// time gradients are exchanged beside the last part.
  void begin_host(const PassPrice& pass, Seconds recompute, Seconds gradients, const Task& task) {
    if (pass.late <= Seconds()) return;
    Op op = make_op(Stream::host, Dimension::none, phase_of(task), task.microbatch);
    op.action = Delay{recompute + host_time(pass) - gradients};
    op.after = all_needed();
    host_ = program_.add(op);
    if (gradients <= Seconds()) return;
    op.action = Delay{gradients};
    op.after = {host_};
    gradients_ready_.push_back(std::exchange(host_, program_.add(std::move(op))));
  }

  void wait_for_host(const PassPrice& pass) {
    if (pass.late > Seconds() && host_.valid()) needed_.push_back(std::exchange(host_, OpId()));
  }

  void compute(Phase phase, Seconds duration, int microbatch) {
    Op op = make_op(Stream::compute, Dimension::none, phase, microbatch);
    op.action = Compute{duration, Flops()};
    chain(std::move(op));
  }

  void write(const Task& task, Last last) {
    const ChunkPrice& price = stage_price().chunks[static_cast<std::size_t>(task.chunk)];
    receive(task);
    const double slow = slowness_.next();
    const Phase phase = phase_of(task);
    const PassPrice pass = price_of_pass(price, task, step_.prices, layout_, wires());
    GradientStart gradients;
    if (last == Last::yes && gradients_.hidden() > Seconds()) {
      gradients = {gradients_.hidden_behind(pass, slow), gradients_.shown_in(pass)};
    }
    const Seconds recompute = task.kind == Kind::backward ? price.recompute + price.tensor_recompute : Seconds();
    const bool is_in_wait = gradients.shown != Shown::none && gradients_.hidden() <= pass.late;
    begin_host(pass, recompute, is_in_wait ? gradients_.hidden() : Seconds(), task);
    if (recompute > Seconds()) {
      const PassExchange exchange{price.tensor_recompute, price.tensor_sent.recompute};
      const PassPrice again{price.recompute, {{Meeting::slices, Dimension::tp, exchange}}};
      const bool is_now = gradients.shown != Shown::none && !is_in_wait;
      const Seconds before = is_now ? gradients_.hidden_before(pass, slow, wires()) : Seconds();
      GradientStart earlier;
      if (before > Seconds()) {
        earlier = gradients_.start_in(again, slow, before, wires());
        gradients = {};
      }
      write_pass(again, Phase::recompute, slow, earlier, task.microbatch);
    }
    write_pass(pass, phase, slow, gradients, task.microbatch);
    const bool ends_chunk =
        task.kind == Kind::backward && task.microbatch == microbatches_ - 1 && gradients_.is_before_last(task.chunk);
    if (ends_chunk && gradients_.by_chunk()) exchange_gradients(gradients_.share_of_chunk(), all_needed());
    send(task);
  }

  void exchange_gradients() {
    if (!gradients_.has_any()) return;
    const LayoutPrices& prices = step_.prices;
    if (!gradients_.with_passes() && prices.gradient_exchange.total() > Seconds()) {
      needed_.push_back(
          exchange_gradients(gradients_.last_share(), gradients_ready_.empty() ? all_needed() : gradients_ready_));
    }
    meet(Meeting::replicas, Dimension::dp, Phase::gradient_exchange, prices.gradient_exposed - prices.exchange_exposed,
         -1);
  }

  void sum_tied_weights() {
    const bool is_end = stage_ == 0 || stage_ == layout_.pp - 1;
    if (!is_end || step_.prices.tied_exchange.time <= Seconds()) return;
    last_ = exchange(Meeting::ends, Dimension::pp, Phase::gradient_exchange, step_.tied_exchange, -1, all_needed());
    needed_.clear();
  }

  OpId exchange_gradients(double share, std::vector<OpId> after) {
    const Collective what = part_of(step_.exchanges[static_cast<std::size_t>(stage_)], share);
    return exchange(meeting_of_states(layout_), Dimension::dp, Phase::gradient_exchange, what, -1, std::move(after));
  }

  /// Once in so many steps; here each has its part of it.
  void exchange_between_islands() {
    if (step_.outer_exchanges.empty()) return;
    for (const MeetingCollective& each : step_.outer_exchanges[static_cast<std::size_t>(stage_)]) {
      last_ = exchange(each.meeting, Dimension::dp, Phase::gradient_exchange, each.what, -1, all_needed());
      needed_.clear();
    }
  }

  void receive(const Task& task) {
    if (task.kind == Kind::forward && stage_ == 0 && task.chunk == 0 && task.microbatch > 0) {
      if (const OpId loaded = load(task.microbatch - 1); loaded.valid()) needed_.push_back(loaded);
    }
    const std::optional<StageMessage> message = messages_.into(task);
    if (!message) return;
    Op op = make_op(Stream::receive, Dimension::pp, phase_of(task), task.microbatch);
    op.action = Receive{message->neighbour, message->tag};
    needed_.push_back(program_.add(std::move(op)));
  }

  void send(const Task& task) {
    const std::optional<StageMessage> message = messages_.out_of(task);
    if (!message) return;
    Op op = make_op(Stream::send, Dimension::pp, phase_of(task), task.microbatch);
    op.after = all_needed();
    if (const Seconds beyond = messages_.beyond_wires(task); beyond > Seconds()) {
      op.action = Delay{beyond};
      program_.add(op);
      op.after.clear();  // the stream keeps the order
    }
    op.action = Send{message->neighbour, messages_.bytes(task), message->tag};
    const OpId sent = program_.add(std::move(op));
    if (step_.framework.blocking_transfers.value > 0.5) last_ = sent;
  }

  [[nodiscard]] static Phase phase_of(const Task& task) {
    return task.kind == Kind::forward ? Phase::forward : Phase::backward;
  }

  /// The loader's work on the micro-batch after this one, for which the next pass that takes one waits; invalid: none.
  OpId load(int microbatch) {
    if (step_.load <= Seconds()) return {};
    Op op = make_op(Stream::receive, Dimension::dp, Phase::input, microbatch);
    op.action = Delay{step_.load};
    return program_.add(std::move(op));
  }

  const HybridStep& step_;
  Program& program_;
  HybridGroups& groups_;
  const Layout& layout_;
  RankId rank_;
  int stage_, replica_, microbatches_;
  StageMessages messages_;
  GradientTiming gradients_;
  Slowness slowness_;
  OpId last_;                          // operation that the next one waits for
  std::vector<OpId> needed_;           // messages, data and exchanges that the next one waits for, too
  OpId host_;                          // that the pass waits for; invalid: the host is not late
  std::vector<OpId> gradients_ready_;  // none: with the last pass
};

}  // namespace

void write_hybrid_step(const HybridStep& step, Program& program) {
  HybridGroups groups(step.options.layout, step.ranks, program);
  for (std::size_t rank = 0; rank < step.ranks.count(); ++rank) {
    RankWriter(step, program, groups, RankId(rank)).write();
  }
}

}  // namespace orrery
