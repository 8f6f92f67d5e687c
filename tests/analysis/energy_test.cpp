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

TEST_CASE("a device's time is split in busy, blocked and idle, computing first") {
  const std::vector<Activity> own = {compute_activity(0, Phase::forward, 1, 4),
                                     communication(0, Stream::collective, Dimension::dp, 3, 5, 6, 1),
                                     communication(0, Stream::receive, Dimension::pp, 7, 8, 9)};
  const DeviceTime spinning = device_time(own, Seconds(0), Seconds(10), Waiting::blocked);
  CHECK(spinning.busy.value() == 3);         // 1-4
  CHECK(spinning.blocked.value() == 2 + 2);  // 4-6, 7-9
  CHECK(spinning.idle.value() == 3);         // 0-1, 6-7, 9-10
  const DeviceTime asleep = device_time(own, Seconds(0), Seconds(10), Waiting::idle);
  CHECK(asleep.blocked.value() == 1 + 1);  // 5-6, 8-9
  CHECK(asleep.idle.value() == 5);
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

// Clients: busy 3 + 3 + 4 s, blocked 2 + 3 + 5 s, their links 4 W for 5 + 6 + 9 s and 3 W more for 6 s up and 4 s down;
// client 3 is not selected. Server: busy 1 s, moving 0-2 and 4-9, its link 10 W for 10 s and 50 pJ for 2 x 24e6 bits,
// all with PUE. WAN: 6 MB once each.
TEST_CASE("three clients: energy of a round by hand") {
  EnergySpec energy;
  energy.pue = 1.5;
  energy.wan_J_per_GB = 240;
  const auto rounds = round_energies(three_client_round(), energy);
  REQUIRE(rounds.has_value());
  REQUIRE(rounds->size() == 1);
  const double server_compute = 1.5 * 100;
  const double server_communication = 1.5 * (7 * 90 + 2 * 50e-12 * 24e6);
  const double server_idle = 1.5 * (2 * 10 + 10 * 10);
  check_parts(rounds->front(), 1000 + server_compute, 10 * 90 + 3 * 10 + server_communication + 240 * 6e-3,
              4 * 20 + server_idle);
}

TEST_CASE("energy of links in use goes to the rounds by the bytes they moved") {
  Way way = three_client_round();
  way.federated.round_starts = {Seconds(0), Seconds(5), Seconds(10)};  // up of client 2 starts at 6: 1 of 6 MB
  EnergySpec energy;
  energy.wan_J_per_GB = 6e6;
  energy.blocked_fraction = 0;
  for (Device& device : way.devices) device.idle = Watts(0);
  for (LinkPower& power : way.link_power) power = {};
  const auto rounds = round_energies(way, energy);
  REQUIRE(rounds.has_value());
  CHECK(rounds->at(0).communication.value() == Approx(6e6 * 6e-3 * 5 / 6).epsilon(relative));
  CHECK(rounds->at(1).communication.value() == Approx(6e6 * 6e-3 * 1 / 6).epsilon(relative));
}

TEST_CASE("a client without power figures makes a round's energy unknown, one that is not selected does not") {
  EnergySpec energy;
  Way way = three_client_round();
  way.devices[3].typical = way.devices[3].maximum = Watts(0);
  CHECK(round_energies(way, energy).has_value());
  way.devices[1].typical = way.devices[1].maximum = Watts(0);
  CHECK_FALSE(round_energies(way, energy).has_value());
}

// Two clients send 1 GB each, in 2 s and 4 s; the server stands by for 4 s with PUE.
TEST_CASE("moving the training data: clients blocked while they send, the server standing by") {
  const Way round = three_client_round();
  DataTransfer transfer;
  transfer.time = Seconds(4);
  transfer.bytes = Bytes(2e9);
  transfer.platform = round.platform;
  transfer.link_power = round.link_power;
  transfer.devices = round.devices;
  transfer.records.ranks = 5;
  transfer.records.makespan = Seconds(4);
  transfer.records.links = std::vector<LinkUse>(10);
  for (std::size_t link = 0; link < 10; ++link) transfer.records.links[link].link = LinkId(link);
  for (std::size_t client = 0; client < 2; ++client) {
    const double end = client == 0 ? 2 : 4;
    transfer.records.activities.push_back(communication(client, Stream::send, Dimension::none, 0, 0, end, 1e9));
    transfer.records.links[2 * client].bytes = Bytes(1e9);
    transfer.records.links[2 * client].busy = Seconds(end);
  }
  EnergySpec energy;
  energy.pue = 2;
  energy.wan_J_per_GB = 100;
  check_parts(transfer_energy(transfer, energy), 0, 90 * 6 + 3 * 6 + 200, 4 * 6 + 2 * (10 * 4 + 10 * 4));
  check_parts(transfer_energy(DataTransfer{}, energy), 0, 0, 0);
}

}  // namespace
}  // namespace orrery
