// The training data on its way to the cluster.
#include "scenarios/data_transfer.hpp"

#include "tests/catch.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

TEST_CASE("clients move their parts of the data at once, behind the server's shared line") {
  FederatedLab lab(std::vector<LabClient>(4, {1, 1, 0.1, 0.5}));
  lab.scenario.workload.stored_bytes_per_sample = model / 10;  // ten samples each: a model each
  CHECK(transfer_data(lab.scenario, EngineKind::flow).time.value() == Approx(1.5));
  lab.scenario.federation.server_link.down = BytesPerSecond(2 * model);
  const DataTransfer shared = transfer_data(lab.scenario, EngineKind::flow);
  CHECK(shared.time.value() == Approx(2.5));
  CHECK(shared.bytes.value() == 4 * model);
  REQUIRE(shared.run.trips.size() == 4);
  for (const Trip& trip : shared.run.trips) {
    CHECK(trip.up.value() == model);
    CHECK(trip.down.value() == 0);
    CHECK(trip.how == TripEnd::reported);
  }
  REQUIRE(shared.run.steps.size() == 1);
  CHECK(shared.run.steps[0].end == shared.time);
  CHECK(shared.run.lines.at(0).down.value() == Approx(4 * model));
}

TEST_CASE("a client that is offline sends its data when it is back") {
  FederatedLab lab(std::vector<LabClient>(2, {1, 1, 0.1, 0}));
  lab.scenario.workload.stored_bytes_per_sample = model / 10;
  lab.online(0, 1000, {{0.25, 0.5}, {3, 1000}});
  const DataTransfer transfer = transfer_data(lab.scenario, EngineKind::flow);
  CHECK(transfer.time.value() == Approx(3.75));
  CHECK(transfer.run.trips.back().offline.value() == Approx(2.5));
  CHECK(transfer.run.trips.back().up.value() == model);
}
