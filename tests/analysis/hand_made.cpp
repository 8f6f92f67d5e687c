#include "tests/analysis/hand_made.hpp"

#include <string>
#include <vector>

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
  way.memory = {Bytes(1 * gibi), Bytes(1 * gibi), Bytes(2 * gibi), Bytes(0.5 * gibi), {}};
  way.steps = 100;
  return way;
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
    const std::vector<std::string> names = {"single", "data",  "model",     "pipeline",
                                            "hybrid", "async", "local-sgd", "federated"};
    strategy.name = names[static_cast<std::size_t>(kind)];
    strategy.devices = kind == StrategyKind::single ? 1 : 2;
    strategy.cluster.description.device = hand_device();
    strategy.cluster.description.devices_per_node = 3;
    scenario.strategies.push_back(strategy);
  }
  ClientGroup group;
  group.count = 4;
  group.device = hand_device();
  group.link = hand_wifi();
  scenario.federation.present = true;
  scenario.federation.groups = {group};
  scenario.federation.server = hand_device();
  scenario.federation.server_link = hand_server_line();
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

Link hand_wifi() {
  Link link;
  link.id = link.name = "air";
  link.kind = "wifi";
  link.down = link.up = BytesPerSecond(1 * mega);
  Radio radio;
  radio.id = "antenna";
  radio.down_nJ_per_bit = 50;
  radio.up_nJ_per_bit = 100;
  radio.base = Watts(0.5);
  radio.tail = Joules(0.2);
  radio.tail_time = Seconds(1);
  link.radio = radio;
  return link;
}

Link hand_server_line() {
  Link link;
  link.id = link.name = "line";
  link.kind = "ethernet";
  link.down = link.up = BytesPerSecond(10 * mega);
  link.port = Watts(5);
  link.energy_pJ_per_bit = 50;
  return link;
}

Population hand_population() {
  const Scenario scenario = hand_scenario({StrategyKind::federated});
  const FederationSpec& federation = scenario.federation;
  return draw_population(federation.groups, federation.server, federation.server_link, scenario.seed);
}

Trip hand_trip(std::int32_t client, std::int32_t round, double begin, double download, double compute, double upload) {
  Trip trip;
  trip.client = client;
  trip.round = round;
  trip.begin = Seconds(begin);
  trip.end = Seconds(begin + download + compute + upload);
  trip.download = Seconds(download);
  trip.compute = Seconds(compute);
  trip.upload = Seconds(upload);
  trip.down = trip.up = Bytes(1e6);
  trip.compute_share = 1;
  return trip;
}

Way three_client_round() {
  Way way;
  way.strategy = "federated";
  way.degrees.dp = 3;
  way.capacity = hand_device().memory;
  way.samples_per_step = 300;
  way.model_flops = Flops(6e11);
  way.memory = {Bytes(1 * gibi), Bytes(1 * gibi), Bytes(0), Bytes(0.5 * gibi), {}};
  way.steps = 1;
  way.samples = {100, 100, 100, 50};
  FederatedRun& run = way.federated;
  run.trips = {hand_trip(0, 0, 0, 1, 3, 1), hand_trip(1, 0, 0, 1, 3, 2), hand_trip(2, 0, 0, 2, 4, 3)};
  ServerStep step;
  step.end = Seconds(10);
  step.aggregation = Seconds(1);
  step.critical_trip = 2;
  run.steps = {step};
  run.optimizer_share = 0.25;
  run.flops_per_sample = Flops(2e9);
  run.lines = {
      {"server", BytesPerSecond(10 * mega), BytesPerSecond(10 * mega), Bytes(3e6), Bytes(3e6), Seconds(2), Seconds(5)}};
  return way;
}

Way two_rounds_with_waste() {
  Way way = three_client_round();
  way.steps = 2;
  way.samples_per_step = 150;
  way.model_flops = Flops(3e11);
  Trip dropped = hand_trip(0, 1, 10, 1, 2, 1);
  dropped.how = TripEnd::dropped;
  dropped.offline = Seconds(2);
  dropped.end = Seconds(16);
  dropped.up = Bytes(5e5);
  Trip late = hand_trip(3, 1, 10, 1, 6, 0);
  late.how = TripEnd::late;
  late.waiting = Seconds(1);
  late.end = Seconds(18);
  late.up = Bytes(0);
  late.compute_share = 0.5;
  way.federated.trips.push_back(dropped);
  way.federated.trips.push_back(late);
  ServerStep step;
  step.begin = Seconds(10);
  step.end = Seconds(18);
  way.federated.steps.push_back(step);
  return way;
}

CurvePoint hand_point(std::int64_t round, double accuracy) {
  CurvePoint at;
  at.round = round;
  at.time = Seconds(5.5 * static_cast<double>(round));
  at.bytes = Bytes(2e9 * static_cast<double>(round));
  at.accuracy = accuracy;
  return at;
}

}  // namespace orrery
