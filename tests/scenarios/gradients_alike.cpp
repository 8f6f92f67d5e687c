// Ways of different kinds that do the same work keep and send the same of weights, gradients and optimizer.
#include <fmt/format.h>

#include "scenarios/training_job.hpp"
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

/// Eight replicas.
Scenario replicas(const std::string& framework, const std::string& precision, const std::string& keys,
                  const std::string& strategy) {
  return shipped_lab(
      fmt::format("[workload]\nnetwork = \"gpt2\"\nbatch = 32\nframework = \"{}\"\nprecision = \"{}\"\n{}"
                  "optimizer = \"adam\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 1\n[[strategy]]\n"
                  "name = \"a\"\n{}",
                  framework, precision, keys, strategy));
}

double sent_for_gradients(const Way& way) {
  Bytes sent;
  for (const Activity& activity : way.records.activities) {
    if (activity.phase == Phase::gradient_exchange) sent += activity.bytes * way.copies_of(activity.rank);
  }
  return sent.value();
}

/// A device alone, a client of a federation and a worker beside a parameter server, with eight sequences at a time.
Scenario three_kinds(const std::string& compute) {
  const std::string workload =
      "[workload]\nnetwork = \"gpt2\"\nbatch = 8\ndataset_samples = 64\nframework = \"modern\"\n"
      "precision = \"bf16\"\nsteps = 1\ncompute = \"" +
      compute + "\"\n";
  return shipped_lab(workload +
                     "[cluster]\ndevice = \"a100-sxm-80\"\nnodes = 2\nnetwork_link = \"eth-10g\"\n"
                     "[federation]\nclients = 2\ndevice = \"a100-sxm-80\"\nlink = \"eth-1g\"\n"
                     "server = \"xeon-8380\"\nserver_link = \"eth-1g\"\n"
                     "[[strategy]]\nname = \"alone\"\nkind = \"single\"\n"
                     "[[strategy]]\nname = \"client\"\nkind = \"federated\"\nclients_per_round = 2\nrounds = 1\n"
                     "local_steps = 1\nlocal_batch = 8\n"
                     "[[strategy]]\nname = \"worker\"\nkind = \"async\"\nlocal_batch = 8\n");
}

}  // namespace

TEST_CASE("data parallelism keeps and sends gradients as a layout of replicas does, whatever the framework") {
  const std::string framework = GENERATE(as<std::string>(), "pytorch", "modern", "ideal", "pytorch-ddp");
  const std::string precision = GENERATE(as<std::string>(), "fp32", "fp16", "bf16");
  INFO(framework << " in " << precision);
  const Way data = simulated(replicas(framework, precision, "", "kind = \"data\"\n"));
  const Way layout = simulated(replicas(framework, precision, "", "kind = \"hybrid\"\ndp = 8\nmicrobatch = 4\n"));
  CHECK(sent_for_gradients(data) == Approx(sent_for_gradients(layout)).epsilon(1e-9));
  CHECK(data.memory.weights.value() == Approx(layout.memory.weights.value()).epsilon(1e-9));
  CHECK(data.memory.gradients.value() == Approx(layout.memory.gradients.value()).epsilon(1e-9));
  CHECK(data.memory.optimizer.value() == Approx(layout.memory.optimizer.value()).epsilon(1e-9));
  CHECK(data.memory.working.value() == Approx(layout.memory.working.value()).epsilon(1e-9));
}

// The embedding's 50,257 x 768 weights, on the first and the last stage.
TEST_CASE("a pipeline adds up the gradients of tied weights as a layout does, whatever the framework") {
  const std::string framework = GENERATE(as<std::string>(), "pytorch", "modern", "megatron-2021");
  const std::string precision = GENERATE(as<std::string>(), "fp32", "fp16", "bf16");
  INFO(framework << " in " << precision);
  const std::string pipeline = "kind = \"pipeline\"\ndevices = 4\nmicrobatches = 4\n";
  const std::string layout = "kind = \"hybrid\"\ndevices = 4\npp = 4\ndp = 1\nmicrobatch = 8\n";
  const double sent = sent_for_gradients(simulated(replicas(framework, precision, "", pipeline)));
  CHECK(sent > 2 * 50257 * 768);
  CHECK(sent == Approx(sent_for_gradients(simulated(replicas(framework, precision, "", layout)))).epsilon(1e-9));
}

TEST_CASE("a layout sends the gradients of tied weights between its ends, half of four stages, once each way") {
  const Scenario scenario = replicas("ideal", "fp32", "", "kind = \"hybrid\"\ndevices = 4\npp = 4\ndp = 1\n");
  LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
  const WireBytes sent = judge.predict(scenario.strategies[0].hybrid.layout).exchanged_per_device;
  CHECK(sent.node.value() == Approx(50257. * 768 * 4 * 2 / 4));
  CHECK(sent.network.value() == 0);
}

// 124,439,808 parameters; in a ring of eight each sends 7 / 8 of a sum twice.
TEST_CASE("gradients of 16-bit weights are as wide as the framework says, and as these in the roofline") {
  const double parameters = 124439808;
  const auto way = [](const std::string& framework, const std::string& keys) {
    return simulated(replicas(framework, "bf16", keys, "kind = \"data\"\n"));
  };
  const Way modern = way("modern", ""), ideal = way("ideal", "");
  const Way roofline = way("modern", "compute = \"roofline\"\n");
  CHECK(sent_for_gradients(modern) == Approx(4 * parameters * 14));
  CHECK(sent_for_gradients(ideal) == Approx(2 * parameters * 14));
  CHECK(sent_for_gradients(roofline) == Approx(2 * parameters * 14));
  CHECK(modern.memory.gradients.value() == Approx(4 * parameters));
  CHECK(ideal.memory.gradients.value() == Approx(4 * parameters));
  CHECK(roofline.memory.gradients.value() == Approx(2 * parameters));
}

TEST_CASE("clients and workers keep what a device alone keeps, by operators and by the roofline") {
  const std::string compute = GENERATE(as<std::string>(), "operators", "roofline");
  INFO(compute);
  const Scenario scenario = three_kinds(compute);
  const auto memory = [&](std::size_t strategy) {
    const Way way = simulate_way(scenario, strategy, shipped_catalogue(), {EngineKind::closed_form, {}});
    INFO(way.error);
    REQUIRE(way.status == WayStatus::ok);
    return way.memory;
  };
  const MemoryEstimate alone = memory(0);
  for (const std::size_t other : {std::size_t{1}, std::size_t{2}}) {
    INFO(scenario.strategies[other].name);
    CHECK(memory(other).activations.value() == alone.activations.value());
    CHECK(memory(other).weights.value() == alone.weights.value());
    CHECK(memory(other).gradients.value() == alone.gradients.value());
    CHECK(memory(other).optimizer.value() == alone.optimizer.value());
  }
}

}  // namespace orrery
