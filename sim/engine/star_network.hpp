// Hosts around a core that never blocks, each behind one line up and one line down: the flows and timers of populations
// of up to millions of hosts, of which only what moves costs anything.
//
// The same physics as a Kernel over stars: a flow first waits for its latency, then crosses its sender's line up and
// its receiver's line down and shares both max-min fairly with the others. Besides, a flow can be taken back (a client
// that goes offline), which SimGrid's verbs do not offer; and a client that does nothing costs 64 bytes, not a SimGrid
// host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"
#include "sim/engine/kernel.hpp"

namespace orrery {

/// The line between a host and the core. A message waits for the latency of both ends before its bytes move.
struct AccessLine {
  BytesPerSecond up, down;
  Seconds latency;
};

/// What crossed a host's line so far, and how long at least one flow was on it.
struct LineUse {
  Bytes up, down;
  Seconds up_busy, down_busy;
};

class StarNetwork {
 public:
  using Action = std::function<void()>;
  struct Handle {  // of a flow or a timer; never used twice
    std::uint32_t slot = 0xffffffffU;
    std::uint32_t generation = 0;
    [[nodiscard]] bool valid() const { return slot != 0xffffffffU; }
  };

  /// closed_form: every flow moves at the slower of its two lines, whatever else moves.
  /// Rates must be above zero and finite.
  StarNetwork(std::vector<AccessLine> lines, EngineKind engine);
  ~StarNetwork();
  StarNetwork(const StarNetwork&) = delete;
  StarNetwork& operator=(const StarNetwork&) = delete;

  /// Calls `done` when the last byte has arrived. No bytes: after the latency alone. from != to.
  Handle flow(DeviceId from, DeviceId to, Bytes bytes, Action done);
  /// Takes a flow back: `done` is never called. Returns the bytes that have arrived. Nothing happens to, and zero is
  /// returned for, a flow that has ended.
  Bytes cancel_flow(Handle flow);
  /// Bytes of a running flow that have arrived so far.
  [[nodiscard]] Bytes arrived(Handle flow) const;

  Handle after(Seconds delay, Action action);
  void cancel_timer(Handle timer);

  /// Runs until nothing is left to happen, or until stop() is called from an action; may be called again. What happens
  /// at the same instant happens in the order in which it was asked for (flows: started). Actions are called by run()
  /// alone, never by the verb that asked for them.
  void run();
  void stop();
  [[nodiscard]] Seconds now() const;

  [[nodiscard]] const AccessLine& line(DeviceId host) const;
  [[nodiscard]] LineUse use(DeviceId host) const;
  [[nodiscard]] std::size_t hosts() const;
  [[nodiscard]] std::uint64_t flows_started() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery
