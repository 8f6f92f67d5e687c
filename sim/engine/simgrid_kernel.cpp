// SimGrid as a fluid-flow kernel: no actors, no task graph.
//
// Why not SimGrid's own defaults: the LV08 model scales bandwidth by 0.97 and latency by 13.01, lets acknowledgements
// take 5 % of the reverse link, and caps a flow at TCP-gamma / (2 latency); with latencies on links, two flows share
// them in inverse proportion to their latencies. So: plain CM02, links without latency (we wait ourselves before the
// bytes move), no cross traffic, no cap.
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>

#include <simgrid/version.h>  // after the headers above: 3.32's does not stand alone
#include <xbt/log.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/fluid_kernel.hpp"
#include "sim/engine/simgrid_platform.hpp"

namespace orrery {

namespace {

namespace s4u = simgrid::s4u;
using simgrid::kernel::timer::Timer;

// SimGrid would end up with a size of more than 64 bits: 2^63 units are 140 TB.
constexpr double most_units = 9.2e18;

// Of SimGrid 4.0 every kind of activity has a signal of its own, of 3.32 all have one.
template <class Handler>
void on_completion(Handler handler) {
#if SIMGRID_VERSION >= 40000
  s4u::Comm::on_completion_cb(handler);
  s4u::Exec::on_completion_cb(handler);
#else
  s4u::Activity::on_completion_cb(handler);
#endif
}

std::unique_ptr<s4u::Engine> start_engine() {
  if (s4u::Engine::is_initialized()) {  // 4.0: has_instance() is false once an engine has ended
    throw std::runtime_error("a process can hold one SimGrid kernel at a time, and there is one already");
  }
  xbt_log_control_set("root.thresh:warning");
  auto engine = std::make_unique<s4u::Engine>("orrery");
  // Settings stay for the whole process, and SimGrid refuses to hear of them a second time.
  static const bool configured = [] {
    for (const char* setting :
         {"network/model:CM02", "network/crosstraffic:0", "network/TCP-gamma:1e15", "surf/precision:1e-12"}) {
      s4u::Engine::set_config(setting);
    }
    return true;
  }();
  static_cast<void>(configured);
  return engine;
}

class SimGridKernel final : public FluidKernel {
 public:
  explicit SimGridKernel(const Platform& given)
      : FluidKernel(given, Sharing::fair), engine_(start_engine()), simgrid_(*engine_, platform()) {
    // Never unregistered, and one handler serves all kernels of a process one after the other: it holds no state.
    static const bool registered = [] {
      on_completion([](const s4u::Activity& activity) { completed(activity); });
      return true;
    }();
    static_cast<void>(registered);
  }

  void after(Seconds delay, std::function<void()> action) override {
    Timer::set(s4u::Engine::get_clock() + delay.value(), std::move(action));
  }
  [[nodiscard]] Seconds now() const override { return Seconds(s4u::Engine::get_clock() - start_); }
  void run() override { engine_->run(); }

 protected:
  void start_transfer(Ticket ticket, DeviceId from, DeviceId to, Bytes bytes) override;
  void start_work(Ticket ticket, DeviceId host, Seconds work) override;
  void turn_off(DeviceId host) override;
  void turn_off(LinkId link) override { simgrid_.link(link)->turn_off(); }

 private:
  enum class Kind : std::uint8_t { transfer, work };
  /// What SimGrid's activity carries with it. One per slot, at an address that stays.
  struct Running {
    SimGridKernel* kernel = nullptr;
    s4u::ActivityPtr activity;
    Ticket ticket;
    Kind kind = Kind::transfer;
  };
  static void completed(const s4u::Activity& activity);
  Running& place(std::deque<Running>& all, Ticket ticket);
  void bury(s4u::ActivityPtr activity);

  std::unique_ptr<s4u::Engine> engine_;
  SimGridPlatform simgrid_;
  double start_ = s4u::Engine::get_clock();  // SimGrid's clock goes on from one engine to the next
  std::deque<Running> transfers_, works_;
  // Dropping an activity in its own completion signal is a use after free: kept until the clock has moved on.
  std::vector<s4u::ActivityPtr> graveyard_;
  double buried_at_ = -1.0;
};

SimGridKernel::Running& SimGridKernel::place(std::deque<Running>& all, Ticket ticket) {
  if (all.size() <= ticket.slot) all.resize(ticket.slot + 1);
  Running& running = all[ticket.slot];
  if (running.activity) bury(std::move(running.activity));  // cut by a failure, and SimGrid has not said so yet
  running.kernel = this;
  running.ticket = ticket;
  return running;
}

void SimGridKernel::start_transfer(Ticket ticket, DeviceId from, DeviceId to, Bytes bytes) {
  const double units = bytes.value() * simgrid_units_per_byte;
  if (units > most_units) throw std::runtime_error("a flow of more than 140 TB is beyond SimGrid's counters");
  const auto [source, target] = simgrid_.ends(from, to);
  Running& running = place(transfers_, ticket);
  running.kind = Kind::transfer;
  s4u::CommPtr comm = s4u::Comm::sendto_init(source, target);
  comm->set_payload_size(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(units)));
  comm->set_data(&running);
  running.activity = comm;
  comm->start();
}

void SimGridKernel::start_work(Ticket ticket, DeviceId host, Seconds work) {
  Running& running = place(works_, ticket);
  running.kind = Kind::work;
  // Host::exec_init would run on the caller's host, whatever it was called on.
  s4u::ExecPtr exec = s4u::Exec::init();
  exec->set_host(simgrid_.hosts(host).computing());
  exec->set_flops_amount(work.value());
  exec->set_data(&running);
  running.activity = exec;
  exec->start();
}

void SimGridKernel::completed(const s4u::Activity& activity) {
  auto* running = static_cast<const simgrid::xbt::Extendable<s4u::Activity>&>(activity).get_data<Running>();
  if (!running || running->activity.get() != &activity) return;
  SimGridKernel& kernel = *running->kernel;
  const Ticket ticket = running->ticket;
  kernel.bury(std::move(running->activity));
  running->activity = nullptr;
  if (activity.get_state() != s4u::Activity::State::FINISHED) return;  // fail() has answered it
  running->kind == Kind::work ? kernel.work_ended(ticket) : kernel.transfer_ended(ticket);
}

void SimGridKernel::bury(s4u::ActivityPtr activity) {
  const double clock = s4u::Engine::get_clock();
  if (clock > buried_at_) graveyard_.clear();
  buried_at_ = clock;
  graveyard_.push_back(std::move(activity));
}

void SimGridKernel::turn_off(DeviceId host) {
  const auto& hosts = simgrid_.hosts(host);
  for (s4u::Host* side : {hosts.inside, hosts.network}) {
    if (side) side->turn_off();
  }
}

}  // namespace

std::unique_ptr<Kernel> make_simgrid_kernel(const Platform& platform) {
  return std::make_unique<SimGridKernel>(platform);
}

std::unique_ptr<Kernel> make_kernel(EngineKind kind, const Platform& platform) {
  return kind == EngineKind::flow ? make_simgrid_kernel(platform) : make_closed_form_kernel(platform);
}

}  // namespace orrery
