#include "scenarios/measure/schedule_steps.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// The runs of numbers that a transfer moves: one, or two when its chunks wrap around.
std::vector<Piece> pieces_of(const Schedule& schedule, std::int32_t first, std::int32_t count, int peer,
                             std::size_t numbers) {
  const auto piece = [&](std::int32_t begin, std::int32_t end) {
    const std::size_t from = chunk_run(numbers, schedule.chunks, begin).first;
    return Piece{peer, from, chunk_run(numbers, schedule.chunks, end - 1).end - from};
  };
  if (first + count <= schedule.chunks) return {piece(first, first + count)};
  return {piece(first, schedule.chunks), piece(0, first + count - schedule.chunks)};
}

bool overlaps(const Piece& a, const Piece& b) {
  return a.first < b.first + b.count && b.first < a.first + a.count;
}

/// Chooses where each arrival goes. Two arrivals may meet as well: both are then applied in order.
void place_arrivals(RankStep& step) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < step.arrivals.size(); ++i) {
    ArrivingPiece& arrival = step.arrivals[i];
    const auto meets = [&](const Piece& other) { return overlaps(arrival.piece, other); };
    const auto meets_arrival = [&](const ArrivingPiece& other) { return &other != &arrival && meets(other.piece); };
    const bool in_the_way = std::any_of(step.sends.begin(), step.sends.end(), meets) ||
                            std::any_of(step.arrivals.begin(), step.arrivals.end(), meets_arrival);
    if (arrival.arrival == Arrival::copy && !in_the_way) continue;
    arrival.into = ArrivingPiece::Into::scratch;
    arrival.beside = used;
    used += arrival.piece.count;
  }
}

RankStep step_of(const Schedule& schedule, const Round& round, std::int32_t repetition, std::int32_t member,
                 std::size_t numbers) {
  RankStep step;
  for (const Transfer& transfer : round.transfers) {
    if (transfer.from != member && transfer.to != member) continue;
    const std::int32_t first = first_chunk(schedule, round, transfer, repetition);
    const int peer = transfer.from == member ? transfer.to : transfer.from;
    for (const Piece& piece : pieces_of(schedule, first, transfer.chunk_count, peer, numbers)) {
      if (transfer.from == member) {
        step.sends.push_back(piece);
      } else {
        step.arrivals.push_back({piece, transfer.arrival});
      }
    }
  }
  place_arrivals(step);
  return step;
}

}  // namespace

ChunkRun chunk_run(std::size_t numbers, std::int32_t chunks, std::int32_t index) {
  const auto all = static_cast<std::size_t>(chunks), which = static_cast<std::size_t>(index);
  return {numbers * which / all, numbers * (which + 1) / all};
}

std::vector<RankStep> steps_of(const Schedule& schedule, std::int32_t member, std::size_t numbers) {
  ORRERY_EXPECT(member >= 0 && member < schedule.ranks);
  std::vector<RankStep> steps;
  for (const Round& round : schedule.rounds) {
    for (std::int32_t k = 0; k < round.repeat; ++k) {
      RankStep step = step_of(schedule, round, k, member, numbers);
      if (!step.sends.empty() || !step.arrivals.empty()) steps.push_back(std::move(step));
    }
  }
  return steps;
}

std::size_t scratch_numbers(const std::vector<RankStep>& steps) {
  std::size_t most = 0;
  for (const RankStep& step : steps) {
    std::size_t used = 0;
    for (const ArrivingPiece& arrival : step.arrivals) {
      if (arrival.into == ArrivingPiece::Into::scratch) used += arrival.piece.count;
    }
    most = std::max(most, used);
  }
  return most;
}

}  // namespace orrery
