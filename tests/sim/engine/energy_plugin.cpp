// Our records against SimGrid's own energy plugins, on a case worked out by hand.
//
// Host A computes 2 s, sends 1 GB to B, B computes 3 s. A's way up carries 4 GB/s, B's way down 1 GB/s: 1 s. Total 6 s.
// Hosts: 60 W idle, 260 W busy.     A: 60 x 6 + 200 x 2 = 760 J.        B: 60 x 6 + 200 x 3 = 960 J.
// Links: 2 W idle, 12 W at full load, linear in the load.
//   A up:   2 x 6 + 10 x 1/4 x 1 = 14.5 J.   B down: 2 x 6 + 10 x 1 = 22 J.   A down, B up: 2 x 6 = 12 J each.
#include <simgrid/plugins/energy.h>

#include <cstddef>
#include <cstdint>
#include <simgrid/s4u.hpp>
#include <string>
#include <utility>
#include <vector>
#include <xbt/config.hpp>

#include "sim/engine/engine.hpp"
#include "sim/program/program.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/platforms.hpp"

#include <simgrid/version.h>  // after the others: 3.32's does not stand alone
#include <xbt/log.h>

namespace orrery {

namespace {

namespace s4u = simgrid::s4u;

constexpr double host_idle = 60.0, host_busy = 260.0, link_idle = 2.0, link_busy = 12.0;  // watts
constexpr double a_seconds = 2.0, b_seconds = 3.0, message = 1e9;

Platform platform() {
  Platform two = test::star(2, {4e9, 0.0});
  two.links[3].bandwidth = BytesPerSecond(1e9);  // B down
  return two;
}

enum class Meter { host_a, host_b, a_up, a_down, b_up, b_down };

#if SIMGRID_VERSION >= 40000
s4u::NetZone* make_zone(s4u::Engine& engine) {
  return engine.get_netzone_root()->add_netzone_star("star");
}
s4u::Host* make_host(s4u::NetZone* zone, const std::string& name) {
  return zone->add_host(name, 1.0);
}
s4u::Link* make_link(s4u::NetZone* zone, const std::string& name, double rate) {
  return zone->add_link(name, rate);
}
void connect(s4u::NetZone* zone, const s4u::Host* from, const s4u::Host* to, s4u::Link* link) {
  zone->add_route(from, to, {s4u::LinkInRoute(link)}, false);
}
#else
s4u::NetZone* make_zone(s4u::Engine&) {
  return s4u::create_star_zone("star");
}
s4u::Host* make_host(s4u::NetZone* zone, const std::string& name) {
  return zone->create_host(name, 1.0);
}
s4u::Link* make_link(s4u::NetZone* zone, const std::string& name, double rate) {
  return zone->create_link(name, rate);
}
void connect(s4u::NetZone* zone, const s4u::Host* from, const s4u::Host* to, s4u::Link* link) {
  zone->add_route(from ? from->get_netpoint() : nullptr, to ? to->get_netpoint() : nullptr, nullptr, nullptr,
                  {s4u::LinkInRoute(link)}, false);
}
#endif

/// The same platform in SimGrid, with the wattages on it.
struct Wired {
  std::vector<s4u::Host*> hosts;
  std::vector<s4u::Link*> links;  // A up, A down, B up, B down

  explicit Wired(s4u::Engine& engine) {
    s4u::NetZone* zone = make_zone(engine);
    const Platform two = platform();
    for (const PlatformLink& link : two.links) {
      links.push_back(make_link(zone, link.name, link.bandwidth.value()));
      links.back()->set_property("wattage_range", "2:12")->seal();
    }
    for (std::size_t i = 0; i < 2; ++i) {
      s4u::Host* host = make_host(zone, two.hosts[i].name);
      // Idle, at any load, at full load: a processor that works draws the same whatever it does.
      host->set_property("wattage_per_state", "60:260:260")->set_property("wattage_off", "0")->seal();
      connect(zone, host, nullptr, links[2 * i]);
      connect(zone, nullptr, host, links[2 * i + 1]);
      hosts.push_back(host);
    }
    zone->seal();
  }
};

double joules_by_simgrid(Meter meter) {
  xbt_log_control_set("root.thresh:warning");
  s4u::Engine engine("energy");
  // SimGrid refuses a model once it has run: when another test has, in this process, it has this one already.
  if (simgrid::config::get_value<std::string>("network/model") != "CM02") {
    s4u::Engine::set_config("network/model:CM02");
    s4u::Engine::set_config("network/crosstraffic:0");
  }
  sg_host_energy_plugin_init();
  sg_link_energy_plugin_init();
  const Wired wired(engine);
  const auto compute = [&](std::size_t host, double seconds) {
    const s4u::ExecPtr exec = s4u::Exec::init()->set_host(wired.hosts[host])->set_flops_amount(seconds);
    exec->start();
    engine.run();
  };
  compute(0, a_seconds);
  const s4u::CommPtr comm = s4u::Comm::sendto_init(wired.hosts[0], wired.hosts[1]);
  comm->set_payload_size(static_cast<std::uint64_t>(message));
  comm->start();
  engine.run();
  compute(1, b_seconds);
  sg_host_energy_update_all();
  const auto index = static_cast<std::size_t>(meter);
  return index < 2 ? sg_host_get_consumed_energy(wired.hosts[index])
                   : sg_link_get_consumed_energy(wired.links[index - 2]);
}

double joules_from_records(Meter meter) {
  Program program(2);
  const auto add = [&](std::size_t rank, Stream stream, const Action& action, std::vector<OpId> after) {
    return program.add({RankId(rank), stream, Dimension::none, Phase::forward, {}, -1, std::move(after), action});
  };
  const OpId first = add(0, Stream::compute, Compute{Seconds(a_seconds), Flops()}, {});
  add(0, Stream::send, Send{RankId(1), Bytes(message), 0}, {first});
  const OpId arrived = add(1, Stream::receive, Receive{RankId(0), 0}, {});
  add(1, Stream::compute, Compute{Seconds(b_seconds), Flops()}, {arrived});
  const Platform two = platform();
  const Records records = run_program(program, *make_simgrid_kernel(two), test::all_hosts(two), {});

  const auto index = static_cast<std::size_t>(meter);
  const double makespan = records.makespan.value();
  if (index >= 2) {
    const LinkUse& use = records.links[index - 2];
    const Seconds at_full_load = use.bytes / two.links[index - 2].bandwidth;
    return link_idle * makespan + (link_busy - link_idle) * at_full_load.value();
  }
  double joules = host_idle * makespan;
  for (const Activity& activity : records.activities) {
    if (activity.stream != Stream::compute || activity.rank.index() != index) continue;
    joules += (host_busy - host_idle) * (activity.end - activity.start).value();
  }
  return joules;
}

}  // namespace

TEST_CASE("joules from our records equal SimGrid's energy plugins and the sum by hand") {
  const auto [meter, by_hand] = GENERATE(table<Meter, double>({{Meter::host_a, 760.0},
                                                               {Meter::host_b, 960.0},
                                                               {Meter::a_up, 14.5},
                                                               {Meter::a_down, 12.0},
                                                               {Meter::b_up, 12.0},
                                                               {Meter::b_down, 22.0}}));
  const Meter which = meter;
  CHECK(test::in_fresh_process([which] { return joules_from_records(which); }) == Approx(by_hand).epsilon(1e-9));
  CHECK(test::in_fresh_process([which] { return joules_by_simgrid(which); }) == Approx(by_hand).epsilon(1e-9));
}

}  // namespace orrery
