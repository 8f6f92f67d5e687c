// What software hides of exchanges beside computing: no more than there is computing, nor beside exchanges on the same
// wires.
#include "models/layouts/judge_state.hpp"
#include "models/layouts/library_paths.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr double most_hidden = 0.9;

/// Eight devices of a node on wires so many times slower than NVLink.
TrainingJob slowed(double times) {
  TrainingJob job = megatron_job({24, 2048, 16}, 96, 8, "modern");
  job.node_law.bus_GBps.value /= times;
  job.node_law.in_network_GBps.value = 0;
  job.framework.tensor_overlap = Ranged(most_hidden);
  job.framework.gather_again_exposed = Ranged(0);
  return job;
}

Layout tensor_parallel(SequenceParallel sequence, int replicas = 1) {
  Layout layout;
  layout.tp = 8 / replicas, layout.dp = replicas;
  layout.sequence_parallel = sequence;
  return layout;
}

Seconds step_without_overheads(const StepParts& parts) {
  return parts.compute + parts.recompute + parts.exposed_tp + parts.exposed_dp;
}

}  // namespace

TEST_CASE("a step is no shorter than its bytes on the wire, whatever software hides") {
  for (const SequenceParallel sequence : {SequenceParallel::off, SequenceParallel::on}) {
    for (const int replicas : {1, 2, 4}) {
      for (const double times : {1.0, 10.0, 100.0, 1000.0}) {
        const TrainingJob job = slowed(times);
        const StepPrediction step = LayoutJudge(job).predict(tensor_parallel(sequence, replicas));
        const BytesPerSecond bus = paths_of(job).node.bus;
        INFO(replicas << " replicas, " << times << " times slower");
        CHECK(step_without_overheads(step.parts) >= (step.exchanged_per_device.total() / bus) * 0.999);
      }
    }
  }
}

TEST_CASE("pieces of products hide exchanges with sequence parallelism alone") {
  TrainingJob job = slowed(1);
  const auto shown = [&](SequenceParallel sequence, double overlap) {
    job.framework.tensor_overlap = Ranged(overlap);
    return LayoutJudge(job).predict(tensor_parallel(sequence)).parts.exposed_tp.value();
  };
  CHECK(shown(SequenceParallel::on, 0.5) == Approx(0.5 * shown(SequenceParallel::on, 0)).epsilon(0.05));
  // Half of the exchanges are backward, and half of those are hidden.
  CHECK(shown(SequenceParallel::off, 0.5) == Approx(0.75 * shown(SequenceParallel::off, 0)).epsilon(0.05));
}

TEST_CASE("devices of a PCIe node share its root complex in closed form") {
  TrainingJob job = slowed(1);
  job.cluster.node_link = *shipped_catalogue().link("pcie4x16");
  job.cluster.node_link->host_bridge = BytesPerSecond();
  const double whole = paths_of(job).node.bus.value();
  job.cluster.node_link->host_bridge = BytesPerSecond(whole);
  CHECK(paths_of(job, 4).node.bus.value() == Approx(whole / 4));
  CHECK(paths_of(job).node.bus.value() == Approx(whole / job.cluster.devices_per_node));
  job.cluster.node_link->host_bridge = BytesPerSecond(100 * whole);
  CHECK(paths_of(job).node.bus.value() == Approx(whole));
}

}  // namespace orrery
