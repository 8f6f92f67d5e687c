// Records: what ran where from when to when, and what crossed which link. All metrics and all joules are pure functions
// of these.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/program/op.hpp"

namespace orrery {

/// One operation as it happened. `ready`: its dependencies were met and its stream was free. `start`: it began
/// (compute), its first byte could move (message, collective: every member had arrived). ready <= start <= end.
struct Activity {
  RankId rank;
  Stream stream = Stream::compute;
  Dimension dimension = Dimension::none;
  Phase phase = Phase::forward;
  LayerId layer;
  std::int32_t microbatch = -1;
  Seconds ready, start, end;
  Bytes bytes;  // sent by this rank in this operation (0 for Receive and Compute)
  Flops flops;
  RankId peer;  // the other side of a Send or Receive
};

struct LinkUse {
  LinkId link;
  Bytes bytes;
  Seconds busy;  // time during which at least one flow crossed it
};

/// How collectives were carried out, for the report. `mixed` when several were used in one program.
enum class Fidelity : std::uint8_t { exact, segments, collapsed, library, mixed };
std::string_view name_of(Fidelity fidelity);

struct Records {
  Seconds makespan;  // end of the last activity
  std::size_t ranks = 0;
  std::vector<Activity> activities;  // in the order of the program's operations
  std::vector<LinkUse> links;        // one per link of the platform, in LinkId order
  Fidelity fidelity = Fidelity::exact;
  std::uint64_t messages = 0;  // flows started
};

/// One line per activity: what `--dump records` prints.
std::string dump(const Records& records);

}  // namespace orrery
