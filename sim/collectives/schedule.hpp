// A collective as data: which rank sends which chunks to which, in which order. Pure functions make Schedules from a
// group's size and shape; the engine executes them, the tests replay them on sets and check that every rank ends with
// the right contributions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/program/op.hpp"

namespace orrery {

/// What the receiver does with the chunks: add them to its own, or take them.
enum class Arrival : std::uint8_t { reduce, copy };

/// Ranks are indices within the group. Chunks are numbered 0..Schedule::chunks-1, the range wraps around.
struct Transfer {
  std::int32_t from = 0, to = 0;
  std::int32_t first_chunk = 0, chunk_count = 1;
  Arrival arrival = Arrival::copy;
};

/// `repeat` steps that differ only in the chunks: in repetition k (from 0) every transfer's first chunk is first_chunk
/// + k * chunk_shift, turning round within its window: with `window` = w > 0 the chunks form blocks [0, w), [w, 2w),
/// ... and a chunk stays in its block; 0 means one block of all chunks. A rank begins a step when all its transfers,
/// sent and received, of its previous step have ended; a transfer starts when both of its ranks have begun the step
/// (the receiver's buffer must be free). This is what lets the engine collapse K steps into one flow per edge without
/// listing them.
struct Round {
  std::int32_t repeat = 1;
  std::int32_t chunk_shift = 0;
  std::vector<Transfer> transfers;
  std::int32_t window = 0;
};

/// What a chunk is: a piece of the buffer that all ranks share the numbering of; in an all-to-all, chunk c of a rank's
/// buffer is what it holds for rank c.
struct Schedule {
  std::int32_t ranks = 1;
  std::int32_t chunks = 1;
  std::vector<Round> rounds;
  /// The chunk that each rank holds before an all-gather and owns after a reduce-scatter; empty when rank r has chunk
  /// r.
  std::vector<std::int32_t> home;
};

/// First chunk of a transfer in repetition k of its round.
std::int32_t first_chunk(const Schedule& schedule, const Round& round, const Transfer& transfer,
                         std::int32_t repetition);

/// Bytes of chunk `index` when `total` bytes are cut in `chunks`: total/chunks; when that is below one byte the first
/// `total` chunks carry one byte each and the others none (a message of no bytes still costs its latency).
Bytes chunk_bytes(Bytes total, std::int32_t chunks, std::int32_t index);

/// Bytes of a transfer in repetition k of its round.
Bytes transfer_bytes(const Schedule& schedule, const Round& round, const Transfer& transfer, std::int32_t repetition,
                     Bytes total);

/// Bytes of a transfer in the repetitions begin..end-1 of its round together.
Bytes transfer_bytes(const Schedule& schedule, const Round& round, const Transfer& transfer, std::int32_t begin,
                     std::int32_t end, Bytes total);

/// Bytes that each rank sends in the whole schedule.
std::vector<Bytes> bytes_sent(const Schedule& schedule, Bytes total);

/// Messages of the exact execution: sum over rounds of repeat x transfers.
std::uint64_t message_count(const Schedule& schedule);

/// Messages when every round is run in at most `segments` parts: sum over rounds of min(repeat, segments) x transfers.
std::uint64_t message_count(const Schedule& schedule, std::int32_t segments);

/// The group as the algorithms see it. Rank i sits on node i / ranks_per_node; ranks_per_node = 1 when nodes do not
/// matter.
struct GroupShape {
  std::int32_t ranks = 1;
  std::int32_t ranks_per_node = 1;
  std::int32_t root =
      0;  // broadcast's source; parameter server: the rank that serves (it contributes nothing of its own)
  std::int32_t pipeline_chunks = 8;  // trees: pieces a message is cut into so that levels overlap
};

using MakeSchedule = Schedule (*)(CollectiveKind kind, const GroupShape& shape);

/// One line of the table of algorithms: adding an algorithm is one file and one line here.
struct AlgorithmEntry {
  Algorithm algorithm;
  std::string_view summary;  // one sentence for `list collectives`
  std::vector<CollectiveKind> kinds;
  MakeSchedule make;

  /// As in scenario files.
  [[nodiscard]] std::string_view name() const { return name_of(algorithm); }
};
const std::vector<AlgorithmEntry>& algorithms();

/// The entry of an algorithm.
const AlgorithmEntry& entry_of(Algorithm algorithm);

/// Schedule of `kind` by `algorithm`. Contract: the algorithm supports the kind and 0 <= root < ranks.
Schedule make_schedule(CollectiveKind kind, Algorithm algorithm, const GroupShape& shape);

// One file each.
Schedule ring_schedule(CollectiveKind kind, const GroupShape& shape);                // all kinds but all-to-all
Schedule double_binary_tree_schedule(CollectiveKind kind, const GroupShape& shape);  // all-reduce, broadcast
Schedule halving_doubling_schedule(CollectiveKind kind,
                                   const GroupShape& shape);  // all-reduce, reduce-scatter, all-gather
Schedule hierarchical_schedule(CollectiveKind kind,
                               const GroupShape& shape);  // all-reduce, reduce-scatter, all-gather, broadcast
Schedule parameter_server_schedule(CollectiveKind kind, const GroupShape& shape);  // all-reduce, broadcast
Schedule pairwise_schedule(CollectiveKind kind, const GroupShape& shape);          // all-to-all

/// Textbook time of a collective on equal, uncontended links: latency per message and bandwidth of each rank's port, in
/// both directions at once. Nothing is simulated with it: it is the reference that tests hold the engines against.
/// Formulas and sources stand with each case.
Seconds closed_form_time(CollectiveKind kind, Algorithm algorithm, const GroupShape& shape, Bytes bytes,
                         Seconds latency, BytesPerSecond bandwidth);

}  // namespace orrery
