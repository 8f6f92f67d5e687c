#include "sim/engine/simgrid_platform.hpp"

#include <simgrid/version.h>  // after s4u.hpp: 3.32's does not stand alone

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace orrery {

namespace s4u = simgrid::s4u;

namespace {

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
#endif

}  // namespace

SimGridPlatform::SimGridPlatform(s4u::Engine& engine, const Platform& platform) : platform_(platform) {
  s4u::NetZone* top = make_top(engine);
  s4u::NetZone* inside = make_star(top, "orrery inside");
  for (const PlatformLink& link : platform.links) {
    links_.push_back(make_link(inside, link.name, link.bandwidth.value() * simgrid_units_per_byte));
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
  check_sample_routes();
}

std::pair<s4u::Host*, s4u::Host*> SimGridPlatform::ends(DeviceId from, DeviceId to) const {
  const PlatformHost &source = platform_.hosts[from.index()], &target = platform_.hosts[to.index()];
  const bool within = source.node == target.node && source.inside && target.inside;
  const Hosts &a = hosts(from), &b = hosts(to);
  return within ? std::pair(a.inside, b.inside) : std::pair(a.network, b.network);
}

void SimGridPlatform::add(const PlatformHost& host, s4u::NetZone* inside, const std::vector<s4u::NetZone*>& leaves) {
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

template <class End>
void SimGridPlatform::connect(s4u::NetZone* zone, End* end, const std::vector<LinkId>& up,
                              const std::vector<LinkId>& down) {
  End* nowhere = nullptr;
  make_route(zone, end, nowhere, in_route(up));
  make_route(zone, nowhere, end, in_route(down));
}

std::vector<s4u::LinkInRoute> SimGridPlatform::in_route(const std::vector<LinkId>& ids) const {
  std::vector<s4u::LinkInRoute> list;
  for (const LinkId id : ids) list.emplace_back(link(id));
  return list;
}

/// Debian 12's SimGrid can find silently wrong ways through nested zones: compare with ours before anything runs.
void SimGridPlatform::check_route(DeviceId from, DeviceId to) const {
  const auto [source, target] = ends(from, to);
  if (!source || !target) return;
  std::vector<s4u::Link*> found, wanted;
  double latency = 0.0;
  source->route_to(target, found, &latency);
  for (const LinkId id : route(platform_, from, to).links) wanted.push_back(link(id));
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  if (found == wanted) return;
  throw std::runtime_error("SimGrid goes another way than Orrery from " + platform_.hosts[from.index()].name + " to " +
                           platform_.hosts[to.index()].name);
}

/// Neighbours, and pairs far from each other: every host is the start and the end of some.
void SimGridPlatform::check_sample_routes() const {
  const std::size_t count = platform_.hosts.size();
  const std::size_t stride = std::max<std::size_t>(1, count / 256);
  for (std::size_t i = 0; i < count; i += stride) {
    for (const std::size_t other : {i + 1, i + count / 2, count - 1 - i}) {
      if (i != other % count) check_route(DeviceId(i), DeviceId(other % count));
    }
  }
}

}  // namespace orrery
