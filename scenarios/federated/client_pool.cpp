#include "scenarios/federated/client_pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/base/errors.hpp"
#include "topologies/radio.hpp"

namespace orrery {

ClientPool::ClientPool(const FederatedJob& job, ClientWork& work, Fleet& fleet, ClientRange range)
    : job_(job),
      work_(work),
      fleet_(fleet),
      range_(range),
      select_(entry_of(job.options().participation.selection).select),
      random_(Random::derived(job.scenario.seed, "selection", range.first)) {}

std::vector<std::size_t> ClientPool::select(std::int64_t round, std::size_t count) {
  const auto candidates = static_cast<std::size_t>(job_.options().participation.candidates);
  std::vector<std::size_t> clients = select_(*this, {round, count, next_, candidates}, random_);
  next_ = next_in_turn(clients, next_, range_.count);
  for (std::size_t& client : clients) client += range_.first;
  return clients;
}

void ClientPool::note(const std::vector<std::size_t>& clients, std::int64_t round) {
  for (const std::size_t client : clients) {
    if (const auto loss = job_.learner.loss(client)) {
      known_[client - range_.first] = {client - range_.first, *loss, round};
    }
  }
}

Seconds ClientPool::until_online(std::size_t count) {
  std::vector<Seconds> waits;
  for (std::size_t i = 0; i < range_.count; ++i) {
    const std::size_t client = range_.first + i;
    if (fleet_.at_work(client) || reserved_.contains(client) || fleet_.online(client)) continue;
    waits.push_back(fleet_.changes(client) - fleet_.now());
  }
  if (waits.size() < count) return Seconds(std::numeric_limits<double>::infinity());
  const auto last = waits.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(waits.begin(), last, waits.end());
  return *last;
}

bool ClientPool::available(std::size_t client) {
  const std::size_t own = range_.first + client;
  return !fleet_.at_work(own) && (reserved_.empty() || !reserved_.contains(own)) && fleet_.online(own);
}

ClientPool::Expected ClientPool::expected(std::size_t client) {
  const std::size_t own = range_.first + client;
  const Client& one = job_.population.clients[own];
  const Link& server = job_.population.server_link;
  const Seconds latency = job_.population.group(own).link.latency + server.latency;
  Expected expected;
  expected.download = latency + work_.bytes().down / std::min(one.down, server.effective_up());
  expected.upload = latency + work_.bytes().up / std::min(one.up, server.effective_down());
  expected.compute = work_.training(own, job_.options().local_epochs) + work_.packing(own);
  return expected;
}

double ClientPool::expected_seconds(std::size_t client) {
  const Expected parts = expected(client);
  return (parts.download + parts.compute + parts.upload).value();
}

double ClientPool::expected_joules(std::size_t client) {
  const ClientGroup& group = job_.population.group(range_.first + client);
  const Watts training = training_power(group.device);
  if (training <= Watts{}) {
    throw Infeasible(group.device.id + " has no power while training, which selection = \"energy-aware\" goes by");
  }
  const Expected parts = expected(client);
  const Seconds active = parts.download + parts.upload;
  const Joules radio = radio_energy(group.link, {work_.bytes().down, work_.bytes().up, active});
  return (training * parts.compute + group.device.idle * active + radio).value();
}

std::int64_t ClientPool::samples(std::size_t client) const {
  return job_.learner.samples()[range_.first + client];
}

std::optional<ClientView::Known> ClientPool::known(std::size_t client) const {
  const auto found = known_.find(client);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<ClientView::Known> ClientPool::all_known() const {
  std::vector<Known> all;
  for (const auto& [client, known] : known_) all.push_back(known);
  return all;
}

const std::vector<std::uint32_t>& ClientPool::fastest_first() {
  if (!fastest_first_.empty()) return fastest_first_;
  std::vector<double> seconds;
  for (std::size_t client = 0; client < range_.count; ++client) seconds.push_back(expected_seconds(client));
  fastest_first_.resize(range_.count);
  std::iota(fastest_first_.begin(), fastest_first_.end(), 0U);
  std::stable_sort(fastest_first_.begin(), fastest_first_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return seconds[a] < seconds[b]; });
  return fastest_first_;
}

}  // namespace orrery
