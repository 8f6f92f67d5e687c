#include "models/layouts/pipeline_replay.hpp"

#include <algorithm>
#include <bit>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using Kind = Task::Kind;

std::size_t way(Kind kind) {
  return kind == Kind::forward ? 0 : 1;
}

Seconds time_of(const StageTime& chunk, Kind kind) {
  switch (kind) {
    case Kind::forward:
      return chunk.forward;
    case Kind::backward:
      return chunk.backward;
    case Kind::weights:
      break;
  }
  return chunk.weights;
}

constexpr std::size_t answers_kept = 8;  // a search asks the same for layouts that share states differently

}  // namespace

std::vector<PipelineHop> hops_of_own_ports(const Layout& layout, Seconds beside, Seconds wire) {
  const auto stages = static_cast<std::size_t>(layout.pp);
  std::vector<PipelineHop> hops(layout.interleave > 1 ? stages : stages - 1);
  for (std::size_t stage = 0; stage < hops.size(); ++stage) hops[stage] = {beside, wire, stage, (stage + 1) % stages};
  return hops;
}

Seconds slowest_of(const std::vector<PipelineHop>& hops) {
  Seconds most;
  for (const PipelineHop& hop : hops) most = std::max(most, hop.total());
  return most;
}

std::vector<Seconds> totals_of(const std::vector<PipelineHop>& hops) {
  std::vector<Seconds> totals;
  for (const PipelineHop& hop : hops) totals.push_back(hop.total());
  return totals;
}

double slow_message(const Layout& layout, double waiting) {
  if (layout.schedule == PipelineSchedule::zero_bubble) return 0.01;
  return layout.interleave > 1 && waiting > 0 ? 0.04 : 0.1;
}

bool has_slow_messages(const std::vector<StageTime>& chunks, const std::vector<PipelineHop>& hops, const Layout& layout,
                       double waiting) {
  Seconds shortest = chunks.front().forward;
  for (const StageTime& chunk : chunks) shortest = std::min({shortest, chunk.forward, chunk.backward});
  return slowest_of(hops) > shortest * slow_message(layout, waiting);
}

bool has_unlike_chunks(const std::vector<StageTime>& chunks, const Layout& layout) {
  if (layout.interleave == 1) return false;
  StageTime least = chunks[1], most = chunks[1];  // of those inside
  for (std::size_t i = 2; i + 1 < chunks.size(); ++i) {
    least.forward = std::min(least.forward, chunks[i].forward);
    least.backward = std::min(least.backward, chunks[i].backward);
    most.forward = std::max(most.forward, chunks[i].forward);
    most.backward = std::max(most.backward, chunks[i].backward);
  }
  const auto above = [](Seconds time, double share, Seconds other) { return time > other * (1 + share); };
  const Seconds first = chunks.front().total();
  double shorter = layout.pp == 2 ? shorter_last : 1.0;
  if (above(first, alike_chunks, least.total())) shorter = alike_chunks;
  const StageTime& last = chunks.back();
  return above(most.forward, alike_chunks, least.forward) || above(most.backward, alike_chunks, least.backward) ||
         above(first, longer_first, least.total()) || last.forward < least.forward * (1 - shorter) ||
         last.backward < least.backward * (1 - shorter);
}

void Ends::delay(double seconds) {
  for (double& time : times_) time += seconds;  // never stays what it is
}

void Ends::clear(std::size_t count) {
  const std::size_t places = std::bit_ceil(std::max<std::size_t>(2, count));
  times_.assign(places, never);
  winners_.resize(2 * places);
  for (std::size_t i = 0; i < places; ++i) winners_[places + i] = static_cast<std::uint32_t>(i);
  for (std::size_t match = places - 1; match > 0; --match) winners_[match] = winner_of(match);
}

Seconds PipelineReplay::time(const std::vector<StageTime>& chunks, const std::vector<PipelineHop>& hops,
                             const Layout& layout, int microbatches, double waiting, Seconds load) {
  ORRERY_EXPECT(chunks.size() == static_cast<std::size_t>(layout.pp * layout.interleave));
  ORRERY_EXPECT(hops.size() == static_cast<std::size_t>(layout.interleave > 1 ? layout.pp : layout.pp - 1));
  chunks_ = &chunks, hops_ = &hops, layout_ = &layout, load_ = load.value();
  write_question(microbatches, waiting);
  tasks_replayed_ = 0;
  for (const Answer& answer : answers_) {
    if (answer.question == question_) return answer.time;
  }
  double sum = 0;
  if (waiting < 1) sum += replay(microbatches, Sending::beside) * (1.0 - waiting);
  if (waiting > 0) sum += replay(microbatches, Sending::waits) * waiting;
  if (answers_.size() < answers_kept) answers_.resize(answers_.size() + 1);
  answers_[oldest_answer_] = {question_, Seconds(sum)};
  oldest_answer_ = (oldest_answer_ + 1) % answers_kept;
  return Seconds(sum);
}

void PipelineReplay::write_question(int microbatches, double waiting) {
  question_.assign({static_cast<double>(layout_->schedule), static_cast<double>(layout_->pp),
                    static_cast<double>(layout_->interleave), static_cast<double>(microbatches), waiting, load_});
  for (const StageTime& chunk : *chunks_) {
    question_.insert(question_.end(),
                     {chunk.forward.value(), chunk.backward.value(), chunk.weights.value(), chunk.returned});
  }
  for (const PipelineHop& hop : *hops_) {
    question_.insert(question_.end(), {hop.beside.value(), hop.wire.value(), static_cast<double>(hop.port),
                                       static_cast<double>(hop.next_port)});
  }
}

void PipelineReplay::prepare(int microbatches) {
  const auto count = static_cast<std::size_t>(layout_->pp);
  now_ = 0, tasks_done_ = 0, loads_end_ = -load_;
  rounds_.clear();
  stages_.resize(count);
  leading_ = leading_stage();
  ends_.clear(2 * count);
  going_.assign(2 * count, 0), coming_.assign(2 * count, 0);
  for (std::size_t stage = 0; stage < count; ++stage) {
    Stage& here = stages_[stage];
    write_task_order(layout_->schedule, static_cast<int>(stage), layout_->pp, microbatches, layout_->interleave,
                     here.tasks);
    here.done = here.sent = 0;
    here.arrived[0] = here.arrived[1] = here.received[0] = here.received[1] = 0;
    here.message = {};
  }
}

double PipelineReplay::replay(int microbatches, Sending sending) {
  sending_ = sending;
  prepare(microbatches);
  const std::size_t count = stages_.size();
  for (std::size_t stage = 0; stage < count; ++stage) begin_task(stage);
  while (true) {
    const std::size_t at = ends_.first();
    if (!ends_.is_under_way(at)) break;
    now_ = ends_.at(at);
    if (at < count) {
      end_task(at);
    } else if (stages_[at - count].message.is_on_wire) {
      arrive(at - count);
    } else {
      enter_wire(at - count);
    }
  }
  for (const Stage& stage : stages_) ORRERY_EXPECT(stage.done == stage.tasks.size());
  tasks_replayed_ += tasks_done_;
  return now_;
}

std::size_t PipelineReplay::chunk_of(std::size_t stage, const Task& task) const {
  return static_cast<std::size_t>(task.chunk) * stages_.size() + stage;
}

bool PipelineReplay::needs_message(std::size_t stage, const Task& task) const {
  const std::size_t chunk = chunk_of(stage, task);
  if (task.kind == Kind::forward) return chunk > 0;
  return task.kind == Kind::backward && chunk + 1 < chunks_->size() && (*chunks_)[chunk].returned > 0;
}

bool PipelineReplay::takes_data(std::size_t stage, const Task& task) const {
  return task.kind == Kind::forward && chunk_of(stage, task) == 0;
}

double PipelineReplay::share_sent(std::size_t chunk, Kind kind) const {
  if (kind == Kind::forward) return chunk + 1 < chunks_->size() ? 1.0 : 0.0;
  return kind == Kind::backward && chunk > 0 ? (*chunks_)[chunk - 1].returned : 0.0;
}

void PipelineReplay::begin_task(std::size_t stage) {
  Stage& here = stages_[stage];
  if (is_computing(stage) || here.done == here.tasks.size()) return;
  if (sending_ == Sending::waits && is_sending(stage)) return;
  const Task& task = here.tasks[here.done];
  if (needs_message(stage, task)) {
    // Messages of one kind come in the order of the tasks that they are for.
    if (here.arrived[way(task.kind)] == here.received[way(task.kind)]) return;
    ++here.received[way(task.kind)];
  }
  double start = now_;
  if (load_ > 0 && takes_data(stage, task)) start = std::max(start, loads_end_ += load_);
  ends_.set(stage, start + time_of((*chunks_)[chunk_of(stage, task)], task.kind).value());
}

void PipelineReplay::end_task(std::size_t stage) {
  ends_.set(stage, Ends::never);
  ++stages_[stage].done, ++tasks_done_;
  send_next(stage);
  begin_task(stage);
  if (stage == leading_ && replayed_rounds_ == ReplayedRounds::unlike) end_round();
}

void PipelineReplay::send_next(std::size_t stage) {
  Stage& here = stages_[stage];
  const std::size_t count = stages_.size(), before = (stage + count - 1) % count, after = (stage + 1) % count;
  for (; !is_sending(stage) && here.sent < here.done; ++here.sent) {
    const Task& task = here.tasks[here.sent];
    const double share = share_sent(chunk_of(stage, task), task.kind);
    if (share <= 0) continue;
    const bool is_forward = task.kind == Kind::forward;
    const PipelineHop& hop = (*hops_)[is_forward ? stage : before];
    here.message = {task.kind, is_forward ? after : before, is_forward ? hop.port : hop.next_port,
                    is_forward ? hop.next_port : hop.port};
    here.message.left = hop.wire.value() * share;
    ends_.set(message_of(stage), now_ + hop.beside.value());
  }
}

void PipelineReplay::enter_wire(std::size_t stage) {
  Message& message = stages_[stage].message;
  message.is_on_wire = true;
  message.since = now_;
  ++going_[message.out], ++coming_[message.in];
  if (going_[message.out] + coming_[message.in] > 2) return share_again(message.out, message.in);
  message.sharing = 1;
  ends_.set(message_of(stage), now_ + message.left);
}

void PipelineReplay::arrive(std::size_t stage) {
  const Message message = stages_[stage].message;
  stages_[stage].message.is_on_wire = false;
  ends_.set(message_of(stage), Ends::never);
  --going_[message.out], --coming_[message.in];
  if (going_[message.out] + coming_[message.in] > 0) share_again(message.out, message.in);
  ++stages_[message.to].arrived[way(message.kind)];
  begin_task(message.to);
  send_next(stage);
  begin_task(stage);
}

void PipelineReplay::share_again(std::size_t out, std::size_t in) {
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    Message& message = stages_[stage].message;
    if (!message.is_on_wire || (message.out != out && message.in != in)) continue;
    message.left = std::max(0.0, message.left - (now_ - message.since) / message.sharing);
    message.since = now_;
    message.sharing = std::max(going_[message.out], coming_[message.in]);
    ends_.set(message_of(stage), now_ + message.left * message.sharing);
  }
}

}  // namespace orrery
