// What a message crosses, and platforms that no engine may see.
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/engine/kernel.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery::test {

TEST_CASE("routes follow the ports of a host") {
  const Platform platform = cluster(2, 2, 1, {{8e9, 2.0}, {1e9, 6.0}, 4e9});
  const Route inside = route(platform, DeviceId(0), DeviceId(1));
  CHECK(inside.links.size() == 2);
  CHECK(inside.latency == Seconds(2.0));
  CHECK(inside.bandwidth == BytesPerSecond(8e9));
  const Route across = route(platform, DeviceId(0), DeviceId(2));
  CHECK(across.links.size() == 4);
  CHECK(across.latency == Seconds(6.0));
  CHECK(across.bandwidth == BytesPerSecond(1e9));
  const Route self = route(platform, DeviceId(3), DeviceId(3));
  CHECK(self.links.empty());
  CHECK(self.latency == Seconds());
  CHECK(self.bandwidth.value() == std::numeric_limits<double>::infinity());
}

TEST_CASE("a host without network port reaches its own node alone") {
  Platform platform = cluster(2, 2, 2, {{8e9, 0.0}, {1e9, 0.0}, 4e9});
  platform.hosts[1].network.reset();
  CHECK(route(platform, DeviceId(0), DeviceId(1)).links.size() == 2);
  std::string reason;
  try {
    route(platform, DeviceId(2), DeviceId(1));
  } catch (const Infeasible& error) {
    reason = error.what();
  }
  CHECK(reason == "there is no way from node1.device0 to node0.device1: node0.device1 has no network port");
}

TEST_CASE("every defect of a platform is told before an engine sees it") {
  Platform platform = star(2, {1e9, 0.0});
  CHECK(check(platform).empty());
  platform.links[0].bandwidth = BytesPerSecond(0.0);
  platform.links[1].latency = Seconds(-1.0);
  platform.links[2].name = "host0.up";
  platform.hosts[0].network->up.push_back(LinkId(9));
  platform.hosts[1].network->zone = 3;
  platform.hosts[1].name = "";
  CHECK(check(platform) == std::vector<std::string>{"link host0.up: the name is given twice", "a host has no name",
                                                    "link host0.up: its bandwidth is not above 0",
                                                    "link host0.down: its latency is not a time of 0 or more",
                                                    "host host0: it uses a link that does not exist",
                                                    "host : its zone 3 does not exist"});
  CHECK_THROWS_AS(make_closed_form_kernel(platform), std::runtime_error);
}

}  // namespace orrery::test
