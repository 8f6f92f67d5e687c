#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"
#include "topologies/cluster.hpp"
#include "topologies/node.hpp"

namespace orrery {
namespace {

/// A host of its own behind one access link; the whole latency lies on either direction, because the other end of a
/// route is another access link.
void add_member(FederationPlatform& federation, const std::string& name, const Link& link, LinkScope scope) {
  const LinkPower power = power_of(link, 1.0);
  const auto add = [&](const char* direction, BytesPerSecond rate) {
    federation.link_power.push_back(power);
    return federation.platform.add_link({name + "." + link.kind + direction, rate, link.latency, scope});
  };
  PlatformHost host;
  host.name = name;
  host.node = static_cast<std::int32_t>(federation.platform.hosts.size());
  const LinkId up = add(".up", link.effective_up());
  const LinkId down = add(".down", link.effective_down());
  host.network = Port{0, {up}, {down}};
  federation.platform.hosts.push_back(std::move(host));
}

/// One for all of it: a message crosses two access links and is counted once.
LinkScope scope_of(const FederationDescription& description) {
  LinkScope scope = network_scope(description.server_link);
  for (const Link& link : description.client_links) scope = std::max(scope, network_scope(link));
  return scope;
}

}  // namespace

FederationPlatform build_federation(const FederationDescription& description) {
  ORRERY_EXPECT(description.client_links.size() == description.client_devices.size());
  if (description.client_links.empty()) throw Infeasible("a federation without clients has nobody to train");
  const LinkScope scope = scope_of(description);
  FederationPlatform federation;
  federation.platform.zones.push_back({"internet", {}, {}});
  for (std::size_t client = 0; client < description.client_links.size(); ++client) {
    add_member(federation, fmt::format("client{}", client), description.client_links[client], scope);
  }
  add_member(federation, "server", description.server_link, scope);
  federation.server = DeviceId(description.client_links.size());
  return federation;
}

}  // namespace orrery
