// The rounds of micro-batches that a replay of a pipeline leaves out.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "models/layouts/pipeline_replay.hpp"

namespace orrery {
namespace {

/// Of every stage, for pp micro-batches.
std::size_t tasks_per_round(const Layout& layout) {
  const int each = splits_backward(layout.schedule) ? 3 : 2;
  return static_cast<std::size_t>(layout.pp * layout.interleave * each);
}

bool are_alike(const std::vector<double>& one, const std::vector<double>& other, double within) {
  return std::ranges::equal(one, other, [&](double a, double b) { return std::abs(a - b) <= within; });
}

}  // namespace

std::size_t PipelineReplay::leading_stage() const {
  const bool comes_back =
      std::all_of(chunks_->begin(), chunks_->end() - 1, [](const StageTime& chunk) { return chunk.returned > 0; });
  return comes_back ? 0 : stages_.size() - 1;
}

void PipelineReplay::end_round() {
  const std::size_t round = tasks_per_round(*layout_);
  if (stages_[leading_].done % round != 0) return;
  constexpr std::size_t rounds_compared = 4, rounds_of_a_pace = 4;
  constexpr double rounding = 1e-9;  // of a round
  rounds_.push_back({now_, {}});
  write_state(rounds_.back().state);
  const std::size_t last = rounds_.size() - 1;
  for (std::size_t back = 1; back <= std::min(last, rounds_compared); ++back) {
    const RoundEnd& then = rounds_[last - back];
    if (!are_alike(then.state, rounds_.back().state, rounding * (now_ - then.when))) continue;
    const std::size_t times = repetitions(back * round);
    if (times > 0) return leave_out(times * back * round, static_cast<double>(times) * (now_ - then.when));
  }
  if (tasks_done_ < most_tasks || last < rounds_of_a_pace) return;
  const std::size_t times = repetitions(round);
  const std::size_t middle = last / 2, behind = last - middle;
  const double pace = (now_ - rounds_[middle].when) / static_cast<double>(behind);
  if (times > 0) leave_out(times * round, static_cast<double>(times) * pace);
}

double PipelineReplay::wait_for_data() const {
  return loads_end_ + load_ - now_;
}

void PipelineReplay::write_state(std::vector<double>& state) const {
  const auto done = static_cast<double>(stages_[leading_].done);
  // Data of a whole round that are there are never waited for in the next.
  if (load_ > 0) state.push_back(std::max(wait_for_data(), -load_ * layout_->pp));
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    const Stage& here = stages_[stage];
    state.insert(state.end(), {static_cast<double>(here.done) - done, static_cast<double>(here.sent) - done,
                               static_cast<double>(here.arrived[0] - here.received[0]),
                               static_cast<double>(here.arrived[1] - here.received[1]),
                               is_computing(stage) ? ends_.at(stage) - now_ : -1.0});
    if (!is_sending(stage)) continue;
    const Message& message = here.message;
    state.insert(state.end(), {ends_.at(message_of(stage)) - now_,
                               static_cast<double>(2 * message.to) + (message.kind == Task::Kind::forward ? 0.0 : 1.0),
                               message.is_on_wire ? message.sharing : 0.0});
  }
}

std::size_t PipelineReplay::repetitions(std::size_t tasks) const {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const Stage& here : stages_) {
    std::size_t at = here.sent;  // what is done and not sent yet must be the same, too
    const auto repeats = [&] {
      const Task &task = here.tasks[at], &later = here.tasks[at + tasks];
      return task.kind == later.kind && task.chunk == later.chunk;
    };
    while (at + tasks < here.tasks.size() && repeats()) ++at;
    least = std::min(least, at > here.done ? (at - here.done) / tasks : 0);
  }
  return least;
}

void PipelineReplay::leave_out(std::size_t tasks, double seconds) {
  if (load_ > 0) {
    const auto begin = stages_.front().tasks.cbegin() + static_cast<std::ptrdiff_t>(stages_.front().done);
    const auto takes = [this](const Task& task) { return takes_data(0, task); };
    loads_end_ += load_ * static_cast<double>(std::count_if(begin, begin + static_cast<std::ptrdiff_t>(tasks), takes));
  }
  for (Stage& stage : stages_) {
    stage.done += tasks, stage.sent += tasks;
    stage.message.since += seconds;
  }
  ends_.delay(seconds);
  now_ += seconds;
  rounds_.clear();
}

}  // namespace orrery
