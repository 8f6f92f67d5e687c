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
  list_sends();
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
    ++parts_[edge.from_part].sends;
  }
}

void CollectivePlan::list_sends() {
  std::uint32_t sends = 0;
  for (Part& part : parts_) {
    part.first_send = sends;
    sends += part.sends;
    part.first_counter = static_cast<std::uint32_t>(counters_.size());
    counters_.insert(counters_.end(), static_cast<std::size_t>(segments_of(part.round)), part.transfers);
  }
  send_order_.resize(sends);
  std::vector<std::uint32_t> next(parts_.size(), 0);
  for (std::uint32_t edge = 0; edge < edges_.size(); ++edge) {
    const std::uint32_t part = edges_[edge].from_part;
    send_order_[parts_[part].first_send + next[part]++] = edge;
  }
}

CollectiveRun::CollectiveRun(std::shared_ptr<const CollectivePlan> plan, Bytes bytes, std::vector<DeviceId> hosts,
                             Kernel& kernel, std::function<void()> done)
    : plan_(std::move(plan)),
      bytes_(bytes),
      hosts_(std::move(hosts)),
      kernel_(kernel),
      done_(std::move(done)),
      left_(plan_->counters()),
      unfinished_(plan_->schedule().ranks) {
  ORRERY_EXPECT(hosts_.size() == static_cast<std::size_t>(unfinished_));
  for (std::int32_t rank = 0; rank < unfinished_; ++rank) positions_.push_back({plan_->first_part(rank), 0});
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
    if (plan_->first_part(rank) != plan_->first_part(rank + 1)) begin(rank);
  }
}

/// The rank enters the segment at its position: it sends all that it has to send in it.
void CollectiveRun::begin(std::int32_t rank) {
  const Position at = positions_[static_cast<std::size_t>(rank)];
  const CollectivePlan::Part& part = plan_->parts()[at.part];
  for (std::uint32_t i = 0; i < part.sends; ++i) launch(plan_->send(part.first_send + i), at.segment);
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
               [this, edge, segment](Outcome outcome) { ended(edge, segment, outcome); });
}

void CollectiveRun::ended(std::uint32_t edge, std::int32_t segment, Outcome outcome) {
  if (outcome == Outcome::failed) {
    ++failures_;
    return;
  }
  const CollectivePlan::Edge& entry = plan_->edges()[edge];
  count_down(entry.transfer.from, entry.from_part, segment);
  count_down(entry.transfer.to, entry.to_part, segment);
}

/// What arrives before the rank has come to that segment is counted all the same: the bytes lie ready for it.
void CollectiveRun::count_down(std::int32_t rank, std::uint32_t part, std::int32_t segment) {
  const Position at = positions_[static_cast<std::size_t>(rank)];
  const std::size_t counter = plan_->parts()[part].first_counter + static_cast<std::size_t>(segment);
  if (--left_[counter] == 0 && at.part == part && at.segment == segment) advance(rank);
}

void CollectiveRun::advance(std::int32_t rank) {
  Position& at = positions_[static_cast<std::size_t>(rank)];
  const auto ended_here = [&] {
    return left_[plan_->parts()[at.part].first_counter + static_cast<std::size_t>(at.segment)] == 0;
  };
  while (ended_here()) {
    if (++at.segment == plan_->segments_of(plan_->parts()[at.part].round)) {
      at.segment = 0;
      ++at.part;
    }
    if (at.part == plan_->first_part(rank + 1)) {
      if (--unfinished_ == 0) done_();
      return;
    }
    begin(rank);
  }
}

}  // namespace orrery
