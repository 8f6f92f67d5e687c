// Groups of zero_group that share states: each its own ring, under its own leaf where that holds it.
#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

Scenario on_cluster(const std::string& cluster, const std::string& keys, const std::string& batch = "64") {
  return shipped_lab("[workload]\nnetwork = \"gpt2-medium\"\nbatch = " + batch +
                     "\nprecision = \"fp16\"\noptimizer = \"adam\"\nframework = \"modern\"\n[cluster]\n" + cluster +
                     "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + keys);
}

/// Four nodes of eight, two under each leaf.
Scenario on_leaves(const std::string& keys, const std::string& oversubscription = "8") {
  return on_cluster("system = \"dgx-a100\"\nnodes = 4\nfabric = \"fat-tree\"\nnodes_per_leaf = 2\noversubscription = " +
                        oversubscription + "\n",
                    keys);
}

Scenario a100_and_v100(const std::string& keys) {
  return on_cluster(
      "[[cluster.group]]\nsystem = \"dgx-a100\"\nnodes = 2\n[[cluster.group]]\nsystem = \"dgx1-v100\"\nnodes = 2\n",
      "microbatch = 2\nrecompute = \"selective\"\n" + keys, "768");
}

/// On uplinks and on links in nodes, by all devices, up and down.
std::pair<double, double> uplinks_and_nodes(const Way& way) {
  std::pair<double, double> sum;
  for (const LinkUse& use : way.records.links) {
    const PlatformLink& link = way.platform.links[use.link.index()];
    const double bytes = use.bytes.value() * (way.link_copies.empty() ? 1.0 : way.link_copies[use.link.index()]);
    if (link.name.find("leaf") != std::string::npos) sum.first += bytes;
    if (link.scope == LinkScope::intra_node) sum.second += bytes;
  }
  return sum;
}

double on_wires_and_beside(const Way& way) {
  double sent = way.layout->beside_node.value() + way.layout->beside_network.value();
  for (const Activity& activity : way.records.activities)
    sent += (activity.bytes * way.copies_of(activity.rank)).value();
  return sent;
}

}  // namespace

TEST_CASE("groups that share states take what the closed form says, within 1 %, folded as all") {
  const std::string keys =
      GENERATE(as<std::string>(), "zero_stage = 3\nzero_group = 16\n", "zero_stage = 3\nzero_group = 8\n",
               "zero_stage = 3\nzero_group = 4\n", "zero_stage = 3\nzero_group = 8\ntp = 2\n", "zero_stage = 2\n",
               "zero_stage = 2\nzero_group = 8\n", "zero_stage = 1\nzero_group = 16\n",
               "zero_stage = 3\nzero_group = 16\nmicrobatch = 2\n");
  const std::string oversubscription = GENERATE("1", "8");
  INFO(keys << oversubscription);
  const Scenario scenario = on_leaves(keys, oversubscription);
  const double folded = flow_step(scenario);
  CHECK(folded == Approx(predicted(scenario)).epsilon(0.01));
  CHECK(folded == Approx(flow_step(on_leaves(keys + "fold = \"never\"\n", oversubscription))).epsilon(1e-6));
}

TEST_CASE("of groups under one leaf only the sums of their shards cross its uplinks, and every byte is counted") {
  const Way leaf = simulated(on_leaves("zero_stage = 3\nzero_group = 16\n"));
  const Way all = simulated(on_leaves("zero_stage = 3\n"));
  CHECK(uplinks_and_nodes(leaf).first > 0);
  CHECK(leaf.layout->beside_network.value() < 0.01 * uplinks_and_nodes(leaf).first);
  // Summed: 1/16 of the gradients, once and back over two groups; gathered: all parameters twice.
  CHECK(uplinks_and_nodes(leaf).first < 0.1 * uplinks_and_nodes(leaf).second);
  for (const Way* way : {&leaf, &all}) {
    CHECK(on_wires_and_beside(*way) == Approx(way->layout->sent_per_device.value() * 32).epsilon(1e-6));
  }
}

TEST_CASE("every byte of shared gradients is on a wire or beside it, on wires all but what is gathered at the end") {
  const std::string group = GENERATE(as<std::string>(), "", "zero_group = 8\n", "zero_group = 16\n");
  const std::string fold = GENERATE(as<std::string>(), "", "fold = \"never\"\n");
  CAPTURE(group, fold);
  const Scenario scenario = on_leaves("zero_stage = 2\n" + group + fold, "1");
  const Way way = simulated(scenario);
  CHECK(on_wires_and_beside(way) == Approx(way.layout->sent_per_device.value() * 32).epsilon(1e-6));
  LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
  const LayoutPrices prices = judge.prices(scenario.strategies[0].hybrid.layout);
  const double microbatches = 2;
  const Bytes moved = prices.states_backward.sent.total() + prices.states_summed.total();
  const double beside = way.layout->beside_node.value() + way.layout->beside_network.value();
  const double gathered = way.layout->sent_per_device.value() - microbatches * moved.value();
  CHECK(beside == Approx(32 * gathered).epsilon(1e-6));
}

TEST_CASE("groups that share states on devices of two kinds meet in every pass, in the time of the closed form") {
  const std::string stage = GENERATE(as<std::string>(), "zero_stage = 2\n", "zero_stage = 3\n");
  const std::string group = GENERATE("", "zero_group = 4\n", "zero_group = 8\n", "zero_group = 16\n");
  INFO(stage << group);
  const Scenario scenario = a100_and_v100(stage + group);
  const Way way = simulated(scenario);
  CHECK(step_of(way) == Approx(predicted(scenario)).epsilon(0.01));
  CHECK(on_wires_and_beside(way) == Approx(way.layout->sent_per_device.value() * 32).epsilon(1e-6));
}

}  // namespace orrery
