// Ways between processes: CBOR through nlohmann-json. Numbers keep every bit.
#include <nlohmann/json.hpp>

#include "scenarios/way.hpp"

namespace orrery {

using nlohmann::json;

template <class Tag>
void to_json(json& j, const Quantity<Tag>& quantity) {
  j = quantity.value();
}
template <class Tag>
void from_json(const json& j, Quantity<Tag>& quantity) {
  quantity = Quantity<Tag>(j.get<double>());
}
template <class Tag>
void to_json(json& j, const Id<Tag>& id) {
  j = id.valid() ? static_cast<std::int64_t>(id.index()) : -1;
}
template <class Tag>
void from_json(const json& j, Id<Tag>& id) {
  const auto index = j.get<std::int64_t>();
  id = index < 0 ? Id<Tag>() : Id<Tag>(static_cast<std::size_t>(index));
}

// An activity is a plain array: there may be hundreds of thousands.
void to_json(json& j, const Activity& a) {
  j = {a.rank,  a.stream, a.dimension, a.phase, a.layer, a.microbatch,
       a.ready, a.start,  a.end,       a.bytes, a.flops, a.peer};
}
void from_json(const json& j, Activity& a) {
  j[0].get_to(a.rank);
  j[1].get_to(a.stream);
  j[2].get_to(a.dimension);
  j[3].get_to(a.phase);
  j[4].get_to(a.layer);
  j[5].get_to(a.microbatch);
  j[6].get_to(a.ready);
  j[7].get_to(a.start);
  j[8].get_to(a.end);
  j[9].get_to(a.bytes);
  j[10].get_to(a.flops);
  j[11].get_to(a.peer);
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LinkUse, link, bytes, busy)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Records, makespan, ranks, activities, links, fidelity, messages)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Degrees, dp, tp, pp, cp, ep)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MemoryEstimate, weights, gradients, optimizer, activations)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CurvePoint, round, epoch, time, bytes, energy, accuracy, loss, train_loss)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PlatformLink, name, bandwidth, latency, scope)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Port, zone, up, down)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Zone, name, up, down)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LinkPower, always_on, pJ_per_bit, active)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Device, id, name, kind, vendor, year, peak, memory, memory_bandwidth, idle, typical,
                                   maximum, gemm_fraction, link, source, notes, assumed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FederatedRun, round_starts, critical_client, down, up)

void to_json(json& j, const PlatformHost& host) {
  j = {host.name, host.node, host.inside ? json(*host.inside) : json(), host.network ? json(*host.network) : json()};
}
void from_json(const json& j, PlatformHost& host) {
  j[0].get_to(host.name);
  j[1].get_to(host.node);
  if (!j[2].is_null()) host.inside = j[2].get<Port>();
  if (!j[3].is_null()) host.network = j[3].get<Port>();
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Platform, links, zones, hosts)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DataTransfer, time, bytes, records, platform, link_power, devices)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Way, strategy, status, error, degrees, memory, capacity, fits, microbatches,
                                   samples_per_step, model_flops, notes, platform, link_power, devices, placement,
                                   straggler_share, records, data_transfer, federated, curve, curve_source, steps,
                                   target_reached)

std::string to_bytes(const Way& way) {
  std::string bytes;
  json::to_cbor(json(way), nlohmann::detail::output_adapter<char>(bytes));
  return bytes;
}

Way way_from_bytes(const std::string& bytes) {
  return json::from_cbor(bytes).get<Way>();
}

}  // namespace orrery
