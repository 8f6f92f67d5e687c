#include "tests/scenarios/federated/lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "tests/catch.hpp"

namespace orrery::testing {
namespace {

Device device(const std::string& id, double models_per_second) {
  Device made;
  made.id = id;
  made.peak.fill(FlopsPerSecond(1e9));
  made.memory = Bytes(1e9);
  made.memory_bandwidth = BytesPerSecond(model * models_per_second);
  made.idle = Watts(1);
  made.typical = Watts(3);
  return made;
}

Link line(double down, double up, double latency) {
  Link made;
  made.id = made.kind = "line";
  made.down = BytesPerSecond(model * down);
  made.up = BytesPerSecond(model * up);
  made.latency = Seconds(latency);
  return made;
}

}  // namespace

FederatedLab::FederatedLab(const std::vector<LabClient>& clients) {
  scenario.name = "lab";
  scenario.workload.network = load_network("2nn");
  scenario.workload.dataset_samples = 10 * static_cast<std::int64_t>(clients.size());
  scenario.workload.framework.id = "ideal";
  FederationSpec& federation = scenario.federation;
  federation.present = true;
  for (const LabClient& client : clients) {
    ClientGroup group;
    group.device = device("client", 10);
    group.link = line(client.down, client.up, client.latency);
    group.per_sample = Seconds(client.per_sample);
    federation.groups.push_back(group);
  }
  federation.server = device("server", 10);
  federation.server_link = line(1000, 1000, 0);
  StrategySpec strategy;
  strategy.name = "lab";
  strategy.kind = StrategyKind::federated;
  strategy.federated.participation.clients_per_round = static_cast<int>(clients.size());
  strategy.federated.edge_device = device("edge", 10);
  strategy.federated.edge_link = line(1000, 1000, 0);
  scenario.strategies = {strategy};
}

void FederatedLab::online(std::size_t client, double period, std::initializer_list<Window> windows) {
  std::string from, until;
  for (const Window& window : windows) {
    from += fmt::format("{} ", window.from);
    until += fmt::format("{} ", window.until);
  }
  const std::string file = (folder_->path() / fmt::format("client{}.csv", client)).string();
  std::ofstream(file) << "client,finish_time,active,inactive\n0," << period << "," << from << "," << until << "\n";
  group(client).availability.kind = AvailabilityKind::trace;
  group(client).availability.trace = file;
}

void FederatedLab::learn(double learning_rate) {
  scenario.workload.learn = true;
  scenario.workload.dataset = "synthetic";
  scenario.workload.dataset_samples =
      static_cast<std::int64_t>(load_data_set("synthetic", scenario.seed).train.count());
  strategy().optimizer.learning_rate = learning_rate;
}

Way FederatedLab::run(EngineKind engine) const {
  SimulateOptions options;
  options.engine = engine;
  return simulate_way(scenario, 0, Catalogue{}, options);
}

Approx about(double seconds) {
  return Approx(seconds).epsilon(1e-9).margin(1e-9);
}

const Trip& trip_of(const Way& way, std::int32_t client, std::int32_t round) {
  const auto& trips = way.federated.trips;
  const auto found = std::find_if(trips.begin(), trips.end(),
                                  [&](const Trip& trip) { return trip.client == client && trip.round == round; });
  INFO("trip of client " << client << " in round " << round << "; " << way.error);
  REQUIRE(found != trips.end());
  return *found;
}

std::size_t count(const Way& way, TripEnd how) {
  const auto& trips = way.federated.trips;
  return static_cast<std::size_t>(
      std::count_if(trips.begin(), trips.end(), [how](const Trip& trip) { return trip.how == how; }));
}

void check_books(const Way& way) {
  REQUIRE(way.error == "");
  for (const Trip& trip : way.federated.trips) {
    const Seconds parts = trip.download + trip.compute + trip.upload + trip.offline + trip.waiting;
    CHECK(parts.value() == about((trip.end - trip.begin).value()));
    CHECK(trip.compute_share >= 0.0);
    CHECK(trip.compute_share <= 1.0);
    CHECK(trip.round >= 0);
    CHECK(static_cast<std::size_t>(trip.round) < way.federated.steps.size());
  }
  Seconds last;
  for (const ServerStep& step : way.federated.steps) {
    CHECK(step.begin == last);
    CHECK(step.end >= step.begin);
    last = step.end;
  }
}

}  // namespace orrery::testing
