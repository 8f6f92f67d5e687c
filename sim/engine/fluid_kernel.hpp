// What the kernels share: flows and works in numbered slots, latencies, failures, the use of every link, and all that
// has its links or its host for itself. A flow alone on its links moves at the pace of the slowest one, which needs no
// solver; only what shares goes to the kernel's own. (SimGrid 3.32 takes 2 to 20 us per flow, an event here 0.2 us.)
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sim/engine/kernel.hpp"
#include "sim/program/records.hpp"

namespace orrery {

class FluidKernel : public Kernel {
 public:
  enum class Sharing : std::uint8_t {
    fair,  // flows on one link and works on one host share it
    none   // everything runs as if it were alone
  };
  FluidKernel(const Platform& platform, Sharing sharing);

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

  /// A flow shares a link from now on: call transfer_ended(ticket) when the last of these bytes has arrived.
  virtual void start_transfer(Ticket ticket, DeviceId from, DeviceId to, Bytes bytes) = 0;
  /// A work shares its host from now on: call work_ended(ticket) when this much is done.
  virtual void start_work(Ticket ticket, DeviceId host, Seconds work) = 0;
  /// Takes a host or link out of use; its flows and works have been answered already.
  virtual void turn_off(DeviceId host) = 0;
  virtual void turn_off(LinkId link) = 0;

  void transfer_ended(Ticket ticket);
  void work_ended(Ticket ticket);

 private:
  enum class State : std::uint8_t { free, waiting, alone, shared };
  static constexpr std::int32_t nobody = -1;
  struct Flow {
    DeviceId from, to;
    Bytes bytes;
    const Route* route = nullptr;
    Done done;
    double end = 0.0;  // while alone
    std::uint32_t use = 0;
    State state = State::free;
  };
  struct Work {
    DeviceId host;
    Done done;
    double end = 0.0;  // while alone
    std::uint32_t use = 0;
    State state = State::free;
  };
  struct Meter {
    double bytes = 0.0, busy = 0.0, busy_since = 0.0;
    std::uint32_t active = 0;
    std::int32_t alone = nobody;  // the flow that has this link for itself
  };
  struct Processor {
    std::uint32_t active = 0;
    std::int32_t alone = nobody;  // the work that has this host for itself
  };

  const Route& route_of(DeviceId from, DeviceId to);
  [[nodiscard]] bool is_broken(DeviceId from, DeviceId to, const Route& route) const;
  void latency_passed(Ticket ticket);
  [[nodiscard]] bool crowd_in(const Route& route);
  void move_alone(Ticket ticket);
  void share_flow(std::uint32_t slot);
  void leave_links(const Flow& flow);
  void work_alone(Ticket ticket, Seconds work);
  void share_work(Processor& processor);
  void end_flow(std::uint32_t slot, Outcome outcome);
  void end_work(std::uint32_t slot, Outcome outcome);
  void fail_broken();
  void meter_start(const Route& route);
  void meter_stop(const Route& route, Bytes bytes);

  Platform platform_;
  Sharing sharing_;
  std::unordered_map<std::uint64_t, Route> routes_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> free_flows_;
  std::vector<Work> works_;
  std::vector<std::uint32_t> free_works_;
  std::vector<Meter> meters_;          // per link
  std::vector<Processor> processors_;  // per host
  std::vector<char> host_failed_, link_failed_;
  std::uint64_t flows_started_ = 0;
};

}  // namespace orrery
