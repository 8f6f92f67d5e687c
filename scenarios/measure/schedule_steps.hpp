// One rank's part of a Schedule, in numbers of a real buffer: what it sends and receives in each step.
#pragma once

#include <cstddef>
#include <vector>

#include "sim/collectives/schedule.hpp"

namespace orrery {

/// A run of numbers that goes to or comes from another member of the group.
struct Piece {
  int peer = 0;  // index within the group
  std::size_t first = 0, count = 0;
};

/// A piece that is received: into its place in the buffer, or beside it (`beside`: where in the scratch space) when it
/// is to be added, or when the same step still sends what it replaces.
struct ArrivingPiece {
  Piece piece;
  Arrival arrival = Arrival::copy;
  enum class Into : std::uint8_t { place, scratch } into = Into::place;
  std::size_t beside = 0;
};

struct RankStep {
  std::vector<Piece> sends;
  std::vector<ArrivingPiece> arrivals;
};

/// Numbers [first, end) of chunk `index` when `numbers` numbers are cut in `chunks` runs that differ by at most one.
struct ChunkRun {
  std::size_t first = 0, end = 0;
};
ChunkRun chunk_run(std::size_t numbers, std::int32_t chunks, std::int32_t index);

/// Every step of the schedule in which `member` takes part, for a buffer of `numbers` numbers. A transfer whose chunks
/// wrap around is two pieces, on both sides alike. Not for all-to-all, where a chunk has no place of its own.
std::vector<RankStep> steps_of(const Schedule& schedule, std::int32_t member, std::size_t numbers);

/// Numbers of scratch space that the largest step needs.
std::size_t scratch_numbers(const std::vector<RankStep>& steps);

}  // namespace orrery
