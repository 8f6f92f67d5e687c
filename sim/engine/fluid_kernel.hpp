// What the kernels share: flows and works in numbered slots, latencies, failures, and the use of every link. A kernel
// adds its clock and says how long bytes and work take.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sim/engine/kernel.hpp"
#include "sim/program/records.hpp"

namespace orrery {

class FluidKernel : public Kernel {
 public:
  explicit FluidKernel(const Platform& platform);

  void compute(DeviceId host, Seconds work, Done done) final;
  void flow(DeviceId from, DeviceId to, Bytes bytes, Done done) final;
  void flow(DeviceId from, DeviceId to, Bytes bytes, double hops, Done done) final;
  void fail(DeviceId host) final;
  void fail(LinkId link) final;
  [[nodiscard]] std::vector<LinkUse> link_use() const final;
  [[nodiscard]] std::uint64_t flows_started() const final { return flows_started_; }
  [[nodiscard]] const Platform& platform() const final { return platform_; }

 protected:
  /// Names one use of a slot: a ticket of an earlier use is out of date, and what it reports is ignored.
  struct Ticket {
    std::uint32_t slot = 0;
    std::uint32_t use = 0;
  };

  /// The bytes of a flow begin to move (its latency has passed): call transfer_ended(ticket) when the last arrived.
  virtual void start_transfer(Ticket ticket, DeviceId from, DeviceId to, Bytes bytes, const Route& route) = 0;
  /// Work above zero begins: call work_ended(ticket) when it is done.
  virtual void start_work(Ticket ticket, DeviceId host, Seconds work) = 0;
  /// Takes a host or link out of use; its flows and works have been answered already.
  virtual void turn_off(DeviceId host) = 0;
  virtual void turn_off(LinkId link) = 0;
  /// Time between the last latency and the end of a transfer that is too short for the kernel's own resolution.
  [[nodiscard]] virtual Seconds correction(Bytes, const Route&) const { return {}; }

  void transfer_ended(Ticket ticket);
  void work_ended(Ticket ticket);

 private:
  enum class State : std::uint8_t { free, waiting, moving };
  struct Flow {
    DeviceId from, to;
    Bytes bytes;
    const Route* route = nullptr;
    Done done;
    std::uint32_t use = 0;
    State state = State::free;
  };
  struct Work {
    DeviceId host;
    Done done;
    std::uint32_t use = 0;
    State state = State::free;
  };
  struct Meter {
    double bytes = 0.0, busy = 0.0, busy_since = 0.0;
    std::uint32_t active = 0;
  };

  const Route& route_of(DeviceId from, DeviceId to);
  [[nodiscard]] bool is_broken(DeviceId from, DeviceId to, const Route& route) const;
  void latency_passed(Ticket ticket);
  void end_flow(std::uint32_t slot, Outcome outcome);
  void end_work(std::uint32_t slot, Outcome outcome);
  void fail_broken();
  void meter_start(const Route& route);
  void meter_stop(const Route& route, Bytes bytes);

  Platform platform_;
  std::unordered_map<std::uint64_t, Route> routes_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> free_flows_;
  std::vector<Work> works_;
  std::vector<std::uint32_t> free_works_;
  std::vector<Meter> meters_;
  std::vector<char> host_failed_, link_failed_;
  std::uint64_t flows_started_ = 0;
};

}  // namespace orrery
