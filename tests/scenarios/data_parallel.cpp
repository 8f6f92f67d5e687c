// Plans of `single` and `data`.
#include "scenarios/strategies/buckets.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/small.hpp"

namespace orrery {
namespace {

// 2NN: 198,800 multiply-adds forward per sample; backward twice as many. On the `gpu` of 1 GFLOP/s:
constexpr double forward_s = 2 * 198'800 / 1e9;
constexpr double gradient_bytes = 4 * 199'210;

std::string strategy(const std::string& kind, const std::string& keys = "") {
  return "[[strategy]]\nname = \"a\"\nkind = \"" + kind + "\"\n" + keys;
}

std::size_t count_ops(const Program& program, Stream stream, Phase phase) {
  std::size_t count = 0;
  for (const Op& op : program.ops()) count += op.stream == stream && op.phase == phase ? 1 : 0;
  return count;
}

double exchanged_bytes(const Program& program) {
  double bytes = 0;
  for (const Collective& collective : program.collectives()) bytes += collective.bytes.value();
  return bytes;
}

}  // namespace

TEST_CASE("one device works forward, backward and updates") {
  const Lab lab(two_layer_lab("batch = 16") + strategy("single"));
  const Plan plan = lab.plan();
  CHECK(plan.program.ops().size() == 3);
  CHECK(plan.model_flops.value() == Approx(16 * 6.0 * 198'800));
  CHECK(plan.memory.weights.value() == gradient_bytes);
  CHECK(lab.run(plan).makespan.value() == Approx(16 * 3 * forward_s));
}

TEST_CASE("micro-steps repeat forward and backward but not the update") {
  const Lab lab(two_layer_lab("batch = 16\naccumulation = 4") + strategy("single"));
  const Plan plan = lab.plan();
  CHECK(plan.program.ops().size() == 4 * 2 + 1);
  CHECK(plan.microbatches == 4);
  CHECK(plan.samples == 16);
  CHECK(lab.run(plan).makespan.value() == Approx(16 * 3 * forward_s));
}

TEST_CASE("data parallelism exchanges four bytes per parameter") {
  const int devices = GENERATE(2, 4, 8);
  const Lab lab(two_layer_lab() + strategy("data", "devices = " + std::to_string(devices) + "\n"));
  const Plan plan = lab.plan();
  CHECK(exchanged_bytes(plan.program) == gradient_bytes);
  CHECK(plan.degrees.dp == devices);
  const auto ranks = static_cast<std::size_t>(devices);
  CHECK(plan.program.ranks() == ranks);
  // One bucket holds all of it; it is complete after dense1, and the flatten below comes after it.
  CHECK(count_ops(plan.program, Stream::collective, Phase::gradient_exchange) == ranks);
  CHECK(count_ops(plan.program, Stream::compute, Phase::backward) == 2 * ranks);
}

TEST_CASE("half precision halves the bytes, eight-bit products do not halve them again") {
  const auto bytes = [](const std::string& precision) {
    return exchanged_bytes(Lab(two_layer_lab("precision = \"" + precision + "\"") + strategy("data")).plan().program);
  };
  CHECK(bytes("bf16") == gradient_bytes / 2);
  CHECK(bytes("fp8") == gradient_bytes / 2);
  CHECK(bytes("tf32") == gradient_bytes);
}

TEST_CASE("data parallelism on one device is the single device") {
  const Lab alone(two_layer_lab() + strategy("single"));
  const Lab replicated(two_layer_lab() + strategy("data", "devices = 1\n"));
  CHECK(dump(replicated.plan().program) == dump(alone.plan().program));
}

TEST_CASE("exchange after backward takes compute plus all-reduce") {
  // Ring of 4 on equal links: 2 (N - 1) (latency + S / (N bandwidth)); 10 us from device to device.
  const Lab lab(two_layer_lab("batch = 64") + strategy("data", "devices = 4\noverlap = false\n"));
  const double ring = 6 * (10e-6 + gradient_bytes / (4 * 1e9));
  CHECK(lab.run(lab.plan()).makespan.value() == Approx(16 * 3 * forward_s + ring));
  CHECK(lab.run(lab.plan(), EngineKind::flow).makespan.value() == Approx(16 * 3 * forward_s + ring));
}

TEST_CASE("buckets hide the exchange behind backward, and never slow the step") {
  for (const char* collective : {"ring", "halving-doubling", "double-binary-tree", "hierarchical"}) {
    const auto makespan = [&](const std::string& keys) {
      const Lab lab(two_layer_lab("batch = 64") +
                    strategy("data", std::string("collective = \"") + collective + "\"\nbucket_MiB = 0.001\n" + keys));
      return lab.run(lab.plan()).makespan.value();
    };
    CHECK(makespan("overlap = true\n") < makespan("overlap = false\n"));
  }
}

TEST_CASE("only the last micro-step exchanges") {
  const Lab lab(two_layer_lab("batch = 64\naccumulation = 4") + strategy("data", "devices = 4\n"));
  const Plan plan = lab.plan();
  CHECK(exchanged_bytes(plan.program) == gradient_bytes);
  CHECK(count_ops(plan.program, Stream::compute, Phase::forward) == 16);
  CHECK(plan.microbatches == 4);
}

TEST_CASE("a parameter server has a rank and a device of its own") {
  const Lab lab(two_layer_lab("batch = 63") + strategy("data", "collective = \"parameter-server\"\n"));
  const Plan plan = lab.plan();
  CHECK(plan.degrees.dp == 7);
  CHECK(plan.program.ranks() == 8);
  CHECK(plan.program.collectives()[0].root == 7);
  CHECK(count_ops(plan.program, Stream::compute, Phase::optimizer) == 7);
  // Push and pull of 7 replicas through the server's one link: 2 (latency + 7 S / bandwidth).
  const double exchange = 2 * (10e-6 + 7 * gradient_bytes / 1e9);
  CHECK(lab.run(plan, EngineKind::flow).makespan.value() == Approx(9 * 3 * forward_s + exchange));
}

TEST_CASE("the server's sum takes its memory's time, after the exchange and before the updates") {
  Scenario scenario =
      scenario_of(two_layer_lab("batch = 63") + strategy("data", "collective = \"parameter-server\"\n"));
  StrategySpec& spec = scenario.strategies[0];
  spec.cluster.description.device.memory_bandwidth = BytesPerSecond(1e9);
  const Cluster cluster = build_cluster(spec.cluster.description);
  const CostModel cost = cost_model(scenario, spec, small_catalogue());
  const Plan plan = plan_data({scenario, spec, cost, cluster});
  REQUIRE(check(plan.program).empty());
  const auto kernel = make_kernel(EngineKind::flow, cluster.platform);
  const Records records = run_program(plan.program, *kernel, plan.placement, {});
  const auto of_phase = [&](Phase phase) {
    std::vector<Activity> found;
    for (const Activity& activity : records.activities) {
      if (activity.stream == Stream::compute && activity.phase == phase) found.push_back(activity);
    }
    return found;
  };
  const std::vector<Activity> sums = of_phase(Phase::aggregate), updates = of_phase(Phase::optimizer);
  REQUIRE(sums.size() == 1);  // one bucket holds all of it
  CHECK(sums[0].rank == RankId(std::size_t{7}));
  CHECK((sums[0].end - sums[0].start).value() == Approx(8 * gradient_bytes / 1e9));  // 7 read, 1 written
  REQUIRE(updates.size() == 7);
  for (const Activity& update : updates) CHECK(update.start == sums[0].end);
  for (const Activity& activity : records.activities) {
    if (activity.stream == Stream::collective) CHECK(activity.end <= sums[0].start);
  }
}

TEST_CASE("with small buckets the server adds up one by one") {
  const Lab lab(two_layer_lab("batch = 63") +
                strategy("data", "collective = \"parameter-server\"\nbucket_MiB = 0.001\n"));
  CHECK(count_ops(lab.plan().program, Stream::compute, Phase::aggregate) == 3);
}

TEST_CASE("buckets are filled from the last layer, a layer is never cut") {
  const LayerGraph graph = load_network("2nn");  // 0 flatten, 1 dense1, 2 relu1, 3 dense2, 4 relu2, 5 dense3, 6 loss
  const auto buckets = gradient_buckets(graph, Bytes(10'000), Bytes(4));
  REQUIRE(buckets.size() == 3);
  CHECK(buckets[0].layers == Span{3, 7});  // dense3 has 8,040 bytes: below the capacity, so dense2 joins it
  CHECK(buckets[0].bytes.value() == 4 * (2'010 + 40'200));
  CHECK(buckets[1].layers == Span{1, 3});
  CHECK(buckets[1].bytes.value() == 4 * 157'000);
  CHECK(buckets[2].layers == Span{0, 1});
  CHECK(buckets[2].bytes.value() == 0);
}

TEST_CASE("buckets cover every layer once and every gradient, whatever their capacity") {
  const LayerGraph graph = load_network("resnet50");
  for (const double mebibytes : {0.0001, 0.5, 1.0, 5.0, 25.0, 1000.0}) {
    std::size_t end = graph.layers.size();
    double bytes = 0;
    for (const Bucket& bucket : gradient_buckets(graph, Bytes(mebibytes * mebi), Bytes(4))) {
      CHECK(bucket.layers.end == end);
      CHECK(bucket.layers.size() >= 1);
      end = bucket.layers.first;
      bytes += bucket.bytes.value();
    }
    CHECK(end == 0);
    CHECK(bytes == 4.0 * 25'557'032);
  }
}

TEST_CASE("stragglers are left to analysis: their share grows with each doubling") {
  const std::string workload =
      "[workload]\nnetwork = \"2nn\"\nframework = \"pytorch\"\n[cluster]\ndevice = \"gpu\"\nnodes = 8\n"
      "network_link = \"net\"\n";
  CHECK(Lab(workload + strategy("data", "devices = 8\n")).plan().straggler_share == Approx(3 * 0.009));
  CHECK(Lab(workload + strategy("data", "devices = 1\n")).plan().straggler_share == 0);
}

TEST_CASE("a job made by hand that cannot be split is infeasible, with its numbers") {
  Scenario scenario = scenario_of(two_layer_lab("batch = 60") + strategy("data", "devices = 4\n"));
  const auto reason = [&](int devices, std::int64_t batch) -> std::string {
    scenario.strategies[0].devices = devices;
    scenario.workload.batch = batch;
    const CostModel cost = cost_model(scenario, scenario.strategies[0], small_catalogue());
    const Cluster cluster = build_cluster(scenario.strategies[0].cluster.description);
    try {
      plan_data({scenario, scenario.strategies[0], cost, cluster});
    } catch (const Infeasible& error) {
      return error.what();
    }
    return "";
  };
  CHECK(reason(16, 64) == "needs 16 devices, the cluster has 8 (8 nodes x 1 gpu)");
  CHECK(reason(8, 60) == "a batch of 60 samples cannot be cut into 8 equal parts (8 replicas x 1 micro-steps)");
}

}  // namespace orrery
