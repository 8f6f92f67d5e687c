// Links that form a full mesh of pairs: a device's whole rate is there only when it talks to all others.
#include "models/layouts/library_paths.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/topologies/shipped_catalogue.hpp"
#include "topologies/fabric_law.hpp"

namespace orrery {
namespace {

using namespace testing;

/// Bus bandwidth of an all-reduce of 4 GiB among so many neighbours, GB/s, as nccl-tests counts it.
double bus_of(const std::string& link, int ranks) {
  Problems problems;
  const FabricLaws fabrics = FabricLaws::read(data_directory() / "topologies" / "catalogue", problems);
  problems.throw_if_any();
  TrainingJob job = megatron_job({24, 2048, 16}, 96, 8, "modern");
  job.cluster.node_link = *shipped_catalogue().link(link);
  job.node_law = fabrics.of(*job.cluster.node_link);
  const Paths paths = paths_of(job);
  const Bytes bytes(4 * gibi);
  const LibraryCost cost =
      library_cost(CollectiveKind::all_reduce, {ranks, ranks, 1}, bytes, paths.node, paths.network);
  return bytes.value() * 2.0 * (ranks - 1) / ranks / cost.total().value() / giga;
}

}  // namespace

TEST_CASE("two devices of a mesh have the link between them, eight their links to all") {
  CHECK(bus_of("xgmi-mi300x", 2) == Approx(47.671).epsilon(0.02));  // measured: ML Engineering book, network chapter
  CHECK(bus_of("xgmi-mi300x", 8) == Approx(312.912).epsilon(0.02));
  // Not measured: the same shares of faster links.
  CHECK(bus_of("xgmi-mi355x", 2) < 76.5);
  CHECK(bus_of("xgmi-mi355x", 2) == Approx(47.671 * 76.5 / 64).epsilon(0.02));
  CHECK(bus_of("xgmi-mi355x", 8) == Approx(312.912 * 535.5 / 448).epsilon(0.02));
}

}  // namespace orrery
