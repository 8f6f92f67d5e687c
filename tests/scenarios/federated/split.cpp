// Split learning, by hand.
#include "scenarios/federated/split_work.hpp"

#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

FederatedLab split_lab(std::size_t clients) {
  FederatedLab lab(std::vector<LabClient>(clients, {1, 1, 0.1, 0}));
  lab.options().algorithm.kind = AlgorithmKind::split;
  lab.options().local_batch = 4;  // 4, 4, 2
  return lab;
}

/// A network of 3-4-2: 16 parameters, then 10.
LayerGraph three_four_two() {
  return small_network(network_text("[1, 1, 3]", "2",
                                    "{ name = \"wide\", kind = \"dense\", units = 4 },\n"
                                    "{ name = \"bend\", kind = \"relu\" },\n"
                                    "{ name = \"narrow\", kind = \"dense\", units = 2 },\n"
                                    "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
}

}  // namespace

TEST_CASE("the cut lies where the fewest numbers cross, with weights on both sides") {
  const LayerGraph two_nn = load_network("2nn");
  const std::size_t cut = first_server_layer(two_nn, "");
  double fewest = 1e18;
  for (std::size_t layer = 1; layer < two_nn.layers.size(); ++layer) {
    if (parameters(two_nn.layers[layer]) > 0 && layer > 1) {
      fewest = std::min(fewest, static_cast<double>(two_nn.layers[layer].in.count()));
    }
  }
  CHECK(static_cast<double>(two_nn.layers[cut].in.count()) == fewest);
  CHECK(first_server_layer(three_four_two(), "bend") == 2);
  CHECK_THROWS_AS(first_server_layer(three_four_two(), "narrow"), Infeasible);
}

TEST_CASE("a turn of split learning by hand: layers down, batch by batch to and fro, layers up") {
  FederatedLab lab = split_lab(2);
  lab.scenario.workload.network = three_four_two();
  lab.options().cut_layer = "bend";
  for (std::size_t client = 0; client < 2; ++client) {
    lab.group(client).link.down = lab.group(client).link.up = BytesPerSecond(100);
    lab.group(client).link.latency = Seconds(0.1);
    lab.group(client).step_overhead = Seconds(1);
    lab.group(client).per_sample.reset();
    lab.group(client).device.peak.fill(FlopsPerSecond(1e15));
    lab.group(client).device.memory_bandwidth = BytesPerSecond(1e15);
  }
  lab.scenario.federation.server.peak.fill(FlopsPerSecond(8));  // 2 x 4 x 2 products a sample forward, twice backward
  lab.scenario.federation.server.memory_bandwidth = BytesPerSecond(1e15);
  const Way way = lab.run();
  check_books(way);
  const Trip &first = trip_of(way, 0), &second = trip_of(way, 1);
  // 16 parameters are 64 bytes: 0.64 s at 100 bytes a second; 4 numbers a sample, 16 bytes up and 16 down; three
  // batches.
  CHECK(std::min(first.down, second.down) == Bytes(64 + 10 * 16));
  CHECK(first.up == Bytes(64 + 10 * 16));
  CHECK(first.download.value() == Approx(0.64 + 1.6 + 4 * 0.1));
  CHECK(first.upload.value() == Approx(0.64 + 1.6 + 4 * 0.1));
  CHECK(first.compute.value() == Approx(3));
  CHECK(first.waiting.value() == Approx(10 * 16 * 3 / 8.0));
  // One after the other.
  const Trip& later = first.begin < second.begin ? second : first;
  const Trip& earlier = first.begin < second.begin ? first : second;
  CHECK(earlier.end == later.begin);
  const ServerStep& step = way.federated.steps.at(0);
  CHECK(step.end == later.end);
  CHECK(step.aggregation.value() == Approx(2 * 10 * 16 * 3 / 8.0));
}

TEST_CASE("a client of split learning takes its layers' part of its time per sample, and every step's overhead") {
  FederatedLab lab = split_lab(2);
  lab.scenario.workload.network = three_four_two();
  lab.options().cut_layer = "bend";
  const SplitShares shares = client_shares(lab.scenario.workload.network, 2);
  // 2 x 3 x 4 products forward and twice as many back, of those and 2 x 4 x 2 and twice as many
  CHECK(shares.forward == Approx(24 / 120.));
  CHECK(shares.backward == Approx(48 / 120.));
  lab.group(0).step_overhead = Seconds(1);
  lab.group(0).per_sample = Seconds(2);
  lab.group(0).slowdown = 3;
  lab.group(1).capacities = {{Seconds(50), BytesPerSecond(100)}};  // of a capacity trace
  const Way way = lab.run();
  check_books(way);
  const double share = 0.6;
  CHECK(trip_of(way, 0).compute.value() == Approx(10 * 2 * 3 * share + 3));  // ten samples in three steps
  CHECK(trip_of(way, 1).compute.value() == Approx(10 * 50 * share));
}

TEST_CASE("split learning in turns is training one after the other") {
  FederatedLab lab = split_lab(3);
  lab.learn(0.05);
  lab.options().local_batch = 20;
  lab.options().rounds = 2;
  lab.participation().clients_per_round = 2;
  const Way way = lab.run();
  check_books(way);
  CHECK(way.federated.trips.size() == 4);
  REQUIRE(way.curve.size() == 2);
  CHECK(way.curve.back().accuracy > 0.9);
  // In a round the two are different clients.
  for (std::int32_t round = 0; round < 2; ++round) {
    CHECK(way.federated.trips[static_cast<std::size_t>(2 * round)].client !=
          way.federated.trips[static_cast<std::size_t>(2 * round + 1)].client);
  }
}

TEST_CASE("a turn that is interrupted goes on, or is lost, by the policy") {
  FederatedLab lab = split_lab(1);
  lab.online(0, 100, {{0, 0.5}, {2, 100}});
  const Way way = lab.run();
  check_books(way);
  CHECK(trip_of(way, 0).offline.value() == Approx(1.5));
  lab.participation().offline = OfflinePolicy::give_up;
  const Way lost = lab.run();
  check_books(lost);
  CHECK(trip_of(lost, 0).how == TripEnd::dropped);
  CHECK(lost.samples_per_step == 0);
}
