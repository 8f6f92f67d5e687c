#include "scenarios/measure/group_exchange.hpp"

#include <algorithm>
#include <numeric>

namespace orrery {
namespace {

constexpr int exchange_tag = 1;

}  // namespace

GroupExchange::GroupExchange(const RealJob& job)
    : job_(job), members_(static_cast<std::size_t>(job.job.strategy.devices)) {
  std::iota(members_.begin(), members_.end(), 0);
}

void GroupExchange::describe(Phase phase, LayerId layer, int microbatch) {
  what_ = Activity();
  what_.stream = Stream::collective;
  what_.dimension = Dimension::tp;
  what_.phase = phase;
  what_.layer = layer;
  what_.microbatch = microbatch;
}

void GroupExchange::all_gather(const SplitLayout& layout, std::span<const float> own, std::span<float> whole) {
  constexpr auto kind = CollectiveKind::all_gather;
  by_device_.resize(whole.size());
  std::copy(own.begin(), own.end(), piece(kind, rank(), own.size()).begin());
  run(kind, by_device_);
  for (std::size_t device = 0; device < members_.size(); ++device) {
    layout.put(piece(kind, device, own.size()), device, whole);
  }
}

void GroupExchange::reduce_scatter(const SplitLayout& layout, std::span<const float> whole, Update update,
                                   std::span<float> own) {
  constexpr auto kind = CollectiveKind::reduce_scatter;
  by_device_.resize(whole.size());
  for (std::size_t device = 0; device < members_.size(); ++device) {
    layout.pick(whole, device, Update::overwrite, piece(kind, device, own.size()));
  }
  run(kind, by_device_);
  const std::span<const float> sum = piece(kind, rank(), own.size());
  const auto join = [update](float a, float b) { return update == Update::add ? a + b : a; };
  std::transform(sum.begin(), sum.end(), own.begin(), own.begin(), join);
}

/// Where a rank's part lies in the buffer of the collective.
std::span<float> GroupExchange::piece(CollectiveKind kind, std::size_t of, std::size_t each) {
  const Schedule& schedule = run_of(kind, by_device_.size()).schedule;
  const std::size_t home = schedule.home.empty() ? of : static_cast<std::size_t>(schedule.home[of]);
  return std::span<float>(by_device_).subspan(home * each, each);
}

GroupExchange::Run& GroupExchange::run_of(CollectiveKind kind, std::size_t numbers) {
  const auto found = runs_.find({kind, numbers});
  if (found != runs_.end()) return found->second;
  const GroupShape shape{.ranks = static_cast<std::int32_t>(members_.size()),
                         .ranks_per_node = job_.job.cluster.description.devices_per_node};
  const Schedule schedule = make_schedule(kind, job_.job.strategy.collective, shape);
  ScheduleRun run(schedule, members_, numbers, exchange_tag, job_.communicator);
  return runs_.emplace(std::pair{kind, numbers}, Run{schedule, std::move(run)}).first->second;
}

void GroupExchange::run(CollectiveKind kind, std::span<float> numbers) {
  ScheduleRun& schedule_run = run_of(kind, numbers.size()).run;
  what_.ready = what_.start = job_.recorder.now();
  what_.bytes = schedule_run.bytes_sent();
  const std::size_t activity = job_.recorder.open(what_);
  schedule_run.start(numbers);
  schedule_run.finish();
  job_.recorder.close(activity, job_.recorder.now());
}

}  // namespace orrery
