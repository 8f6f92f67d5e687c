#include "scenarios/data_transfer.hpp"

#include <fmt/format.h>

#include <cmath>

#include "scenarios/federated/fleet.hpp"
#include "sim/base/errors.hpp"
#include "topologies/population.hpp"

namespace orrery {
namespace {

class Collection {
 public:
  Collection(const Scenario& scenario, EngineKind engine, FederatedRun& run)
      : population_(draw_population(scenario.federation.groups, scenario.federation.server,
                                    scenario.federation.server_link, scenario.seed)),
        network_(access_lines(population_), engine),
        availability_(make_availability(population_, scenario.seed)),
        fleet_(network_, *availability_, population_.clients.size(), OfflinePolicy::resume, run) {}

  void run(Bytes part) {
    for (std::size_t client = 0; client < fleet_.clients(); ++client) begin(client, part);
    network_.run();
    const LineUse use = network_.use(server());
    const AccessLine& line = network_.line(server());
    fleet_.run().lines = {{"server", line.up, line.down, use.up, use.down, use.up_busy, use.down_busy}};
  }
  [[nodiscard]] Seconds now() const { return network_.now(); }

 private:
  [[nodiscard]] DeviceId server() const { return DeviceId(population_.clients.size()); }

  void begin(std::size_t client, Bytes part) {
    if (fleet_.online(client)) {
      Itinerary upload;
      upload.first = {{Leg::Kind::upload, part, {}}};
      fleet_.send(client, std::move(upload), {server(), -1}, [this](std::size_t trip) { require_reported(trip); });
      return;
    }
    const Seconds wait = fleet_.changes(client) - network_.now();
    if (!std::isfinite(wait.value())) refuse(client);
    network_.after(wait, [this, client, part] { begin(client, part); });
  }

  void require_reported(std::size_t trip) {
    const Trip& record = fleet_.run().trips[trip];
    if (record.how != TripEnd::reported) refuse(static_cast<std::size_t>(record.client));
  }
  [[noreturn]] static void refuse(std::size_t client) {
    throw Infeasible(fmt::format(
        "the training data of client {} cannot be moved: it never comes online again, or never long enough", client));
  }

  Population population_;
  StarNetwork network_;
  std::unique_ptr<Availability> availability_;
  Fleet fleet_;
};

}  // namespace

DataTransfer transfer_data(const Scenario& scenario, EngineKind engine) {
  DataTransfer transfer;
  const Bytes total(scenario.workload.stored_bytes_per_sample * static_cast<double>(scenario.workload.dataset_samples));
  Collection collection(scenario, engine, transfer.run);
  collection.run(total / static_cast<double>(scenario.federation.clients()));
  transfer.time = collection.now();
  transfer.bytes = total;
  ServerStep step;
  step.end = transfer.time;
  step.critical_trip = static_cast<std::int32_t>(transfer.run.trips.size()) - 1;
  transfer.run.steps = {step};
  return transfer;
}

}  // namespace orrery
