#include "analysis/metrics/energy.hpp"

#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

constexpr double relative = 1e-9;

void check_parts(const std::optional<EnergyParts>& parts, double compute, double communication, double idle) {
  REQUIRE(parts.has_value());
  CHECK(parts->compute.value() == Approx(compute).epsilon(relative));
  CHECK(parts->communication.value() == Approx(communication).epsilon(relative));
  CHECK(parts->idle.value() == Approx(idle).epsilon(relative));
  CHECK(parts->total().value() == Approx(compute + communication + idle).epsilon(relative));
}

ClusterSpec bare_nodes() {
  return {};
}

TEST_CASE(
    "a device's time is split in busy, blocked and idle, computing first, what is waited for is waited for busily") {
  const std::vector<Activity> own = {compute_activity(0, Phase::forward, 1, 4),
                                     communication(0, Stream::collective, Dimension::dp, 3, 5, 6, 1),
                                     communication(0, Stream::receive, Dimension::pp, 7, 8, 9)};
  const DeviceTime spinning = device_time(own, {}, Seconds(0), Seconds(10));
  CHECK(spinning.busy.value() == 3);         // 1-4
  CHECK(spinning.blocked.value() == 2 + 2);  // 4-6, 7-9
  CHECK(spinning.idle.value() == 3);         // 0-1, 6-7, 9-10
  std::vector<Activity> started = own;
  started.push_back(compute_activity(0, Phase::forward, 0, 7));
  started.back().stream = Stream::host;  // until 7, whatever replicas exchange beside it
  CHECK(device_time(started, {}, Seconds(0), Seconds(10)).idle.value() == 1 + 3 + 1);  // 0-1, 4-7, 9-10
}

TEST_CASE("while its host is at work a device stands by, whatever goes on beside but exchanges within its pass") {
  Activity host = compute_activity(0, Phase::forward, 0, 6);
  host.stream = Stream::host;
  const std::vector<Activity> own = {host, compute_activity(0, Phase::forward, 0, 2),
                                     communication(0, Stream::collective, Dimension::tp, 2, 2, 3, 1),
                                     communication(0, Stream::collective, Dimension::dp, 1, 4, 7, 1)};
  const DeviceTime time = device_time(own, {}, Seconds(0), Seconds(8));
  CHECK(time.busy.value() == 2);         // 0-2
  CHECK(time.blocked.value() == 1 + 1);  // 2-3, 6-7
  CHECK(time.idle.value() == 3 + 1);     // 3-6, 7-8
}

TEST_CASE("loading training data is no communication: a device that waits for it stands by") {
  std::vector<Activity> own = {compute_activity(0, Phase::forward, 0, 2), compute_activity(0, Phase::forward, 3, 5)};
  for (const double begin : {0.0, 3.0}) {
    own.push_back(communication(0, Stream::receive, Dimension::dp, begin, begin, begin + 3));
    own.back().phase = Phase::input;
  }
  const DeviceTime time = device_time(own, {}, Seconds(0), Seconds(6));
  CHECK(time.busy.value() == 4);
  CHECK(time.blocked.value() == 0);
  CHECK(time.idle.value() == 2);
  // Nor does it wait for a message that it will want after the pass.
  own.push_back(communication(0, Stream::receive, Dimension::pp, 2, 5, 6));
  const std::vector<Interval> waits = {{Seconds(2), Seconds(3)}};
  const DeviceTime in_pipeline = device_time(own, waits, Seconds(0), Seconds(6));
  CHECK(in_pipeline.blocked.value() == 1);  // 5-6
  CHECK(in_pipeline.idle.value() == 1);     // 2-3
}

TEST_CASE("blocked power is a share of the maximum, but never below idle") {
  Device device = hand_device();
  const DeviceTime time{Seconds(1), Seconds(2), Seconds(4)};
  check_parts(device_energy(time, device, 0.45), 100, 2 * 90, 4 * 10);
  device.idle = Watts(95);
  check_parts(device_energy(time, device, 0.45), 100, 2 * 95, 4 * 95);
}

TEST_CASE("a device without training power takes its maximum, and its energy is unknown without either") {
  Device device = hand_device();
  const DeviceTime time{Seconds(1), Seconds(0), Seconds(0)};
  device.typical = Watts(0);
  check_parts(device_energy(time, device, 0.45), 200, 0, 0);
  device.maximum = Watts(0);
  CHECK_FALSE(device_energy(time, device, 0.45).has_value());
}

// Busy 3.5 s + 4.5 s at 100 W; blocked 2 s + 1 s at 0.45 x 200 W; four lanes of 1 W for 5.5 s, each with
// 10 pJ x 8e9 bits; the third device and its lanes are not charged.
TEST_CASE("two devices: energy of a step by hand") {
  EnergySpec energy;
  check_parts(step_energy(two_device_step(), energy, bare_nodes()), 800, 270 + 4 * 0.08, 4 * 5.5);
}

TEST_CASE("the rest of the node draws training power while a device computes, and PUE multiplies all of it") {
  EnergySpec energy;
  energy.pue = 1.5;
  ClusterSpec cluster;
  cluster.description.rest_idle = Watts(50);
  cluster.description.rest_training = Watts(80);
  // Some device computes in 0-4 and 5-5.5.
  check_parts(step_energy(two_device_step(), energy, cluster), 1.5 * (800 + 80 * 4.5), 1.5 * 270.32,
              1.5 * (22 + 50 * 1.0));
}

TEST_CASE("time lost to stragglers is spent blocked, with links and nodes standing by") {
  Way way = two_device_step();
  way.straggler_share = 0.1;
  ClusterSpec cluster;
  cluster.description.rest_idle = Watts(50);
  EnergySpec energy;
  check_parts(step_energy(way, energy, cluster), 800 + 50 * 4.5, 270.32 + 2 * 90 * 0.55, 4 * 6.05 + 50 * (1.0 + 0.55));
}

TEST_CASE("between kernels a device stands by") {
  Way way = two_device_step();
  way.gap_share = 0.25;  // of 8 s at 100 W; 10 W while it stands by
  EnergySpec energy;
  check_parts(step_energy(way, energy, bare_nodes()), 600, 270.32, 4 * 5.5 + 2 * 10);
}

TEST_CASE("links of leaves are charged when the devices in use stand in more than one") {
  Way way = two_device_step();
  const LinkPower power{Watts(7), 0, Watts(0)};
  for (std::size_t host = 0; host < 2; ++host) {
    const LinkId trunk = way.platform.add_link({"leaf.up", BytesPerSecond(1), Seconds(0), LinkScope::inter_node});
    way.link_power.push_back(power);
    way.platform.zones.push_back({"leaf" + std::to_string(host), {trunk}, {}});
    way.platform.hosts[host].network = Port{static_cast<std::int32_t>(host), {}, {}};
  }
  EnergySpec energy;
  check_parts(step_energy(way, energy, bare_nodes()), 800, 270.32, 4 * 5.5 + 2 * 7 * 5.5);
  way.platform.hosts[1].network->zone = 0;
  check_parts(step_energy(way, energy, bare_nodes()), 800, 270.32, 4 * 5.5);
}

TEST_CASE("the wide area is charged by the marginal joules or by the intensity of the internet, never by both") {
  EnergySpec energy;
  energy.wan_J_per_GB = 240;
  energy.fixed_kWh_per_GB = 0.006;
  CHECK(wan_energy(Bytes(5e9), energy).value() == Approx(1200).epsilon(relative));
  energy.network = NetworkEnergy::intensity;
  CHECK(wan_energy(Bytes(5e9), energy).value() == Approx(5 * 0.006 * 3.6e6).epsilon(relative));
}

}  // namespace
}  // namespace orrery
