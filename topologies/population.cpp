#include "topologies/population.hpp"

#include <cmath>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace orrery {
namespace {

/// exp(sigma z) of two independent standard normal draws: the median is 1.
struct Spread {
  double speed = 1.0, link = 1.0;
};

Spread draw_spread(const ClientGroup& group, std::uint64_t seed, std::size_t client) {
  if (group.speed_sigma == 0.0 && group.link_sigma == 0.0) return {};
  Random random = Random::derived(seed, "client", client);
  const double speed = random.normal(), link = random.normal();  // both, so that neither depends on the other's sigma
  return {std::exp(group.speed_sigma * speed), std::exp(group.link_sigma * link)};
}

/// `place`: the client's number within its group.
Client draw_client(const ClientGroup& group, std::size_t place, const Spread& spread) {
  Client client;
  if (!group.capacities.empty()) {
    const CapacityTrace& capacity = group.capacities[place % group.capacities.size()];
    client.slowdown = static_cast<float>(group.slowdown);
    client.per_sample_s = static_cast<float>(capacity.per_sample.value() * group.slowdown);
    client.up = client.down = capacity.rate;
    return client;
  }
  const double slowdown = group.slowdown / spread.speed;
  client.slowdown = static_cast<float>(slowdown);
  if (group.per_sample) client.per_sample_s = static_cast<float>(group.per_sample->value() * slowdown);
  client.up = group.link.effective_up() * spread.link;
  client.down = group.link.effective_down() * spread.link;
  return client;
}

}  // namespace

Population draw_population(const std::vector<ClientGroup>& groups, const Device& server, const Link& server_link,
                           std::uint64_t seed) {
  Population population{groups, {}, server, server_link};
  std::size_t total = 0;
  for (const ClientGroup& group : groups) {
    ORRERY_EXPECT(group.count >= 0 && group.slowdown > 0.0 && group.speed_sigma >= 0.0 && group.link_sigma >= 0.0);
    total += static_cast<std::size_t>(group.count);
  }
  population.clients.reserve(total);
  for (std::size_t number = 0; number < groups.size(); ++number) {
    const ClientGroup& group = groups[number];
    for (std::size_t place = 0; place < static_cast<std::size_t>(group.count); ++place) {
      const Spread spread = draw_spread(group, seed, population.clients.size());
      population.clients.push_back(draw_client(group, place, spread));
      population.clients.back().group = static_cast<std::uint32_t>(number);
    }
  }
  return population;
}

std::vector<AccessLine> access_lines(const Population& population) {
  std::vector<AccessLine> lines;
  lines.reserve(population.clients.size() + 1);
  for (const Client& client : population.clients) {
    lines.push_back({client.up, client.down, population.groups[client.group].link.latency});
  }
  const Link& link = population.server_link;
  lines.push_back({link.effective_up(), link.effective_down(), link.latency});
  return lines;
}

}  // namespace orrery
