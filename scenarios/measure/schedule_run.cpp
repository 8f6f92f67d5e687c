#include "scenarios/measure/schedule_run.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

std::int32_t index_of(const std::vector<int>& members, int rank) {
  const auto found = std::find(members.begin(), members.end(), rank);
  ORRERY_EXPECT(found != members.end());
  return static_cast<std::int32_t>(found - members.begin());
}

void apply(Arrival arrival, std::span<const float> numbers, std::span<float> place) {
  if (arrival == Arrival::copy) {
    std::copy(numbers.begin(), numbers.end(), place.begin());
    return;
  }
  const float* __restrict from = numbers.data();
  float* __restrict to = place.data();
  for (std::size_t i = 0; i < place.size(); ++i) to[i] += from[i];
}

}  // namespace

ScheduleRun::ScheduleRun(const Schedule& schedule, std::vector<int> members, std::size_t numbers, int tag,
                         Communicator& communicator)
    : members_(std::move(members)),
      numbers_(numbers),
      tag_(tag),
      communicator_(communicator),
      steps_(steps_of(schedule, index_of(members_, communicator.rank()), numbers)),
      scratch_(scratch_numbers(steps_)),
      at_(steps_.size()) {
  ORRERY_EXPECT(members_.size() == static_cast<std::size_t>(schedule.ranks));
}

void ScheduleRun::start(std::span<float> buffer) {
  ORRERY_EXPECT(at_ == steps_.size() && buffer.size() == numbers_);
  buffer_ = buffer;
  at_ = 0;
  if (at_ < steps_.size()) begin_step();
}

bool ScheduleRun::advance() {
  while (at_ < steps_.size()) {
    if (!arrived()) return false;
    end_step();
    if (++at_ < steps_.size()) begin_step();
  }
  return true;
}

void ScheduleRun::finish() {
  while (!advance()) continue;
}

Bytes ScheduleRun::bytes_sent() const {
  double numbers = 0;
  for (const RankStep& step : steps_) {
    for (const Piece& piece : step.sends) numbers += static_cast<double>(piece.count);
  }
  return Bytes(numbers * sizeof(float));
}

/// Receptions first: a message whose place is known takes the shorter way.
void ScheduleRun::begin_step() {
  const RankStep& step = steps_[at_];
  tickets_.clear();
  for (const ArrivingPiece& arrival : step.arrivals) {
    const Piece& piece = arrival.piece;
    const std::span<float> into = arrival.into == ArrivingPiece::Into::place
                                      ? buffer_.subspan(piece.first, piece.count)
                                      : std::span<float>(scratch_).subspan(arrival.beside, piece.count);
    tickets_.push_back(communicator_.receive(into, members_[static_cast<std::size_t>(piece.peer)], tag_));
  }
  for (const Piece& piece : step.sends) {
    tickets_.push_back(communicator_.send(buffer_.subspan(piece.first, piece.count),
                                          members_[static_cast<std::size_t>(piece.peer)], tag_));
  }
}

void ScheduleRun::end_step() {
  for (const ArrivingPiece& arrival : steps_[at_].arrivals) {
    if (arrival.into == ArrivingPiece::Into::place) continue;
    const Piece& piece = arrival.piece;
    apply(arrival.arrival, std::span<const float>(scratch_).subspan(arrival.beside, piece.count),
          buffer_.subspan(piece.first, piece.count));
  }
}

bool ScheduleRun::arrived() {
  bool all = true;
  for (Ticket& ticket : tickets_) all = communicator_.done(ticket) && all;
  return all;
}

}  // namespace orrery
