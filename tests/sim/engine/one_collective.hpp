// One collective by itself, for tests and benchmarks.
#pragma once

#include <vector>

#include "sim/collectives/library.hpp"
#include "sim/engine/engine.hpp"
#include "sim/program/program.hpp"

namespace orrery::test {

/// The collective of Algorithm::library that moves what `cost` says. `group`: the simulated members; the cost is that
/// of all.
inline Collective library_collective(CollectiveKind kind, GroupId group, Bytes bytes, const LibraryCost& cost) {
  return {kind, Algorithm::library, group, bytes, 0, {cost.overhead, cost.node_bytes, cost.network_bytes}};
}

/// How long it takes when all hosts call it at once, and nothing else runs.
inline Seconds run_collective(const Collective& collective, Kernel& kernel, const std::vector<DeviceId>& hosts,
                              const EngineOptions& options) {
  Program program(hosts.size());
  std::vector<RankId> everyone;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) everyone.emplace_back(rank);
  Collective call = collective;
  call.group = program.add_group(everyone);
  const CollectiveId id = program.add_collective(call);
  for (const RankId rank : everyone) {
    program.add({rank, Stream::collective, Dimension::dp, Phase::gradient_exchange, {}, -1, {}, CollectiveCall{id}});
  }
  const Seconds start = kernel.now();
  return run_program(program, kernel, hosts, options).makespan - start;
}

}  // namespace orrery::test
