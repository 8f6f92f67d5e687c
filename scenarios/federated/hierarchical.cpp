// A hierarchy: clients report to their edge, edges to the server. A cloud round brings the model to the edges, where
// edge_rounds rounds are held, each edge at its own pace, and the edges' models back to the server, which averages them
// by the samples trained on. Each edge asks its share of clients_per_round.
#include <algorithm>
#include <memory>

#include "scenarios/federated/cohort.hpp"
#include "scenarios/federated/coordinator.hpp"

namespace orrery {
namespace {

class Hierarchy {
 public:
  explicit Hierarchy(CoSimulation& simulation) : simulation_(simulation) {
    const Hosts& hosts = simulation.hosts();
    const auto wanted = static_cast<std::size_t>(simulation.options().participation.clients_per_round);
    for (std::size_t edge = 0; edge < hosts.edges(); ++edge) {
      const std::size_t share = (edge + 1) * wanted / hosts.edges() - edge * wanted / hosts.edges();
      const ClientRange clients = hosts.clients_of(edge);
      const CohortPlan plan{clients, std::min(share, clients.count), hosts.edge(edge), 1 + edge};
      if (plan.wanted > 0) edges_.push_back(std::make_unique<Edge>(simulation, edge, plan));
    }
  }

  void run() {
    start();
    simulation_.run_to_end();
  }

 private:
  struct Edge {
    Edge(CoSimulation& simulation, std::size_t number_of, const CohortPlan& plan)
        : number(number_of), cohort(simulation, plan) {}
    std::size_t number;
    Cohort cohort;
    int rounds = 0;      // of this cloud round
    double samples = 0;  // trained on in it
    double loss = 0;     // of the last round that had reports
    std::int32_t critical_trip = -1;
    [[nodiscard]] std::size_t slot() const { return 1 + number; }
  };

  void start() {
    step_ = {};
    arrived_ = 0;
    std::vector<MixedSlot> copies;
    for (const auto& edge : edges_) {
      edge->rounds = 0;
      edge->samples = 0;
      edge->critical_trip = -1;
      copies.push_back({edge->slot(), {{0, 1.0}}});
      haul(simulation_.hosts().server().host, simulation_.hosts().uplink(edge->number),
           simulation_.work().model_bytes(), [this, &edge = *edge] { edge_round(edge); });
    }
    simulation_.job().learner.mix(copies);
  }

  /// A model between edge and server.
  void haul(DeviceId from, DeviceId to, Bytes bytes, StarNetwork::Action done) {
    if (hauls_++ == 0) hauling_since_ = simulation_.now();
    simulation_.network().flow(from, to, bytes, [this, bytes, done = std::move(done)] {
      step_.backhaul += bytes;
      if (--hauls_ == 0) step_.backhaul_time += simulation_.now() - hauling_since_;
      done();
    });
  }

  void edge_round(Edge& edge) {
    edge.cohort.start([this, &edge](const Cohort::Result& result) { average(edge, result); });
  }

  void average(Edge& edge, const Cohort::Result& result) {
    const Seconds time = simulation_.work().aggregation(result.clients.size(), result.asked - result.clients.size(),
                                                        simulation_.options().edge_device);
    step_.edge_compute += time;
    simulation_.network().after(time, [this, &edge, result] { end_edge_round(edge, result); });
  }

  void end_edge_round(Edge& edge, const Cohort::Result& result) {
    std::vector<Report> reports;
    for (const std::size_t client : result.clients) reports.push_back({client, 0});
    if (!reports.empty()) edge.loss = simulation_.job().learner.aggregate(edge.slot(), reports);
    edge.cohort.pool().note(result.clients, simulation_.journal().steps());
    edge.samples += result.samples;
    if (result.critical_trip >= 0) edge.critical_trip = result.critical_trip;
    if (++edge.rounds < simulation_.options().edge_rounds) {
      edge_round(edge);
      return;
    }
    haul(simulation_.hosts().uplink(edge.number), simulation_.hosts().server().host, simulation_.work().model_bytes(),
         [this, &edge] {
           if (edge.critical_trip >= 0) step_.critical_trip = edge.critical_trip;  // the last to arrive stays
           if (++arrived_ == edges_.size()) aggregate();
         });
  }

  void aggregate() {
    step_.aggregation = simulation_.server_time(edges_.size(), 0);
    simulation_.network().after(step_.aggregation, [this] { end_round(); });
  }

  void end_round() {
    double samples = 0, loss = 0;
    for (const auto& edge : edges_) {
      samples += edge->samples;
      loss += edge->loss * edge->samples;
    }
    if (samples > 0) {
      MixedSlot global;
      for (const auto& edge : edges_) {
        if (edge->samples > 0) global.of.push_back({edge->slot(), edge->samples / samples});
      }
      simulation_.job().learner.mix(std::vector{global});
      train_loss_ = loss / samples;
    }
    simulation_.journal().add_samples(samples);
    simulation_.end_step(step_, train_loss_);
    if (!simulation_.journal().finished()) start();
  }

  CoSimulation& simulation_;
  std::vector<std::unique_ptr<Edge>> edges_;
  double train_loss_ = 0;
  // Of the cloud round under way
  ServerStep step_;
  std::size_t arrived_ = 0, hauls_ = 0;
  Seconds hauling_since_;
};

}  // namespace

void run_hierarchical(CoSimulation& simulation) {
  Hierarchy(simulation).run();
}

}  // namespace orrery
