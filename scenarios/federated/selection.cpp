#include "scenarios/federated/selection.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_set>

#include "sim/base/contract.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

using Clients = std::vector<std::size_t>;

Clients sorted(Clients clients) {
  std::sort(clients.begin(), clients.end());
  return clients;
}

/// The `count` with the highest score; among equals those that come first.
Clients best(const Clients& clients, std::size_t count, const std::function<double(std::size_t)>& score) {
  std::vector<std::pair<double, std::size_t>> scored;
  for (const std::size_t client : clients) scored.emplace_back(score(client), client);
  std::stable_sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Clients chosen;
  for (std::size_t i = 0; i < std::min(count, scored.size()); ++i) chosen.push_back(scored[i].second);
  return sorted(std::move(chosen));
}

Clients candidates(ClientView& view, const SelectionRequest& request, Random& random) {
  const std::size_t wanted = request.candidates == 0 ? 2 * request.count : request.candidates;
  return draw_available(view, std::max(wanted, request.count), random);
}

Clients select_random(ClientView& view, const SelectionRequest& request, Random& random) {
  return sorted(draw_available(view, request.count, random));
}

Clients select_round_robin(ClientView& view, const SelectionRequest& request, Random& /*random*/) {
  Clients chosen;
  for (std::size_t i = 0; i < view.clients() && chosen.size() < request.count; ++i) {
    const std::size_t client = (request.next + i) % view.clients();
    if (view.available(client)) chosen.push_back(client);
  }
  return sorted(std::move(chosen));
}

Clients select_fastest(ClientView& view, const SelectionRequest& request, Random& /*random*/) {
  Clients chosen;
  for (const std::size_t client : view.fastest_first()) {
    if (chosen.size() == request.count) break;
    if (view.available(client)) chosen.push_back(client);
  }
  return sorted(std::move(chosen));
}

/// Cho et al. 2022, the variant that asks nothing of the candidates (rpow-d): the loss of a client is that of its last
/// training, and a client never trained comes first. The candidates are drawn uniformly.
Clients select_power_of_choice(ClientView& view, const SelectionRequest& request, Random& random) {
  return best(candidates(view, request, random), request.count, [&](std::size_t client) {
    const auto known = view.known(client);
    return known ? known->loss : std::numeric_limits<double>::infinity();
  });
}

Clients select_energy_aware(ClientView& view, const SelectionRequest& request, Random& random) {
  return best(candidates(view, request, random), request.count,
              [&](std::size_t client) { return -view.expected_joules(client); });
}

/// Oort (Lai et al. 2021), with its defaults: a share of 0.9 of the places explores clients never trained, times 0.98
/// every round, at least 0.2; the others go to the highest utility: samples x loss (mean of losses in place of their
/// root mean square), a bonus for what has not been seen for long, sqrt(0.1 log(round) / last round), and (T /
/// time)^2 for clients slower than T, the median of the clients known.
Clients select_utility(ClientView& view, const SelectionRequest& request, Random& random) {
  constexpr double first_share = 0.9, decay = 0.98, least_share = 0.2;
  const double share = std::fmax(least_share, first_share * std::pow(decay, static_cast<double>(request.round)));
  std::vector<ClientView::Known> known = view.all_known();
  std::erase_if(known, [&](const ClientView::Known& one) { return !view.available(one.client); });
  // Rounded up or down by chance: one place at a time explores as often as many at once.
  const auto exploring = static_cast<std::size_t>(share * static_cast<double>(request.count) + random.uniform());
  const std::size_t exploiting = std::min(known.size(), request.count - std::min(exploring, request.count));

  std::vector<double> seconds;
  Clients explored;
  for (const auto& one : known) {
    explored.push_back(one.client);
    seconds.push_back(view.expected_seconds(one.client));
  }
  const double preferred = seconds.empty() ? 0.0 : quantile(seconds, 0.5);
  const double log_round = std::log(static_cast<double>(request.round) + 1.0);
  Clients chosen = best(explored, exploiting, [&](std::size_t client) {
    const auto one = *view.known(client);
    const double bonus = std::sqrt(0.1 * log_round / (static_cast<double>(one.round) + 1.0));
    const double slow = std::fmin(1.0, preferred / view.expected_seconds(client));
    return (static_cast<double>(view.samples(client)) * one.loss + bonus) * slow * slow;
  });
  // Unknown ones first; places that they leave empty go to anybody.
  std::unordered_set<std::size_t> taken(chosen.begin(), chosen.end());
  Clients drawn = draw_available(view, 2 * request.count + taken.size(), random);
  std::stable_partition(drawn.begin(), drawn.end(), [&](std::size_t client) { return !view.known(client); });
  for (const std::size_t client : drawn) {
    if (chosen.size() < request.count && taken.insert(client).second) chosen.push_back(client);
  }
  return sorted(std::move(chosen));
}

}  // namespace

std::vector<std::size_t> draw_available(ClientView& view, std::size_t count, Random& random) {
  const std::size_t clients = view.clients();
  // Then looking at all of them is cheaper.
  const std::size_t draws = std::min(std::max(16 * count + 64, clients / 4), 2 * clients);
  std::vector<std::size_t> drawn;
  std::unordered_set<std::size_t> seen;  // taken, or not available at this instant
  for (std::size_t i = 0; i < draws && drawn.size() < count; ++i) {
    const std::size_t client = random.below(clients);
    if (seen.insert(client).second && view.available(client)) drawn.push_back(client);
  }
  if (drawn.size() == count) return drawn;
  std::vector<std::size_t> rest;
  for (std::size_t client = 0; client < clients; ++client) {
    if (!seen.contains(client) && view.available(client)) rest.push_back(client);
  }
  random.shuffle(rest);
  rest.resize(std::min(rest.size(), count - drawn.size()));
  drawn.insert(drawn.end(), rest.begin(), rest.end());
  return drawn;
}

std::size_t next_in_turn(const std::vector<std::size_t>& chosen, std::size_t next, std::size_t clients) {
  std::size_t passed = 0;
  for (const std::size_t client : chosen) passed = std::max(passed, (client + clients - next) % clients + 1);
  return (next + passed) % clients;
}

const std::vector<SelectionEntry>& selections() {
  static const std::vector<SelectionEntry> table = {
      {Selection::random, "random", "drawn uniformly without replacement (McMahan et al. 2017)", select_random},
      {Selection::round_robin, "round-robin", "the next ones in turn", select_round_robin},
      {Selection::fastest, "fastest", "those expected to report first", select_fastest},
      {Selection::power_of_choice, "power-of-choice",
       "of some candidates those with the highest loss in their last training (Cho et al. 2022, rpow-d)",
       select_power_of_choice},
      {Selection::utility, "utility", "samples x loss, slow clients discounted, some explored (Oort, Lai et al. 2021)",
       select_utility},
      {Selection::energy_aware, "energy-aware", "of some candidates those expected to use the fewest joules",
       select_energy_aware},
  };
  return table;
}

const SelectionEntry& entry_of(Selection kind) {
  const auto& table = selections();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.kind == kind; });
  ORRERY_EXPECT(found != table.end());
  return *found;
}

}  // namespace orrery
