// Bytes that leave nodes, on wires and beside them, where devices do not fill their nodes.
#include <set>

#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

constexpr double llama_numbers = 3'212'749'824;  // parameters of Llama 3.2 3B

Way llama(int devices, const std::string& keys, int nodes = 2) {
  return simulated(shipped_lab(
      "[workload]\nnetwork = \"llama3.2-3b\"\nbatch = " + std::to_string(devices) +
      "\nprecision = \"bf16\"\noptimizer = \"adam\"\nframework = \"modern\"\n[cluster]\nsystem = \"dgx-a100\"\n"
      "nodes = " +
      std::to_string(nodes) + "\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\nrecompute = \"full\"\ndevices = " +
      std::to_string(devices) + "\n" + keys));
}

/// By the NICs that ports to the network lead through, with what is on no wire.
double between_nodes(const Way& way) {
  std::set<LinkId> nics;
  for (const PlatformHost& host : way.platform.hosts) {
    if (host.network && !host.network->up.empty()) nics.insert(host.network->up.back());
  }
  double bytes = way.layout->beside_network.value();
  for (const LinkId nic : nics) {
    const double copies = way.link_copies.empty() ? 1.0 : way.link_copies[nic.index()];
    bytes += way.records.links[nic.index()].bytes.value() * copies;
  }
  return bytes;
}

}  // namespace

// A ring over two nodes leaves each of them once, however many of its ranks stand there; each pass moves
// (n - 1) / n of all bytes over each of its edges.
TEST_CASE("gradients summed in 4 bytes and parameters gathered in 2 leave both nodes once") {
  const int devices = GENERATE(9, 10, 12, 16);
  const std::string stage = GENERATE(as<std::string>(), "1", "2");
  INFO(devices << " devices, stage " << stage);
  const double pass = (devices - 1.0) / devices * llama_numbers;
  CHECK(between_nodes(llama(devices, "zero_stage = " + stage + "\n")) == Approx(2 * pass * (4 + 2)).epsilon(1e-6));
}

TEST_CASE("gradients summed over three nodes go round twice, in 4 bytes") {
  const int devices = GENERATE(17, 24);
  INFO(devices);
  const double pass = (devices - 1.0) / devices * llama_numbers;
  CHECK(between_nodes(llama(devices, "", 3)) == Approx(3 * 2 * pass * 4).epsilon(1e-6));
}

TEST_CASE("gradients summed along trees leave both of two nodes once, in 4 bytes") {
  const int devices = GENERATE(9, 10, 16);
  INFO(devices);
  CHECK(between_nodes(llama(devices, "")) == Approx(2 * llama_numbers * 4).epsilon(1e-6));
}

TEST_CASE("parameters gathered for both passes and gradients summed leave both nodes once") {
  const int devices = GENERATE(9, 10, 16);
  INFO(devices);
  const double pass = (devices - 1.0) / devices * llama_numbers;
  CHECK(between_nodes(llama(devices, "zero_stage = 3\n")) == Approx(2 * pass * (2 + 2 + 4)).epsilon(1e-6));
}

TEST_CASE("states of a stage that stands in one node stay there, the other's leave both of its nodes") {
  // Stages of six devices: 6 on one node; 2 there and 4 on the next, so that four of six messages leave a node, and of
  // the embedding's gradients, 128,256 x 3,072 on either stage, four of six sums.
  const auto of_states = [](const Way& way) {
    double messages = 0, sums = 0;
    for (const Activity& activity : way.records.activities) {
      if (activity.dimension != Dimension::pp) continue;
      double& sum = activity.phase == Phase::gradient_exchange ? sums : messages;
      sum += activity.bytes.value() * way.copies_of(activity.rank);
    }
    CHECK(sums == Approx(4 * 2 * 128256. * 3072 * 4).epsilon(1e-6));
    return between_nodes(way) - messages * 4 / 6 - sums;
  };
  const double summed = of_states(llama(12, "pp = 2\n")), shared = of_states(llama(12, "pp = 2\nzero_stage = 1\n"));
  CHECK(summed > 2 * 4 * llama_numbers / 3);  // along trees; over a third of them is on the second stage
  CHECK(shared == Approx(summed * 5 / 6 * (4 + 2) / 4).epsilon(1e-6));
}

}  // namespace orrery
