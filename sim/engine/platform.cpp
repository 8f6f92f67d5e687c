#include "sim/engine/platform.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "sim/base/errors.hpp"

namespace orrery {

std::string_view name_of(LinkScope scope) {
  switch (scope) {
    case LinkScope::intra_node:
      return "intra_node";
    case LinkScope::inter_node:
      return "inter_node";
    case LinkScope::wan:
      return "wan";
  }
  return "?";
}

LinkId Platform::add_link(PlatformLink link) {
  links.push_back(std::move(link));
  return LinkId(links.size() - 1);
}

namespace {

/// Collects links, each once: a shared link in both lists of a path (a bus, a radio channel) carries the bytes once.
class RouteBuilder {
 public:
  explicit RouteBuilder(const Platform& platform) : platform_(platform) {
    route_.bandwidth = BytesPerSecond(std::numeric_limits<double>::infinity());
  }

  RouteBuilder& add(const std::vector<LinkId>& links) {
    for (const LinkId id : links) {
      if (std::find(route_.links.begin(), route_.links.end(), id) != route_.links.end()) continue;
      const PlatformLink& link = platform_.links[id.index()];
      route_.links.push_back(id);
      route_.latency += link.latency;
      route_.bandwidth = std::min(route_.bandwidth, link.bandwidth);
    }
    return *this;
  }

  Route take() { return std::move(route_); }

 private:
  const Platform& platform_;
  Route route_;
};

}  // namespace

std::int64_t joined_node(const Platform& platform, DeviceId host) {
  const PlatformHost& found = platform.hosts[host.index()];
  return found.inside ? found.node : -1 - static_cast<std::int64_t>(host.index());
}

Route route(const Platform& platform, DeviceId from, DeviceId to) {
  RouteBuilder builder(platform);
  if (from == to) return builder.take();
  const PlatformHost& source = platform.hosts[from.index()];
  const PlatformHost& target = platform.hosts[to.index()];
  if (source.node == target.node && source.inside && target.inside) {
    return builder.add(source.inside->up).add(target.inside->down).take();
  }
  if (!source.network || !target.network) {
    throw Infeasible(fmt::format("there is no way from {} to {}: {} has no network port", source.name, target.name,
                                 source.network ? target.name : source.name));
  }
  builder.add(source.network->up);
  if (source.network->zone != target.network->zone) {
    builder.add(platform.zones[static_cast<std::size_t>(source.network->zone)].up);
    builder.add(platform.zones[static_cast<std::size_t>(target.network->zone)].down);
  }
  return builder.add(target.network->down).take();
}

namespace {

using Reasons = std::vector<std::string>;

void check_ids(const Platform& platform, const std::vector<LinkId>& links, const std::string& owner, Reasons& reasons) {
  for (const LinkId id : links) {
    if (id.valid() && id.index() < platform.links.size()) continue;
    reasons.push_back(fmt::format("{}: it uses a link that does not exist", owner));
  }
}

void check_port(const Platform& platform, const std::optional<Port>& port, const std::string& owner, Reasons& reasons) {
  if (!port) return;
  check_ids(platform, port->up, owner, reasons);
  check_ids(platform, port->down, owner, reasons);
}

void check_link(const PlatformLink& link, Reasons& reasons) {
  if (!std::isfinite(link.bandwidth.value()) || link.bandwidth.value() <= 0.0) {
    reasons.push_back(fmt::format("link {}: its bandwidth is not above 0", link.name));
  }
  if (!std::isfinite(link.latency.value()) || link.latency.value() < 0.0) {
    reasons.push_back(fmt::format("link {}: its latency is not a time of 0 or more", link.name));
  }
}

void check_names(const Platform& platform, Reasons& reasons) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  const auto once = [&](std::string_view kind, const std::string& name) {
    if (name.empty()) reasons.push_back(fmt::format("a {} has no name", kind));
    if (!name.empty() && !seen.emplace(kind, name).second) {
      reasons.push_back(fmt::format("{} {}: the name is given twice", kind, name));
    }
  };
  for (const PlatformLink& link : platform.links) once("link", link.name);
  for (const Zone& zone : platform.zones) once("zone", zone.name);
  for (const PlatformHost& host : platform.hosts) once("host", host.name);
}

}  // namespace

std::vector<std::string> check(const Platform& platform) {
  Reasons reasons;
  check_names(platform, reasons);
  for (const PlatformLink& link : platform.links) check_link(link, reasons);
  for (const Zone& zone : platform.zones) {
    check_ids(platform, zone.up, "zone " + zone.name, reasons);
    check_ids(platform, zone.down, "zone " + zone.name, reasons);
  }
  for (const PlatformHost& host : platform.hosts) {
    check_port(platform, host.inside, "host " + host.name, reasons);
    check_port(platform, host.network, "host " + host.name, reasons);
    const bool lost = host.network &&
                      (host.network->zone < 0 || static_cast<std::size_t>(host.network->zone) >= platform.zones.size());
    if (lost) reasons.push_back(fmt::format("host {}: its zone {} does not exist", host.name, host.network->zone));
  }
  return reasons;
}

}  // namespace orrery
