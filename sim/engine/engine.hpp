// Executes a Program on a Kernel: dependency counters, streams, messages and collectives.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/engine/kernel.hpp"
#include "sim/program/program.hpp"
#include "sim/program/records.hpp"

namespace orrery {

/// How collectives are carried out. automatic: exact while the program's messages fit the budget, else as many segments
/// as fit, down to one flow per edge.
enum class FidelityChoice : std::uint8_t { automatic, exact, segments, collapsed };

struct EngineOptions {
  FidelityChoice fidelity = FidelityChoice::automatic;
  std::int32_t segments = 4;              // K flows per edge when fidelity is `segments`
  std::uint64_t message_budget = 300000;  // about one second of one core on SimGrid 3.32 (measured)
  /// Called with the share of the operations that have ended, now and then; may be empty.
  std::function<void(double)> progress;
};

/// Runs `program` with rank r on hosts[r]. A group's ranks per node, for hierarchical collectives, come from the nodes
/// of its hosts (1 when they do not fill nodes evenly, in order). The program must have passed check(). Throws
/// std::runtime_error naming the operations that never ran when something failed or waited for ever, and Infeasible
/// when two hosts that exchange bytes have no way to each other; the kernel is of no use after either.
Records run_program(const Program& program, Kernel& kernel, const std::vector<DeviceId>& hosts,
                    const EngineOptions& options);

}  // namespace orrery
