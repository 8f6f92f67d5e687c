// SimGrid as a fluid-flow kernel: no actors, no task graph. The only file that knows SimGrid.
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
#include <cmath>
#include <cstddef>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/fluid_kernel.hpp"

namespace orrery {

namespace {

namespace s4u = simgrid::s4u;
using simgrid::kernel::timer::Timer;

// SimGrid counts whole bytes; ours are fractions. All sizes and bandwidths are multiplied alike.
constexpr double units_per_byte = 65536.0;
// SimGrid would end up with a size of more than 64 bits: 2^63 units are 140 TB.
constexpr double most_units = 9.2e18;

// The names that differ between SimGrid 3.32 (Debian 12) and 4.0 (Debian 13).
#if SIMGRID_VERSION >= 40000
s4u::NetZone* make_top(s4u::Engine& engine) {
  return engine.get_netzone_root()->add_netzone_star("orrery");
}
s4u::NetZone* make_star(s4u::NetZone* parent, const std::string& name) {
  return parent->add_netzone_star(name);
}
s4u::Host* make_host(s4u::NetZone* zone, const std::string& name) {
  return zone->add_host(name, 1.0);
}
s4u::Link* make_link(s4u::NetZone* zone, const std::string& name, double bandwidth) {
  return zone->add_link(name, bandwidth);
}
void make_gateway(s4u::NetZone* zone) {
  zone->set_gateway(zone->add_router("gateway " + zone->get_name()));
}
template <class End>
void make_route(s4u::NetZone* zone, End* from, End* to, const std::vector<s4u::LinkInRoute>& links) {
  zone->add_route(from, to, links, false);
}
template <class Handler>
void on_completion(Handler handler) {
  s4u::Comm::on_completion_cb(handler);
  s4u::Exec::on_completion_cb(handler);
}
#else
s4u::NetZone* make_top(s4u::Engine&) {
  return s4u::create_star_zone("orrery");
}
s4u::NetZone* make_star(s4u::NetZone* parent, const std::string& name) {
  return s4u::create_star_zone(name)->set_parent(parent);
}
s4u::Host* make_host(s4u::NetZone* zone, const std::string& name) {
  return zone->create_host(name, 1.0);
}
s4u::Link* make_link(s4u::NetZone* zone, const std::string& name, double bandwidth) {
  return zone->create_link(name, bandwidth);
}
void make_gateway(s4u::NetZone* zone) {
  zone->create_router("gateway " + zone->get_name());
}
simgrid::kernel::routing::NetPoint* gateway_of(const s4u::Host*) {
  return nullptr;
}
simgrid::kernel::routing::NetPoint* gateway_of(const s4u::NetZone* zone) {
  return s4u::Engine::get_instance()->netpoint_by_name_or_null("gateway " + zone->get_name());
}
template <class End>
void make_route(s4u::NetZone* zone, End* from, End* to, const std::vector<s4u::LinkInRoute>& links) {
  zone->add_route(from ? from->get_netpoint() : nullptr, to ? to->get_netpoint() : nullptr,
                  from ? gateway_of(from) : nullptr, to ? gateway_of(to) : nullptr, links, false);
}
template <class Handler>
void on_completion(Handler handler) {
  s4u::Activity::on_completion_cb(handler);
}
#endif

/// The platform as SimGrid has it. A star zone gives a member one way up and one way down, so a host with two ports is
/// two SimGrid hosts: we pick the pair per flow, and bytes take no processor time.
class SimGridPlatform {
 public:
  SimGridPlatform(s4u::Engine& engine, const Platform& platform) : platform_(platform) {
    s4u::NetZone* top = make_top(engine);
    s4u::NetZone* inside = make_star(top, "orrery inside");
    for (const PlatformLink& link : platform.links) {
      links_.push_back(make_link(inside, link.name, link.bandwidth.value() * units_per_byte));
    }
    std::vector<s4u::NetZone*> leaves;
    for (const Zone& zone : platform.zones) {
      leaves.push_back(make_star(top, "zone " + zone.name));
      make_gateway(leaves.back());
    }
    for (const PlatformHost& host : platform.hosts) add(host, inside, leaves);
    inside->seal();
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      leaves[i]->seal();
      connect(top, leaves[i], platform.zones[i].up, platform.zones[i].down);
    }
    top->seal();
  }

  struct Hosts {
    s4u::Host* inside = nullptr;
    s4u::Host* network = nullptr;
    [[nodiscard]] s4u::Host* computing() const { return network ? network : inside; }
  };

  [[nodiscard]] const Hosts& hosts(DeviceId id) const { return hosts_[id.index()]; }
  [[nodiscard]] s4u::Link* link(LinkId id) const { return links_[id.index()]; }

  /// The two SimGrid hosts between which a flow goes: the same choice as route().
  [[nodiscard]] std::pair<s4u::Host*, s4u::Host*> ends(DeviceId from, DeviceId to) const {
    const PlatformHost &source = platform_.hosts[from.index()], &target = platform_.hosts[to.index()];
    const bool within = source.node == target.node && source.inside && target.inside;
    const Hosts &a = hosts(from), &b = hosts(to);
    return within ? std::pair(a.inside, b.inside) : std::pair(a.network, b.network);
  }

 private:
  template <class End>
  void connect(s4u::NetZone* zone, End* end, const std::vector<LinkId>& up, const std::vector<LinkId>& down) {
    End* nowhere = nullptr;
    make_route(zone, end, nowhere, in_route(up));
    make_route(zone, nowhere, end, in_route(down));
  }

  void add(const PlatformHost& host, s4u::NetZone* inside, const std::vector<s4u::NetZone*>& leaves) {
    Hosts made;
    if (host.network) {
      s4u::NetZone* leaf = leaves[static_cast<std::size_t>(host.network->zone)];
      made.network = make_host(leaf, host.name);
      connect(leaf, made.network, host.network->up, host.network->down);
    }
    if (host.inside || !host.network) {
      made.inside = make_host(inside, host.name + " inside");
      if (host.inside) connect(inside, made.inside, host.inside->up, host.inside->down);
    }
    hosts_.push_back(made);
  }

  [[nodiscard]] std::vector<s4u::LinkInRoute> in_route(const std::vector<LinkId>& ids) const {
    std::vector<s4u::LinkInRoute> list;
    for (const LinkId id : ids) list.emplace_back(link(id));
    return list;
  }

  const Platform& platform_;
  std::vector<s4u::Link*> links_;
  std::vector<Hosts> hosts_;
};

/// Debian 12's SimGrid can find silently wrong ways through nested zones: compare with ours before anything runs.
void check_route(const Platform& platform, const SimGridPlatform& simgrid, DeviceId from, DeviceId to) {
  const auto [source, target] = simgrid.ends(from, to);
  if (!source || !target) return;
  std::vector<s4u::Link*> found, wanted;
  double latency = 0.0;
  source->route_to(target, found, &latency);
  for (const LinkId id : route(platform, from, to).links) wanted.push_back(simgrid.link(id));
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  if (found == wanted) return;
  throw std::runtime_error("SimGrid goes another way than Orrery from " + platform.hosts[from.index()].name + " to " +
                           platform.hosts[to.index()].name);
}

/// Neighbours, and pairs far from each other: every host is the start and the end of some.
void check_sample_routes(const Platform& platform, const SimGridPlatform& simgrid) {
  const std::size_t count = platform.hosts.size();
  const std::size_t stride = std::max<std::size_t>(1, count / 256);
  for (std::size_t i = 0; i < count; i += stride) {
    for (const std::size_t other : {i + 1, i + count / 2, count - 1 - i}) {
      if (i != other % count) check_route(platform, simgrid, DeviceId(i), DeviceId(other % count));
    }
  }
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
    check_sample_routes(platform(), simgrid_);
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
  const double units = bytes.value() * units_per_byte;
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
