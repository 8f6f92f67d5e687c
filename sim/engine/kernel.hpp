// The five verbs. Everything that moves in Orrery is made of these; the SimGrid kernel and the closed-form kernel both
// provide them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <variant>

#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"
#include "sim/engine/platform.hpp"

namespace orrery {

enum class Outcome : std::uint8_t { done, failed };
using Done = std::function<void(Outcome)>;

class Kernel {
 public:
  virtual ~Kernel() = default;

  /// Keeps `host` busy for `work` seconds at its nominal speed; two at once share it. Calls done at the end, or with
  /// `failed` when the host fails (at once when it has failed before).
  virtual void compute(DeviceId host, Seconds work, Done done) = 0;
  /// Moves bytes over route(from, to): first its latency, then a fluid flow that shares every link max-min fairly with
  /// the others. No bytes, or from == to: only the latency. Failed when a host or link of the route fails meanwhile or
  /// has failed.
  virtual void flow(DeviceId from, DeviceId to, Bytes bytes, Done done) = 0;
  /// `flow` whose latency is paid `hops` times and added up before the bytes move: K steps of a collective as one flow.
  virtual void flow(DeviceId from, DeviceId to, Bytes bytes, double hops, Done done) = 0;
  virtual void after(Seconds delay, std::function<void()> action) = 0;
  virtual void fail(DeviceId host) = 0;
  virtual void fail(LinkId link) = 0;
  [[nodiscard]] virtual Seconds now() const = 0;
  /// Runs until nothing is left to happen.
  virtual void run() = 0;

  /// Bytes that crossed each link and the time it was in use, so far; one per link of the platform.
  [[nodiscard]] virtual std::vector<struct LinkUse> link_use() const = 0;
  [[nodiscard]] virtual std::uint64_t flows_started() const = 0;
  [[nodiscard]] virtual const Platform& platform() const = 0;
};

/// SimGrid as a fluid-flow kernel. One per process: a second one throws. A SimGrid assertion aborts the process, which
/// is why each simulation has a process of its own (scenarios/simulate).
std::unique_ptr<Kernel> make_simgrid_kernel(const Platform& platform);

/// The same verbs without contention: a flow takes latency + bytes / slowest link, whatever else moves. Exact where
/// nothing is shared.
std::unique_ptr<Kernel> make_closed_form_kernel(const Platform& platform);

enum class EngineKind : std::uint8_t { flow, closed_form };
std::string_view name_of(EngineKind kind);
std::unique_ptr<Kernel> make_kernel(EngineKind kind, const Platform& platform);

}  // namespace orrery
