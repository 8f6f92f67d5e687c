#include "tests/analysis/hand_made.hpp"

#include <algorithm>
#include <array>

namespace orrery {
namespace {

const std::vector<Activity>& all_reduce_step() {
  static const std::vector<Activity> activities = {
      compute_activity(0, Phase::forward, 0, 1, 2e11),
      compute_activity(0, Phase::backward, 1, 3, 4e11),
      compute_activity(1, Phase::forward, 0, 1.5, 2e11),
      compute_activity(1, Phase::backward, 1.5, 4, 4e11),
      communication(0, Stream::collective, Dimension::dp, 3, 4, 5, 1e9),
      communication(1, Stream::collective, Dimension::dp, 4, 4, 5, 1e9),
      compute_activity(0, Phase::optimizer, 5, 5.5),
      compute_activity(1, Phase::optimizer, 5, 5.5),
  };
  return activities;
}

/// Adds a link and what it draws to a way.
LinkId add(Way& way, PlatformLink link, const LinkPower& power) {
  way.link_power.push_back(power);
  way.records.links.push_back({LinkId(way.platform.links.size()), Bytes{}, Seconds{}});
  return way.platform.add_link(std::move(link));
}

Way node_of_three() {
  Way way;
  const LinkPower power{Watts(1), 10, Watts(0)};
  for (std::size_t device = 0; device < 3; ++device) {
    PlatformHost host;
    host.name = "node0.gpu" + std::to_string(device);
    const BytesPerSecond rate(2 * giga);
    const LinkId up = add(way, {host.name + ".up", rate, Seconds(0), LinkScope::intra_node}, power);
    const LinkId down = add(way, {host.name + ".down", rate, Seconds(0), LinkScope::intra_node}, power);
    host.inside = Port{0, {up}, {down}};
    way.platform.hosts.push_back(host);
    way.devices.push_back(hand_device());
  }
  way.capacity = hand_device().memory;
  way.samples_per_step = 64;
  way.model_flops = Flops(1.1e12);
  way.memory = {Bytes(1 * gibi), Bytes(1 * gibi), Bytes(2 * gibi), Bytes(0.5 * gibi)};
  way.steps = 100;
  return way;
}

void add_message(Records& records, std::size_t from, std::size_t to, double start, double end) {
  Activity send = communication(from, Stream::send, Dimension::dp, start, start, end, 1e6);
  send.phase = Phase::transfer;
  send.peer = RankId(to);
  Activity receive = send;
  receive.rank = RankId(to);
  receive.stream = Stream::receive;
  receive.bytes = Bytes{};
  receive.peer = RankId(from);
  records.activities.push_back(send);
  records.activities.push_back(receive);
}

void add_federation_hosts(Way& way) {
  for (std::size_t host = 0; host < 5; ++host) {
    const bool server = host == 4;
    const LinkPower power = server ? LinkPower{Watts(5), 50, Watts(0)} : LinkPower{Watts(2), 0, Watts(3)};
    const std::string name = server ? "server" : "client" + std::to_string(host);
    PlatformHost member;
    member.name = name;
    member.node = static_cast<std::int32_t>(host);
    const BytesPerSecond rate(1 * mega);
    const LinkId up = add(way, {name + ".up", rate, Seconds(0), LinkScope::wan}, power);
    const LinkId down = add(way, {name + ".down", rate, Seconds(0), LinkScope::wan}, power);
    member.network = Port{0, {up}, {down}};
    way.platform.hosts.push_back(member);
    way.devices.push_back(hand_device());
    way.placement.emplace_back(host);
  }
  way.platform.zones.push_back({"internet", {}, {}});
}

}  // namespace

Device hand_device() {
  Device device;
  device.id = device.name = "box";
  device.kind = "gpu";
  device.peak[static_cast<std::size_t>(Precision::fp32)] = FlopsPerSecond(1 * tera);
  device.memory = Bytes(16 * gibi);
  device.memory_bandwidth = BytesPerSecond(100 * giga);
  device.idle = Watts(10);
  device.typical = Watts(100);
  device.maximum = Watts(200);
  return device;
}

Scenario hand_scenario(const std::vector<StrategyKind>& kinds) {
  Scenario scenario;
  scenario.file = "hand.toml";
  scenario.name = "hand";
  scenario.question = "what does it add up to?";
  scenario.workload.network.name = "tiny";
  scenario.workload.network.sample = "image";
  scenario.workload.batch = 64;
  for (const StrategyKind kind : kinds) {
    StrategySpec strategy;
    strategy.kind = kind;
    const std::vector<std::string> names = {"single", "data", "model", "pipeline", "federated"};
    strategy.name = names[static_cast<std::size_t>(kind)];
    strategy.devices = kind == StrategyKind::single ? 1 : 2;
    strategy.cluster.description.device = hand_device();
    strategy.cluster.description.devices_per_node = 3;
    scenario.strategies.push_back(strategy);
  }
  scenario.federation.groups = {{4, hand_device(), Link{}, 1.0}};
  scenario.federation.server = hand_device();
  return scenario;
}

Activity compute_activity(std::size_t rank, Phase phase, double start, double end, double flops) {
  Activity activity;
  activity.rank = RankId(rank);
  activity.phase = phase;
  activity.ready = activity.start = Seconds(start);
  activity.end = Seconds(end);
  activity.flops = Flops(flops);
  return activity;
}

Activity communication(std::size_t rank, Stream stream, Dimension dimension, double ready, double start, double end,
                       double bytes) {
  Activity activity;
  activity.rank = RankId(rank);
  activity.stream = stream;
  activity.dimension = dimension;
  activity.phase = Phase::gradient_exchange;
  activity.ready = Seconds(ready);
  activity.start = Seconds(start);
  activity.end = Seconds(end);
  activity.bytes = Bytes(bytes);
  return activity;
}

Way two_device_step() {
  Way way = node_of_three();
  way.strategy = "data";
  way.degrees.dp = 2;
  way.placement = {DeviceId(0), DeviceId(1)};
  way.records.makespan = Seconds(5.5);
  way.records.ranks = 2;
  way.records.activities = all_reduce_step();
  for (std::size_t link = 0; link < 4; ++link) way.records.links[link] = {LinkId(link), Bytes(1e9), Seconds(1)};
  return way;
}

Way single_device_step() {
  Way way = node_of_three();
  way.strategy = "single";
  way.placement = {DeviceId(0)};
  way.records.makespan = Seconds(6.5);
  way.records.ranks = 1;
  way.records.activities = {compute_activity(0, Phase::forward, 0, 2, 4e11),
                            compute_activity(0, Phase::backward, 2, 6, 8e11),
                            compute_activity(0, Phase::optimizer, 6, 6.5)};
  return way;
}

Way three_client_round() {
  Way way;
  way.strategy = "federated";
  way.degrees.dp = 3;
  way.capacity = hand_device().memory;
  way.samples_per_step = 300;
  way.model_flops = Flops(6e11);
  way.memory = {Bytes(1 * gibi), Bytes(1 * gibi), Bytes(0), Bytes(0.5 * gibi)};
  way.steps = 1;
  add_federation_hosts(way);
  Records& records = way.records;
  records.makespan = Seconds(10);
  records.ranks = 5;
  const std::vector<std::array<double, 3>> ends = {{{1, 4, 5}}, {{1, 4, 6}}, {{2, 6, 9}}};  // of down, training, up
  for (std::size_t client = 0; client < ends.size(); ++client) {
    const auto& [down, training, up] = ends[client];
    add_message(records, 4, client, 0, down);
    add_message(records, client, 4, training, up);
    records.links[2 * client] = {LinkId(2 * client), Bytes(1e6), Seconds(up - training)};
    records.links[2 * client + 1] = {LinkId(2 * client + 1), Bytes(1e6), Seconds(down)};
  }
  records.activities.push_back(compute_activity(0, Phase::forward, 1, 2, 1e11));
  records.activities.push_back(compute_activity(0, Phase::backward, 2, 3, 1e11));
  records.activities.push_back(compute_activity(0, Phase::optimizer, 3, 4));
  records.activities.push_back(compute_activity(1, Phase::forward, 1, 4, 2e11));
  records.activities.push_back(compute_activity(2, Phase::forward, 2, 6, 2e11));
  records.activities.push_back(compute_activity(4, Phase::aggregate, 9, 10));
  records.links[8] = {LinkId(8), Bytes(3e6), Seconds(2)};  // server up: the downloads
  records.links[9] = {LinkId(9), Bytes(3e6), Seconds(5)};
  way.federated.round_starts = {Seconds(0), Seconds(10)};
  way.federated.critical_client = {2};
  way.federated.down = way.federated.up = Bytes(3e6);
  return way;
}

}  // namespace orrery
