#include "analysis/metrics/energy.hpp"
#include "analysis/metrics/rounds.hpp"
#include "analysis/metrics/traffic.hpp"

namespace orrery {
namespace {

/// Clients and their server with what they draw: of a federated way, or of the move of the training data.
struct Federation {
  const Platform& platform;
  const std::vector<LinkPower>& link_power;
  const std::vector<Device>& devices;  // of each host; the last is the server
  const Records& records;
  [[nodiscard]] RankId server() const { return RankId(records.ranks - 1); }
};

enum class Place : std::uint8_t { facility, outside };

Watts standby_power(const Federation& federation, RankId host) {
  Watts power;
  const auto& port = federation.platform.hosts[host.index()].network;
  if (!port) return power;
  for (const LinkId link : port->up) power += federation.link_power[link.index()].always_on;
  for (const LinkId link : port->down) power += federation.link_power[link.index()].always_on;
  return power;
}

Place place_of(const Federation& federation, LinkId link) {
  const auto& port = federation.platform.hosts[federation.server().index()].network;
  if (!port) return Place::outside;
  for (const LinkId own : port->up) {
    if (own == link) return Place::facility;
  }
  for (const LinkId own : port->down) {
    if (own == link) return Place::facility;
  }
  return Place::outside;
}

/// Links in use and the WAN, over the whole run.
EnergyParts moving_energy(const Federation& federation, const EnergySpec& energy) {
  EnergyParts parts;
  for (const LinkUse& use : federation.records.links) {
    const double factor = place_of(federation, use.link) == Place::facility ? energy.pue : 1.0;
    parts.communication += energy_in_use(federation.link_power[use.link.index()], use) * factor;
  }
  parts.communication += wan_energy(traffic(federation.platform, federation.records.links).wan, energy);
  return parts;
}

/// Devices and standing links of one round.
std::optional<EnergyParts> round_energy(const Federation& federation, const FederatedRound& round,
                                        const EnergySpec& energy) {
  EnergyParts parts;
  for (const Participation& client : participations(round, federation.server())) {
    const DeviceTime time = device_time(client.activities, client.begin, client.end, Waiting::blocked);
    const auto own = device_energy(time, federation.devices[client.client.index()], energy.blocked_fraction);
    if (!own) return std::nullopt;
    parts += *own;
    parts.idle += standby_power(federation, client.client) * (client.end - client.begin);
  }
  std::vector<Activity> serving;
  for (const Activity& activity : round.activities) {
    if (activity.rank == federation.server()) serving.push_back(activity);
  }
  const DeviceTime time = device_time(serving, round.begin, round.end, Waiting::idle);
  auto server = device_energy(time, federation.devices[federation.server().index()], energy.blocked_fraction);
  if (!server) return std::nullopt;
  server->idle += standby_power(federation, federation.server()) * (round.end - round.begin);
  parts += *server * energy.pue;
  return parts;
}

Bytes bytes_of(const FederatedRound& round) {
  Bytes bytes;
  for (const Activity& activity : round.activities) bytes += activity.bytes;
  return bytes;
}

std::optional<std::vector<EnergyParts>> energies(const Federation& federation,
                                                 const std::vector<FederatedRound>& rounds, const EnergySpec& energy) {
  const EnergyParts moving = moving_energy(federation, energy);
  Bytes moved;
  for (const FederatedRound& round : rounds) moved += bytes_of(round);
  std::vector<EnergyParts> list;
  for (const FederatedRound& round : rounds) {
    auto parts = round_energy(federation, round, energy);
    if (!parts) return std::nullopt;
    const double share = moved > Bytes{} ? bytes_of(round) / moved : 1.0 / static_cast<double>(rounds.size());
    *parts += moving * share;
    list.push_back(*parts);
  }
  return list;
}

}  // namespace

std::optional<std::vector<EnergyParts>> round_energies(const Way& way, const EnergySpec& energy) {
  return energies({way.platform, way.link_power, way.devices, way.records}, rounds_of(way), energy);
}

std::optional<EnergyParts> transfer_energy(const DataTransfer& transfer, const EnergySpec& energy) {
  if (transfer.records.ranks == 0) return EnergyParts{};
  const FederatedRound all{Seconds{}, transfer.time, -1, transfer.records.activities};
  const auto list =
      energies({transfer.platform, transfer.link_power, transfer.devices, transfer.records}, {all}, energy);
  if (!list) return std::nullopt;
  return list->front();
}

}  // namespace orrery
