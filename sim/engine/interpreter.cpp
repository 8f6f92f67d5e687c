#include "sim/engine/interpreter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>

#include "sim/base/contract.hpp"
#include "sim/base/text.hpp"

namespace orrery {

namespace {

std::vector<std::pair<std::uint32_t, std::uint32_t>> waits(const Program& program) {
  const std::vector<OpId> before = stream_predecessors(program);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;
  for (std::uint32_t i = 0; i < program.ops().size(); ++i) {
    for (const OpId other : program.ops()[i].after) edges.emplace_back(other.index(), i);
    if (before[i].valid()) edges.emplace_back(before[i].index(), i);
  }
  return edges;
}

Activity planned(const Op& op) {
  Activity activity;
  activity.rank = op.rank;
  activity.stream = op.stream;
  activity.dimension = op.dimension;
  activity.phase = op.phase;
  activity.layer = op.layer;
  activity.microbatch = op.microbatch;
  if (const auto* compute = std::get_if<Compute>(&op.action)) activity.flops = compute->flops;
  if (const auto* send = std::get_if<Send>(&op.action)) {
    activity.bytes = send->bytes;
    activity.peer = send->to;
  }
  if (const auto* receive = std::get_if<Receive>(&op.action)) activity.peer = receive->from;
  return activity;
}

}  // namespace

Interpreter::Interpreter(const Program& program, Kernel& kernel, const std::vector<DeviceId>& hosts,
                         const EngineOptions& options)
    : program_(program),
      kernel_(kernel),
      hosts_(hosts),
      options_(options),
      plans_(plan_collectives(program, kernel.platform(), hosts, options)),
      messages_(match_messages(program)),
      later_(program.ops().size(), waits(program)),
      waiting_(program.ops().size(), 0),
      has_ended_(program.ops().size(), 0),
      meetings_(program.collectives().size()),
      place_(program.ranks(), 0) {
  ORRERY_EXPECT(hosts.size() == program.ranks());
  ORRERY_EXPECT(messages_.unmatched.empty());
  activities_.reserve(program.ops().size());
  for (std::size_t i = 0; i < program.ops().size(); ++i) {
    activities_.push_back(planned(program.ops()[i]));
    for (const auto* next = later_.begin(i); next != later_.end(i); ++next) ++waiting_[*next];
  }
}

Records Interpreter::run() {
  const std::uint64_t flows_before = kernel_.flows_started();
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (waiting_[i] == 0) ready_.emplace_back(i);
  }
  begin_all_ready();
  kernel_.run();
  if (ended_ < activities_.size()) throw std::runtime_error(stuck());
  Records records;
  for (const Activity& activity : activities_) records.makespan = std::max(records.makespan, activity.end);
  records.ranks = program_.ranks();
  records.activities = std::move(activities_);
  records.links = kernel_.link_use();
  records.fidelity = plans_.fidelity;
  records.messages = kernel_.flows_started() - flows_before;
  return records;
}

/// A list instead of calls: an operation that ends at once makes others ready, and chains of them can be long.
void Interpreter::begin_all_ready() {
  // NOLINTNEXTLINE(modernize-loop-convert): the list grows while it is walked
  for (std::size_t i = 0; i < ready_.size(); ++i) begin(ready_[i]);
  ready_.clear();
}

void Interpreter::begin(OpId id) {
  Activity& activity = activities_[id.index()];
  activity.ready = activity.start = kernel_.now();
  const Action& action = program_.op(id).action;
  const DeviceId host = hosts_[activity.rank.index()];
  if (const auto* compute = std::get_if<Compute>(&action)) {
    kernel_.compute(host, compute->duration, [this, id](Outcome outcome) { work_ended(id, outcome); });
  } else if (const auto* send = std::get_if<Send>(&action)) {
    kernel_.flow(host, hosts_[send->to.index()], send->bytes,
                 [this, id](Outcome outcome) { message_ended(id, outcome); });
  } else if (std::holds_alternative<Receive>(action)) {
    begin_receive(id);
  } else if (const auto* delay = std::get_if<Delay>(&action)) {
    kernel_.after(delay->duration, [this, id] { work_ended(id, Outcome::done); });
  } else {
    arrive(id, std::get<CollectiveCall>(action).collective);
  }
}

void Interpreter::work_ended(OpId id, Outcome outcome) {
  if (outcome == Outcome::failed) {
    ++failures_;
    return;
  }
  end(id);
  begin_all_ready();
}

void Interpreter::message_ended(OpId id, Outcome outcome) {
  if (outcome == Outcome::failed) {
    ++failures_;
    return;
  }
  const OpId receive = messages_.partner[id.index()];
  const std::uint32_t before_receive = waiting_[receive.index()];
  end(id);
  if (before_receive == 0) begin_receive(receive);  // it has begun and waits for this message alone
  begin_all_ready();
}

/// Ends the Receive if its message is there; else the message will.
void Interpreter::begin_receive(OpId id) {
  const OpId send = messages_.partner[id.index()];
  if (!has_ended_[send.index()]) return;
  Activity& activity = activities_[id.index()];
  activity.start = std::max(activity.ready, activities_[send.index()].start);
  end(id);
}

void Interpreter::arrive(OpId id, CollectiveId collective) {
  Meeting& meeting = meetings_[collective.index()];
  meeting.arrived.push_back(id);
  if (meeting.arrived.size() == program_.group(program_.collective(collective).group).size()) start(collective);
}

void Interpreter::start(CollectiveId id) {
  const Collective& collective = program_.collective(id);
  const std::vector<RankId>& group = program_.group(collective.group);
  std::vector<DeviceId> hosts;
  for (std::size_t i = 0; i < group.size(); ++i) {
    hosts.push_back(hosts_[group[i].index()]);
    place_[group[i].index()] = i;
  }
  // By an event of its own: the run has returned by then and can be dropped.
  auto done = [this, id] { kernel_.after(Seconds(), [this, id] { collective_ended(id); }); };
  if (collective.algorithm == Algorithm::library) {
    start_library(id, std::move(hosts), std::move(done));
  } else {
    start_schedule(id, std::move(hosts), std::move(done));
  }
}

/// `sent`: by place in the group.
void Interpreter::record_start(const Meeting& meeting, const std::vector<Bytes>& sent) {
  for (const OpId op : meeting.arrived) {
    Activity& activity = activities_[op.index()];
    activity.start = kernel_.now();
    activity.bytes = sent[place_[activity.rank.index()]];
  }
}

void Interpreter::start_schedule(CollectiveId id, std::vector<DeviceId> members, std::function<void()> done) {
  Meeting& meeting = meetings_[id.index()];
  record_start(meeting, sent_in(id));
  meeting.run = std::make_unique<CollectiveRun>(plans_.plans[id.index()], program_.collective(id).bytes,
                                                std::move(members), kernel_, std::move(done));
  meeting.run->start();
}

void Interpreter::start_library(CollectiveId id, std::vector<DeviceId> members, std::function<void()> done) {
  Meeting& meeting = meetings_[id.index()];
  const LibraryMoves& moves = program_.collective(id).library;
  std::vector<LibraryTargets> targets =
      library_targets(kernel_.platform(), members, moves.reach, next_node(program_.collective(id).kind));
  std::vector<Bytes> sent;
  sent.reserve(targets.size());
  for (const LibraryTargets& target : targets) sent.push_back(library_bytes(moves, target));
  record_start(meeting, sent);
  meeting.library =
      std::make_unique<LibraryRun>(moves, std::move(members), std::move(targets), kernel_, std::move(done));
  meeting.library->start();
}

const std::vector<Bytes>& Interpreter::sent_in(CollectiveId id) {
  const CollectivePlan* plan = plans_.plans[id.index()].get();
  const Bytes bytes = program_.collective(id).bytes;
  const auto [place, fresh] = sent_.try_emplace({plan, bytes});
  if (fresh) place->second = bytes_sent(plan->schedule(), bytes);
  return place->second;
}

void Interpreter::collective_ended(CollectiveId id) {
  Meeting& meeting = meetings_[id.index()];
  for (const OpId op : meeting.arrived) end(op);
  meeting.run.reset();
  meeting.library.reset();
  begin_all_ready();
}

void Interpreter::end(OpId id) {
  activities_[id.index()].end = kernel_.now();
  has_ended_[id.index()] = 1;
  for (const auto* next = later_.begin(id.index()); next != later_.end(id.index()); ++next) {
    if (--waiting_[*next] == 0) ready_.emplace_back(*next);
  }
  ++ended_;
  const std::size_t stride = std::max<std::size_t>(1, activities_.size() / 100);
  if (options_.progress && (ended_ % stride == 0 || ended_ == activities_.size())) {
    options_.progress(static_cast<double>(ended_) / static_cast<double>(activities_.size()));
  }
}

std::string Interpreter::stuck() const {
  constexpr std::size_t most = 5;
  std::uint64_t failures = failures_;
  for (const Meeting& meeting : meetings_) {
    failures += meeting.run ? meeting.run->failures() : 0;
    failures += meeting.library ? meeting.library->failures() : 0;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < has_ended_.size() && names.size() < most; ++i) {
    if (!has_ended_[i]) names.push_back(describe(program_, OpId(i)));
  }
  const std::size_t left = has_ended_.size() - ended_;
  std::string text = fmt::format("{} of {} operations never ended", left, has_ended_.size());
  if (failures > 0) text += fmt::format(", after {} failed flows and works", failures);
  text += ": " + join(names, ", ");
  return left > most ? text + fmt::format(" and {} more", left - most) : text;
}

Records run_program(const Program& program, Kernel& kernel, const std::vector<DeviceId>& hosts,
                    const EngineOptions& options) {
  return Interpreter(program, kernel, hosts, options).run();
}

}  // namespace orrery
