// Textbook times, with a = latency of a message, B = bandwidth of a port in each direction, S = bytes, N = ranks.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

#include "sim/base/contract.hpp"
#include "sim/collectives/schedule.hpp"

namespace orrery {

namespace {

struct Wire {
  Seconds latency;
  BytesPerSecond bandwidth;

  /// `steps` messages one after the other that carry `bytes` together.
  [[nodiscard]] Seconds steps(double count, Bytes bytes) const { return latency * count + bytes / bandwidth; }
};

/// Reduce-scatter and all-gather each move (N-1)/N of the bytes; an all-reduce is both.
double halves(CollectiveKind kind) {
  return kind == CollectiveKind::all_reduce ? 2.0 : 1.0;
}

/// (N-1) (a + S/(N B)), twice for all-reduce (Patarasuk and Yuan 2009). Broadcast in p pieces down a chain:
/// (p + N - 2) (a + S/(p B)).
Seconds ring_time(CollectiveKind kind, const GroupShape& shape, Bytes bytes, const Wire& wire) {
  const double ranks = shape.ranks, pieces = shape.pipeline_chunks;
  if (kind == CollectiveKind::broadcast) return wire.steps(1.0, bytes / pieces) * (pieces + ranks - 2.0);
  return wire.steps(1.0, bytes / ranks) * (halves(kind) * (ranks - 1.0));
}

/// Powers of two: log2(N) a + (N-1)/N S/B, twice for all-reduce (Thakur, Rabenseifner and Gropp 2005). Folding other
/// numbers of ranks costs an all-reduce two more messages of all bytes: 2 (a + S/B).
Seconds halving_doubling_time(CollectiveKind kind, const GroupShape& shape, Bytes bytes, const Wire& wire) {
  const double cores = std::bit_floor(static_cast<std::uint32_t>(shape.ranks));
  Seconds time = wire.steps(std::log2(cores), bytes * ((cores - 1.0) / cores)) * halves(kind);
  if (cores < shape.ranks) time += wire.steps(1.0, bytes) * 2.0;
  return time;
}

/// With g ranks in each of m nodes: (g-1) (a + S/(g B)) inside and (m-1) (a + S/(N B)) between, twice for all-reduce.
Seconds hierarchical_time(CollectiveKind kind, const GroupShape& shape, Bytes bytes, const Wire& wire) {
  const double ranks = shape.ranks, places = shape.ranks_per_node, nodes = ranks / places;
  const Seconds inside = wire.steps(1.0, bytes / places) * (places - 1.0);
  const Seconds between = wire.steps(1.0, bytes / ranks) * (nodes - 1.0);
  return (inside + between) * halves(kind);
}

/// All workers share the server's port: a + (N-1) S/B to push, the same to pull.
Seconds parameter_server_time(CollectiveKind kind, const GroupShape& shape, Bytes bytes, const Wire& wire) {
  return wire.steps(1.0, bytes * (shape.ranks - 1.0)) * halves(kind);
}

/// Any schedule whose steps all ranks begin together: in each step, a + the bytes of the busiest port / B.
Seconds step_by_step_time(const Schedule& schedule, Bytes bytes, const Wire& wire) {
  Seconds time;
  for (const Round& round : schedule.rounds) {
    for (std::int32_t k = 0; k < round.repeat; ++k) {
      std::vector<Bytes> out(static_cast<std::size_t>(schedule.ranks)), in(out);
      for (const Transfer& transfer : round.transfers) {
        const Bytes moved = transfer_bytes(schedule, round, transfer, k, bytes);
        out[static_cast<std::size_t>(transfer.from)] += moved;
        in[static_cast<std::size_t>(transfer.to)] += moved;
      }
      time +=
          wire.steps(1.0, std::max(*std::max_element(out.begin(), out.end()), *std::max_element(in.begin(), in.end())));
    }
  }
  return time;
}

bool has_node_rings(const GroupShape& shape) {
  return shape.ranks_per_node > 1 && shape.ranks % shape.ranks_per_node == 0 && shape.ranks > shape.ranks_per_node;
}

}  // namespace

Seconds closed_form_time(CollectiveKind kind, Algorithm algorithm, const GroupShape& shape, Bytes bytes,
                         Seconds latency, BytesPerSecond bandwidth) {
  const Wire wire{latency, bandwidth};
  const bool reduces_or_gathers = kind != CollectiveKind::broadcast;
  const bool folded_parts =
      kind != CollectiveKind::all_reduce && !std::has_single_bit(static_cast<std::uint32_t>(shape.ranks));
  if (shape.ranks == 1) return Seconds();
  switch (algorithm) {
    case Algorithm::ring:
      return ring_time(kind, shape, bytes, wire);
    case Algorithm::halving_doubling:
      if (!folded_parts) return halving_doubling_time(kind, shape, bytes, wire);
      break;
    case Algorithm::hierarchical:
      if (!has_node_rings(shape)) return ring_time(kind, shape, bytes, wire);
      if (reduces_or_gathers) return hierarchical_time(kind, shape, bytes, wire);
      break;
    case Algorithm::parameter_server:
      return parameter_server_time(kind, shape, bytes, wire);
    case Algorithm::pairwise:  // (N-1) (a + S/(N B)) (Thakur, Rabenseifner and Gropp 2005)
      return wire.steps(1.0, bytes / shape.ranks) * (shape.ranks - 1.0);
    case Algorithm::double_binary_tree:
      break;
    case Algorithm::library:  // library_cost()
      ORRERY_EXPECT(algorithm != Algorithm::library);
  }
  return step_by_step_time(make_schedule(kind, algorithm, shape), bytes, wire);
}

}  // namespace orrery
