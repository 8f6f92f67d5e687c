// When a client of a federation is online: one file per law, one line in the table of its factory. Lazily drawn, so
// that a million clients of whom a thousand are asked cost a thousand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/units.hpp"

namespace orrery {

enum class AvailabilityKind : std::uint8_t { always, on_off, diurnal, trace };

struct AvailabilitySpec {
  AvailabilityKind kind = AvailabilityKind::always;
  /// on_off: exponential times online and offline with these means (a two-state Markov chain in continuous time). A
  /// client starts in its stationary state.
  Seconds mean_online{3600}, mean_offline{3600};
  /// diurnal: as on_off, but time offline runs slower and faster over a day: the chance to be online follows
  /// share x (1 + amplitude cos(2 pi (t - peak) / day)), share = mean_online / (mean_online + mean_offline), cut to [0,
  /// 1]; each client's clock is shifted by a time zone drawn from `zones` (hours; empty: none).
  double amplitude = 0.5;
  Seconds peak{2 * 3600};
  std::vector<double> zones;
  /// trace: see read_availability_trace().
  std::string trace;
};

/// Of every client of a population. Times asked for one client never go back. What the answer is depends on seed,
/// client and time alone, not on which questions were asked before: two strategies of one scenario see the same
/// clients.
class Availability {
 public:
  virtual ~Availability() = default;
  [[nodiscard]] virtual bool online(std::size_t client, Seconds at) = 0;
  /// The next instant after `at` at which the client's state changes, which is of the new state already; infinity:
  /// never again.
  [[nodiscard]] virtual Seconds changes(std::size_t client, Seconds at) = 0;
};

/// One client's behaviour, repeated for ever: online in [active[i], inactive[i]) of each period.
struct BehaviourTrace {
  Seconds period;
  std::vector<Seconds> active, inactive;
};
/// FedScale's behaviour schema (SymbioticLab/FedScale, client_behave_trace) as CSV:
/// `client,duration,finish_time,active,inactive,model`, the lists as numbers separated by blanks, seconds; only client,
/// finish_time (the period), active and inactive are needed. Client i of a group takes row i modulo the number of
/// rows. Every defect is a problem: instants that do not alternate or exceed the period, lists of different length, a
/// client given twice, ...
std::vector<BehaviourTrace> read_behaviour_traces(const std::string& file, Problems& problems);

/// FedScale's capacity schema as CSV: `client,computation,communication`: milliseconds of one training sample, kbit/s
/// both ways (1 kbit = 1000 bit). A missing or zero figure is a problem, never a client that needs no time. (FedScale's
/// own files hold the latency of inference, and its simulation counts three times that for training: multiply first.)
struct CapacityTrace {
  Seconds per_sample;
  BytesPerSecond rate;
};
std::vector<CapacityTrace> read_capacity_traces(const std::string& file, Problems& problems);

}  // namespace orrery
