#include "sim/engine/collective_run.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {

CollectivePlan::CollectivePlan(Schedule schedule, std::int32_t segments)
    : schedule_(std::move(schedule)), segments_(segments) {
  ORRERY_EXPECT(segments >= 1);
  list_edges();
  list_parts();
  list_transfers();
}

std::int32_t CollectivePlan::segments_of(std::int32_t round) const {
  return std::min(schedule_.rounds[static_cast<std::size_t>(round)].repeat, segments_);
}

std::int32_t CollectivePlan::segment_begin(std::int32_t round, std::int32_t segment) const {
  const std::int64_t repeat = schedule_.rounds[static_cast<std::size_t>(round)].repeat;
  return static_cast<std::int32_t>(repeat * segment / segments_of(round));
}

void CollectivePlan::list_edges() {
  for (std::int32_t round = 0; round < static_cast<std::int32_t>(schedule_.rounds.size()); ++round) {
    const Round& steps = schedule_.rounds[static_cast<std::size_t>(round)];
    exact_ = exact_ && steps.repeat <= segments_;
    for (const Transfer& transfer : steps.transfers) edges_.push_back({round, transfer, 0, 0});
  }
}

/// A rank has one part for every round in which it sends or receives. Edges come round by round, so the last part of a
/// rank is the one of the current round, or there is none yet.
void CollectivePlan::list_parts() {
  const auto ranks = static_cast<std::size_t>(schedule_.ranks);
  std::vector<std::int32_t> last_round(ranks, -1);
  std::vector<std::uint32_t> count(ranks, 0);
  const auto enter = [&](std::int32_t rank, std::int32_t round) {
    const auto index = static_cast<std::size_t>(rank);
    if (last_round[index] != round) ++count[index];
    last_round[index] = round;
    return count[index] - 1;
  };
  for (Edge& edge : edges_) {
    edge.from_part = enter(edge.transfer.from, edge.round);
    edge.to_part = enter(edge.transfer.to, edge.round);
  }
  first_part_.assign(ranks + 1, 0);
  for (std::size_t rank = 0; rank < ranks; ++rank) first_part_[rank + 1] = first_part_[rank] + count[rank];
  parts_.resize(first_part_.back());
  for (Edge& edge : edges_) {
    edge.from_part += first_part(edge.transfer.from);
    edge.to_part += first_part(edge.transfer.to);
    for (const std::uint32_t part : {edge.from_part, edge.to_part}) {
      parts_[part].round = edge.round;
      ++parts_[part].transfers;
    }
  }
}

void CollectivePlan::list_transfers() {
  std::uint32_t places = 0;
  for (Part& part : parts_) {
    part.first_transfer = places;
    places += part.transfers;
  }
  by_part_.resize(places);
  std::vector<std::uint32_t> next(parts_.size(), 0);
  for (std::uint32_t edge = 0; edge < edges_.size(); ++edge) {
    for (const std::uint32_t part : {edges_[edge].from_part, edges_[edge].to_part}) {
      by_part_[parts_[part].first_transfer + next[part]++] = edge;
    }
  }
}

CollectiveRun::CollectiveRun(std::shared_ptr<const CollectivePlan> plan, Bytes bytes, std::vector<DeviceId> hosts,
                             Kernel& kernel, std::function<void()> done)
    : plan_(std::move(plan)),
      bytes_(bytes),
      hosts_(std::move(hosts)),
      kernel_(kernel),
      done_(std::move(done)),
      left_(hosts_.size(), 0),
      unfinished_(plan_->schedule().ranks) {
  ORRERY_EXPECT(hosts_.size() == static_cast<std::size_t>(unfinished_));
  for (std::int32_t rank = 0; rank < unfinished_; ++rank) positions_.push_back({plan_->first_part(rank)});
}

void CollectiveRun::start() {
  const std::int32_t ranks = unfinished_;
  std::int32_t idle = 0;
  for (std::int32_t rank = 0; rank < ranks; ++rank) {
    if (plan_->first_part(rank) == plan_->first_part(rank + 1)) ++idle;
  }
  unfinished_ -= idle;
  if (unfinished_ == 0) {
    done_();
    return;
  }
  for (std::int32_t rank = 0; rank < ranks; ++rank) {
    if (plan_->first_part(rank) != plan_->first_part(rank + 1)) begin(rank, {plan_->first_part(rank), 0});
  }
}

/// The rank enters a segment. Whoever of the two ranks of a transfer enters last starts it; the other one cannot have
/// left the segment, because this transfer of it has not ended.
void CollectiveRun::begin(std::int32_t rank, Position at) {
  const CollectivePlan::Part& part = plan_->parts()[at.part];
  positions_[static_cast<std::size_t>(rank)] = at;
  left_[static_cast<std::size_t>(rank)] = part.transfers;
  for (std::uint32_t i = 0; i < part.transfers; ++i) {
    const std::uint32_t edge = plan_->edge(part.first_transfer + i);
    const CollectivePlan::Edge& entry = plan_->edges()[edge];
    const bool sends = entry.transfer.from == rank;
    const std::int32_t other = sends ? entry.transfer.to : entry.transfer.from;
    const Position meeting{sends ? entry.to_part : entry.from_part, at.segment};
    if (positions_[static_cast<std::size_t>(other)] == meeting) launch(edge, at.segment);
  }
}

void CollectiveRun::launch(std::uint32_t edge, std::int32_t segment) {
  const CollectivePlan::Edge& entry = plan_->edges()[edge];
  const std::int32_t first = plan_->segment_begin(entry.round, segment);
  const std::int32_t last = plan_->segment_begin(entry.round, segment + 1);
  const Schedule& schedule = plan_->schedule();
  const Round& round = schedule.rounds[static_cast<std::size_t>(entry.round)];
  kernel_.flow(hosts_[static_cast<std::size_t>(entry.transfer.from)],
               hosts_[static_cast<std::size_t>(entry.transfer.to)],
               transfer_bytes(schedule, round, entry.transfer, first, last, bytes_), last - first,
               [this, edge](Outcome outcome) { ended(edge, outcome); });
}

void CollectiveRun::ended(std::uint32_t edge, Outcome outcome) {
  if (outcome == Outcome::failed) {
    ++failures_;
    return;
  }
  const Transfer& transfer = plan_->edges()[edge].transfer;
  transfer_ended(transfer.from);
  transfer_ended(transfer.to);
}

void CollectiveRun::transfer_ended(std::int32_t rank) {
  if (--left_[static_cast<std::size_t>(rank)] == 0) advance(rank);
}

/// All transfers of the rank's segment have ended: on to the next one, if there is one.
void CollectiveRun::advance(std::int32_t rank) {
  Position at = positions_[static_cast<std::size_t>(rank)];
  if (++at.segment == plan_->segments_of(plan_->parts()[at.part].round)) at = {at.part + 1, 0};
  if (at.part < plan_->first_part(rank + 1)) {
    begin(rank, at);
    return;
  }
  positions_[static_cast<std::size_t>(rank)] = {at.part, -1};
  if (--unfinished_ == 0) done_();
}

}  // namespace orrery
