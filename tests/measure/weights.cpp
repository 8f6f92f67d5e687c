// Training split over processes gives the weights of training in one, to rounding.
#include <fmt/format.h>

#include "tests/catch.hpp"
#include "tests/measure/ranks.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

constexpr int steps = 3;
// Sums in other orders: some roundings of 2^-24 each, grown by three steps.
constexpr double rounding = 2e-5;

std::string workload(const std::string& network, const std::string& keys = "learning_rate = 0.02\n") {
  const int batch = network == "gpt-mini" ? 8 : 24;  // of 128 tokens each
  return fmt::format("network = \"{}\"\nbatch = {}\n{}", network, batch, keys);
}

std::string strategy(const std::string& kind, const std::string& keys = "") {
  return fmt::format("[[strategy]]\nname = \"way\"\nkind = \"{}\"\ndevices = {}\n{}", kind, communicator().size(),
                     keys);
}

double distance(const std::string& workload_keys, const std::string& way, int nodes = communicator().size()) {
  return distance_from_alone(scenario_on(nodes, workload_keys, way), steps);
}

}  // namespace

TEST_CASE("data-parallel training equals training alone") {
  for (const char* keys : {"", "overlap = false\n", "bucket_MiB = 0.1\n", "collective = \"double-binary-tree\"\n",
                           "accumulation = 2\n", "bucket_MiB = 0.01\naccumulation = 2\n"}) {
    CHECK(distance(workload("lenet5"), strategy("data", keys)) < rounding);
  }
  if (communicator().size() == 3) return;  // does not divide the batch
  CHECK(distance(workload("gpt-mini", "optimizer = \"adam\"\nclip_norm = 0.5\n"), strategy("data")) < 1e-3);
}

TEST_CASE("a parameter server changes nothing but the way of the gradients") {
  const int replicas = communicator().size() - 1;
  if (replicas < 2) return;  // needs a server and two replicas
  const std::string way = fmt::format(
      "[[strategy]]\nname = \"way\"\nkind = \"data\"\ndevices = {}\ncollective = \"parameter-server\"\n", replicas);
  CHECK(distance(workload("2nn"), way) < rounding);
}

TEST_CASE("pipelines and splits by layers equal training alone, for skipping tensors and tied weights too") {
  for (const char* network : {"2nn", "lenet5", "transformer-small"}) {
    CHECK(distance(workload(network), strategy("pipeline", "microbatches = 4\n")) < rounding);
    CHECK(distance(workload(network), strategy("pipeline", "microbatches = 4\nschedule = \"gpipe\"\n")) < rounding);
    CHECK(distance(workload(network), strategy("model", "split = \"layers\"\n")) < rounding);
  }
  CHECK(distance(workload("gpt-mini"), strategy("pipeline", "microbatches = 2\n")) < rounding);
  // Statistics of the whole batch: one micro-batch.
  CHECK(distance(workload("resnet-small"), strategy("pipeline", "microbatches = 1\n")) < 1e-3);
}

TEST_CASE("tensor-parallel training equals training alone") {
  for (const char* network : {"2nn", "lenet5", "fedavg-cnn"}) {
    CHECK(distance(workload(network), strategy("model")) < rounding);
  }
  // Three do not divide its vocabulary of 1,000.
  if (communicator().size() != 3) CHECK(distance(workload("gpt-mini"), strategy("model")) < rounding);
  CHECK(distance(workload("lenet5"), strategy("model", "accumulation = 2\n")) < rounding);
  CHECK(distance(workload("2nn", "optimizer = \"momentum\"\nlearning_rate = 0.01\n"), strategy("model")) < rounding);
  // The norms of whole layers, of which each device has a part; with norms of parts 2nn would be off by 5e-3 on two
  // ranks. Where a gradient is almost 0 a first step is as large as anywhere, its sign a rounding: more for attention.
  const std::string lamb = "optimizer = \"lamb\"\nlearning_rate = 0.01\n";
  CHECK(distance(workload("2nn", lamb), strategy("model")) < 1e-4);
  CHECK(distance(workload("transformer-small", lamb), strategy("model")) < 3e-3);
  // Batch normalisation divides by small deviations: roundings grow faster.
  CHECK(distance(workload("resnet-small"), strategy("model")) < 1e-3);
}

TEST_CASE("what cannot be executed split is refused with a reason") {
  if (communicator().size() < 2) return;
  const auto refusal = [](const std::string& workload_keys, const std::string& way) {
    const Scenario scenario = scenario_on(communicator().size(), workload_keys, way);
    try {
      really_trained(scenario, 0, 1);
    } catch (const Infeasible& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal(workload("2nn", "clip_norm = 1.0\n"), strategy("model")) ==
        "clip_norm is not executed here: every device has the gradients of its part only - leave it out, or measure "
        "the data-parallel way");
  CHECK(refusal(workload("2nn"), strategy("data", "precision = \"bf16\"\n")) ==
        "only fp32 is executed by several processes: messages are float32");
}
