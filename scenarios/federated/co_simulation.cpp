#include "scenarios/federated/co_simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/base/errors.hpp"

namespace orrery {

Hosts::Hosts(const FederatedJob& job) : clients_(job.population.clients.size()), lines_(access_lines(job.population)) {
  const FederatedOptions& options = job.options();
  if (entry_of(options.algorithm.kind).coordination != Coordination::hierarchical) return;
  edges_ = std::min(static_cast<std::size_t>(options.edges), clients_);
  for (std::size_t edge = 0; edge < edges_; ++edge) {
    AccessLine local;
    const ClientRange clients = clients_of(edge);
    for (std::size_t i = 0; i < clients.count; ++i) {
      local.up += lines_[clients.first + i].down;
      local.down += lines_[clients.first + i].up;
    }
    lines_.push_back(local);
  }
  const Link& link = options.edge_link;
  lines_.insert(lines_.end(), edges_, AccessLine{link.effective_up(), link.effective_down(), link.latency});
}

CoSimulation::CoSimulation(const FederatedJob& job, Way& way, const Progress& progress)
    : job_(job),
      way_(way),
      hosts_(job),
      network_(hosts_.lines(), job.engine),
      availability_(make_availability(job.population, job.scenario.seed)),
      work_(job),
      fleet_(network_, *availability_, job.population.clients.size(), job.options().participation.offline,
             way.federated),
      journal_(job, way, progress) {}

void CoSimulation::dispatch(std::size_t client, const Hub& hub, std::size_t slot, Seconds round_trip,
                            Fleet::Ended ended) {
  const std::int64_t round = journal_.steps();
  const int epochs = drawn_epochs(options(), job_.scenario.seed, client, round);
  job_.learner.dispatch(client, slot, round, epochs);
  fleet_.send(client, work_.trip(client, epochs, round_trip), hub, std::move(ended));
}

Seconds CoSimulation::round_trip(std::size_t client, const Hub& hub) const {
  return (hosts_.lines()[client].latency + hosts_.lines()[hub.host.index()].latency) * 2.0;
}

std::size_t CoSimulation::recall(std::size_t client, TripEnd how) {
  job_.learner.abandon(client);
  return fleet_.recall(client, how);
}

Seconds CoSimulation::server_time(std::size_t reports, std::size_t dropped) const {
  return work_.aggregation(reports, dropped, job_.population.server) + evaluation_time();
}

Seconds CoSimulation::evaluation_time() const {
  if (options().evaluation_time == EvaluationTime::free || !journal_.evaluation_due()) return {};
  return work_.evaluation(job_.learner.test_samples(), job_.population.server);
}

void CoSimulation::end_step(const ServerStep& step, double train_loss) {
  if (journal_.steps() + 1 == options().rounds) recall_all();
  journal_.end_step(step, train_loss, now());
  if (!journal_.finished()) return;
  recall_all();
  network_.stop();
}

/// Everybody under way when the run ends.
void CoSimulation::recall_all() {
  for (const std::size_t client : fleet_.travellers()) {
    Trip& trip = way_.federated.trips[recall(client, TripEnd::unused)];
    trip.round = std::min(trip.round, static_cast<std::int32_t>(options().rounds) - 1);
    if (journal_.finished()) trip.round = static_cast<std::int32_t>(journal_.steps()) - 1;
  }
}

void CoSimulation::run_to_end() {
  network_.run();
  if (!journal_.finished()) {
    throw Infeasible(
        fmt::format("round {}: nobody who is still needed comes online any more (offline for good, or has reported "
                    "already) after {:.0f} s",
                    journal_.steps() + 1, now().value()));
  }
  record_lines();
  journal_.finish(work_);
}

double CoSimulation::samples_trained(std::size_t client, std::int64_t round) const {
  return work_.samples_trained(client, drawn_epochs(options(), job_.scenario.seed, client, round));
}

void CoSimulation::record_lines() {
  const auto add = [&](const std::string& name, DeviceId host) {
    const AccessLine& line = network_.line(host);
    const LineUse use = network_.use(host);
    way_.federated.lines.push_back({name, line.up, line.down, use.up, use.down, use.up_busy, use.down_busy});
  };
  add("server", hosts_.server().host);
  for (std::size_t edge = 0; edge < hosts_.edges(); ++edge) add(fmt::format("edge{}", edge), hosts_.uplink(edge));
}

}  // namespace orrery
