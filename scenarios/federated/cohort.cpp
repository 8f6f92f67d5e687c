#include "scenarios/federated/cohort.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

/// A round that has looked so often for enough clients will not find them.
constexpr std::size_t most_attempts = 1000;

}  // namespace

Cohort::Cohort(CoSimulation& simulation, const CohortPlan& plan)
    : simulation_(simulation),
      plan_(plan),
      pool_(simulation.job(), simulation.work(), simulation.fleet(), plan.clients) {}

void Cohort::start(Done done) {
  ORRERY_EXPECT(open_.empty());
  done_ = std::move(done);
  attempts_ = 0;
  asked_at_ = simulation_.now();
  reported_.clear();
  select();
}

void Cohort::select() {
  const ParticipationOptions& options = simulation_.options().participation;
  const std::size_t most = std::min(asked_clients(options, plan_.wanted), plan_.clients.count);
  std::vector<std::size_t> clients = pool_.select(simulation_.journal().steps(), most);
  const auto least = std::min(static_cast<std::size_t>(options.min_reports), plan_.wanted);
  if (clients.size() < least) {
    wait(clients.size());
  } else {
    send(clients);
  }
}

void Cohort::wait(std::size_t available) {
  const auto least = static_cast<std::size_t>(simulation_.options().participation.min_reports);
  const Seconds wait = pool_.until_online(std::min(least, plan_.wanted) - available);
  if (!std::isfinite(wait.value()) || ++attempts_ > most_attempts) {
    const double now = simulation_.now().value();
    const double waited = now - asked_at_.value();
    throw Infeasible(fmt::format("round {}: {} of {} clients online after {:.0f} s, min_reports = {}: {}",
                                 simulation_.journal().steps() + 1, available, plan_.clients.count, now, least,
                                 attempts_ > most_attempts
                                     ? fmt::format("so many were online together not once in {:.0f} s", waited)
                                     : "no other ever comes online"));
  }
  simulation_.network().after(wait, [this] { select(); });
}

void Cohort::send(const std::vector<std::size_t>& clients) {
  round_ = simulation_.journal().steps();
  asked_ = clients.size();
  open_ = clients;
  Seconds slowest;
  for (const std::size_t client : clients) slowest = std::max(slowest, simulation_.round_trip(client, plan_.hub));
  const Seconds deadline = simulation_.options().participation.deadline;
  if (deadline > Seconds{}) {
    deadline_ = simulation_.network().after(deadline, [this] {
      recall_rest(TripEnd::late);
      finish(-1);
    });
  }
  for (const std::size_t client : clients) {
    simulation_.dispatch(client, plan_.hub, plan_.slot, slowest, [this](std::size_t trip) { ended(trip); });
  }
}

void Cohort::ended(std::size_t trip) {
  const Trip& record = simulation_.run().trips[trip];
  const auto client = static_cast<std::size_t>(record.client);
  open_.erase(std::find(open_.begin(), open_.end(), client));
  if (record.how == TripEnd::reported) {
    reported_.push_back(static_cast<std::int32_t>(trip));
  } else {
    simulation_.job().learner.abandon(client);
  }
  if (reported_.size() == plan_.wanted) recall_rest(TripEnd::surplus);
  if (!open_.empty()) return;
  simulation_.network().cancel_timer(deadline_);
  finish(static_cast<std::int32_t>(trip));
}

void Cohort::recall_rest(TripEnd how) {
  for (const std::size_t client : std::exchange(open_, {})) simulation_.recall(client, how);
}

/// Of the clients asked; a secure sum of fewer than its threshold cannot be recovered.
std::size_t Cohort::least_reports() const {
  const FederatedOptions& options = simulation_.options();
  const auto least = std::min(static_cast<std::size_t>(options.participation.min_reports), plan_.wanted);
  return options.secure ? std::max(least, secure_minimum(*options.secure, asked_)) : least;
}

void Cohort::finish(std::int32_t critical_trip) {
  Result result;
  result.asked = asked_;
  const bool counts = reported_.size() >= least_reports();
  for (const std::int32_t trip : reported_) {
    Trip& record = simulation_.run().trips[static_cast<std::size_t>(trip)];
    const auto client = static_cast<std::size_t>(record.client);
    if (counts) {
      result.clients.push_back(client);
      result.samples += simulation_.samples_trained(client, round_);
    } else {
      record.how = TripEnd::unused;
      simulation_.job().learner.discard(client);
    }
  }
  if (counts && !reported_.empty()) result.critical_trip = critical_trip;
  std::sort(result.clients.begin(), result.clients.end());
  done_(result);
}

}  // namespace orrery
