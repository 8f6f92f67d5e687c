#include "topologies/availability.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/base/contract.hpp"
#include "topologies/availability_laws.hpp"
#include "topologies/population.hpp"

namespace orrery {
namespace {

class Always final : public Availability {
 public:
  bool online(std::size_t, Seconds) override { return true; }
  Seconds changes(std::size_t, Seconds) override { return Seconds(std::numeric_limits<double>::infinity()); }
};

/// Groups of different laws: clients are numbered group by group.
class Grouped final : public Availability {
 public:
  void add(std::unique_ptr<Availability> law, std::size_t end) {
    laws_.push_back(std::move(law));
    ends_.push_back(end);
  }
  bool online(std::size_t client, Seconds at) override { return law(client).online(client, at); }
  Seconds changes(std::size_t client, Seconds at) override { return law(client).changes(client, at); }

 private:
  Availability& law(std::size_t client) {
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), client);
    ORRERY_EXPECT(end != ends_.end());
    return *laws_[static_cast<std::size_t>(end - ends_.begin())];
  }
  std::vector<std::unique_ptr<Availability>> laws_;
  std::vector<std::size_t> ends_;
};

struct Law {
  AvailabilityKind kind;
  std::unique_ptr<Availability> (*make)(const AvailabilitySpec& spec, const LawClients& clients);
};
constexpr std::array laws{Law{AvailabilityKind::always, make_always}, Law{AvailabilityKind::on_off, make_on_off},
                          Law{AvailabilityKind::diurnal, make_diurnal}, Law{AvailabilityKind::trace, make_from_trace}};

std::unique_ptr<Availability> make_law(const AvailabilitySpec& spec, const LawClients& clients) {
  const auto* law = std::find_if(laws.begin(), laws.end(), [&](const Law& entry) { return entry.kind == spec.kind; });
  ORRERY_EXPECT(law != laws.end());
  return law->make(spec, clients);
}

}  // namespace

std::unique_ptr<Availability> make_always(const AvailabilitySpec& /*spec*/, const LawClients& /*clients*/) {
  return std::make_unique<Always>();
}

std::unique_ptr<Availability> make_availability(const Population& population, std::uint64_t seed) {
  auto grouped = std::make_unique<Grouped>();
  std::size_t first = 0;
  for (const ClientGroup& group : population.groups) {
    const LawClients clients{first, static_cast<std::size_t>(group.count), seed};
    first += clients.count;
    grouped->add(make_law(group.availability, clients), first);
  }
  return grouped;
}

double ClientDraws::draw(std::uint32_t index) {
  if (!random_ || index != next_ || index % block == 0) {
    random_ = Random::derived(seed_, "availability", (static_cast<std::uint64_t>(client_) << 32U) | (index / block));
    for (std::uint32_t skipped = index - index % block; skipped < index; ++skipped) random_->bits();
  }
  next_ = index + 1;
  return random_->uniform();
}

const TurnTaking::State& TurnTaking::at(std::size_t client, double time) {
  State& state = states_[client - clients_.first];
  ClientDraws draws(clients_.seed, client);
  double begin = 0;
  if (state.turns == 0) {
    state.zone = static_cast<float>(zone(client));
    state.online = !(draws.draw(state.turns++) < first_share(state.zone));  // turned below
  } else if (state.until > time) {
    return state;
  } else {
    begin = state.until;
  }
  do {
    state.online = !state.online;
    const double exponential = -std::log(1.0 - draws.draw(state.turns++));
    state.until = begin + (state.online ? online_time(exponential) : offline_time(exponential, begin, state.zone));
    begin = state.until;
  } while (state.until <= time);
  return state;
}

bool TurnTaking::online(std::size_t client, Seconds at) {
  return this->at(client, at.value()).online;
}

Seconds TurnTaking::changes(std::size_t client, Seconds at) {
  return Seconds(this->at(client, at.value()).until);
}

}  // namespace orrery
