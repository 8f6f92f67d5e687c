// Clients behind their own access links, and a server whose link they share.
#include "tests/catch.hpp"
#include "tests/topologies/platforms.hpp"

namespace orrery {

namespace {

FederationDescription three_phones() {
  FederationDescription description;
  Link phone = test::round_link("cellular", 0.004, 20000);
  phone.up = BytesPerSecond(0.001e9);
  phone.efficiency = 0.5;
  phone.client_active = Watts(1.5);
  description.client_devices.resize(3);
  description.client_links.assign(3, phone);
  description.server_link = test::round_link("ethernet", 1, 1000);
  return description;
}

}  // namespace

TEST_CASE("a client's upload takes its own line up and the server's line down") {
  const FederationPlatform federation = build_federation(three_phones());
  const Platform& platform = federation.platform;
  CHECK(check(platform).empty());
  CHECK(federation.server == DeviceId(3));
  CHECK(platform.hosts.size() == 4);
  CHECK(test::route_names(platform, 1, 3) == "client1.cellular.up server.ethernet.down");
  CHECK(test::route_names(platform, 3, 1) == "server.ethernet.up client1.cellular.down");
}

TEST_CASE("rates are effective and differ up and down, and the latency is the client's plus the server's") {
  const FederationPlatform federation = build_federation(three_phones());
  const Route upload = route(federation.platform, DeviceId(0), federation.server);
  const Route download = route(federation.platform, federation.server, DeviceId(0));
  CHECK(upload.bandwidth.value() == Approx(0.5e6));
  CHECK(download.bandwidth.value() == Approx(2e6));
  CHECK(upload.latency.value() == Approx(0.021));
  CHECK(download.latency.value() == Approx(0.021));
}

TEST_CASE("a federation on one Ethernet is no wide-area network, with one radio among its links it is") {
  FederationDescription description = three_phones();
  for (Link& link : description.client_links) link.kind = "ethernet";
  description.server_link.kind = "ethernet";
  const FederationPlatform local = build_federation(description);
  for (const PlatformLink& link : local.platform.links) CHECK(link.scope == LinkScope::inter_node);
  description.client_links[1].kind = "wifi";
  const FederationPlatform wide = build_federation(description);
  for (const PlatformLink& link : wide.platform.links) CHECK(link.scope == LinkScope::wan);
}

TEST_CASE("every link of a federation is wide area and carries its power") {
  const FederationPlatform federation = build_federation(three_phones());
  REQUIRE(federation.link_power.size() == federation.platform.links.size());
  REQUIRE(federation.platform.links.size() == 8);
  for (const PlatformLink& link : federation.platform.links) CHECK(link.scope == LinkScope::wan);
  CHECK(federation.link_power[0].active.value() == 1.5);
  CHECK(federation.link_power[0].always_on.value() == 4);
  CHECK(federation.link_power[7].active.value() == 0);
}

TEST_CASE("clients are nodes of their own, so nothing between them is local") {
  const FederationPlatform federation = build_federation(three_phones());
  CHECK(test::route_names(federation.platform, 0, 2) == "client0.cellular.up client2.cellular.down");
  CHECK(federation.platform.hosts[0].node != federation.platform.hosts[2].node);
}

TEST_CASE("a federation needs clients") {
  CHECK_THROWS_AS(build_federation({}), Infeasible);
}

}  // namespace orrery
