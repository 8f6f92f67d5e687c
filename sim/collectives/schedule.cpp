#include "sim/collectives/schedule.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {

namespace {

std::int64_t modulo(std::int64_t value, std::int64_t divisor) {
  const std::int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

}  // namespace

std::int32_t first_chunk(const Schedule& schedule, const Round& round, const Transfer& transfer,
                         std::int32_t repetition) {
  const std::int64_t window = round.window > 0 ? round.window : schedule.chunks;
  const std::int64_t block = transfer.first_chunk / window * window;
  const std::int64_t shifted = transfer.first_chunk - block + std::int64_t{repetition} * round.chunk_shift;
  return static_cast<std::int32_t>(block + modulo(shifted, window));
}

Bytes chunk_bytes(Bytes total, std::int32_t chunks, std::int32_t index) {
  if (total.value() >= chunks) return total / chunks;
  return Bytes(std::clamp(total.value() - index, 0.0, 1.0));  // a fraction of a byte is left to the last that carries
}

Bytes transfer_bytes(const Schedule& schedule, const Round& round, const Transfer& transfer, std::int32_t repetition,
                     Bytes total) {
  if (total.value() >= schedule.chunks) return total * (static_cast<double>(transfer.chunk_count) / schedule.chunks);
  const std::int32_t first = first_chunk(schedule, round, transfer, repetition);
  Bytes sum;
  for (std::int32_t i = 0; i < transfer.chunk_count; ++i) {
    sum += chunk_bytes(total, schedule.chunks, (first + i) % schedule.chunks);
  }
  return sum;
}

Bytes transfer_bytes(const Schedule& schedule, const Round& round, const Transfer& transfer, std::int32_t begin,
                     std::int32_t end, Bytes total) {
  if (total.value() >= schedule.chunks) return transfer_bytes(schedule, round, transfer, begin, total) * (end - begin);
  Bytes sum;
  for (std::int32_t k = begin; k < end; ++k) sum += transfer_bytes(schedule, round, transfer, k, total);
  return sum;
}

std::vector<Bytes> bytes_sent(const Schedule& schedule, Bytes total) {
  std::vector<Bytes> sent(static_cast<std::size_t>(schedule.ranks));
  for (const Round& round : schedule.rounds) {
    for (const Transfer& transfer : round.transfers) {
      sent[static_cast<std::size_t>(transfer.from)] +=
          transfer_bytes(schedule, round, transfer, 0, round.repeat, total);
    }
  }
  return sent;
}

std::uint64_t message_count(const Schedule& schedule, std::int32_t segments) {
  std::uint64_t count = 0;
  for (const Round& round : schedule.rounds) {
    count += static_cast<std::uint64_t>(std::min(round.repeat, segments)) * round.transfers.size();
  }
  return count;
}

std::uint64_t message_count(const Schedule& schedule) {
  return message_count(schedule, INT32_MAX);
}

Schedule make_schedule(CollectiveKind kind, Algorithm algorithm, const GroupShape& shape) {
  const AlgorithmEntry& entry = entry_of(algorithm);
  ORRERY_EXPECT(std::find(entry.kinds.begin(), entry.kinds.end(), kind) != entry.kinds.end());
  ORRERY_EXPECT(shape.ranks >= 1 && shape.ranks_per_node >= 1 && shape.pipeline_chunks >= 1);
  ORRERY_EXPECT(shape.root >= 0 && shape.root < shape.ranks);
  return entry.make(kind, shape);
}

}  // namespace orrery
