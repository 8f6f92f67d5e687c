// Ways between processes: CBOR through nlohmann-json. Numbers keep every bit.
#include <array>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

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

/// Rows of numbers that there may be millions of, as bytes of doubles: row by row, column by column. Whole numbers
/// below 2^53 keep their value.
template <std::size_t columns>
class PackedRows {
 public:
  using Row = std::array<double, columns>;
  void add(const Row& row) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(row.data());
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(Row));
  }
  [[nodiscard]] json to_json() && { return json::binary(std::move(bytes_)); }

  template <class Use>
  static void each(const json& j, const Use& use) {
    const auto& bytes = j.get_binary();
    Row row;
    for (std::size_t at = 0; at + sizeof(Row) <= bytes.size(); at += sizeof(Row)) {
      std::memcpy(row.data(), bytes.data() + at, sizeof(Row));
      use(row);
    }
  }

 private:
  json::binary_t::container_type bytes_;
};

using PackedTrips = PackedRows<16>;
using PackedSteps = PackedRows<7>;

json packed(const std::vector<Trip>& trips) {
  PackedTrips rows;
  for (const Trip& t : trips) {
    rows.add({double(t.client), double(t.round), double(t.hub), double(t.how), double(t.staleness), t.begin.value(),
              t.end.value(), t.download.value(), t.compute.value(), t.upload.value(), t.offline.value(),
              t.waiting.value(), t.down.value(), t.up.value(), t.compute_share, t.discarded.value()});
  }
  return std::move(rows).to_json();
}
void unpack(const json& j, std::vector<Trip>& trips) {
  const auto whole = [](double number) { return static_cast<std::int32_t>(number); };
  PackedTrips::each(j, [&](const PackedTrips::Row& row) {
    trips.push_back({whole(row[0]), whole(row[1]), whole(row[2]), static_cast<TripEnd>(row[3]), whole(row[4]),
                     Seconds(row[5]), Seconds(row[6]), Seconds(row[7]), Seconds(row[8]), Seconds(row[9]),
                     Seconds(row[10]), Seconds(row[11]), Bytes(row[12]), Bytes(row[13]), row[14], Bytes(row[15])});
  });
}

json packed(const std::vector<ServerStep>& steps) {
  PackedSteps rows;
  for (const ServerStep& s : steps) {
    rows.add({s.begin.value(), s.end.value(), s.aggregation.value(), double(s.critical_trip), s.backhaul.value(),
              s.backhaul_time.value(), s.edge_compute.value()});
  }
  return std::move(rows).to_json();
}
void unpack(const json& j, std::vector<ServerStep>& steps) {
  PackedSteps::each(j, [&](const PackedSteps::Row& row) {
    steps.push_back({Seconds(row[0]), Seconds(row[1]), Seconds(row[2]), static_cast<std::int32_t>(row[3]),
                     Bytes(row[4]), Seconds(row[5]), Seconds(row[6])});
  });
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

/// Nothing is null.
template <class Value>
json optional_json(const std::optional<Value>& value) {
  return value ? json(*value) : json();
}
template <class Value>
void from_optional(const json& j, std::optional<Value>& value) {
  if (!j.is_null()) value = j.get<Value>();
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Ranged, value, low, high)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LayoutFigures, text, step_time, sent_per_device, beside_node, beside_network,
                                   hardware_flops, collective, bus, working)
// Written as Way is: nothing is null.
void to_json(json& j, const std::optional<LayoutFigures>& figures) {
  j = optional_json(figures);
}
void from_json(const json& j, std::optional<LayoutFigures>& figures) {
  from_optional(j, figures);
}

void to_json(json& j, const CurvePoint& point) {
  j = {point.round,
       point.epoch,
       point.time,
       point.bytes,
       point.energy,
       point.accuracy,
       point.loss,
       point.train_loss,
       optional_json(point.epsilon),
       optional_json(point.consensus)};
}
void from_json(const json& j, CurvePoint& point) {
  j[0].get_to(point.round);
  j[1].get_to(point.epoch);
  j[2].get_to(point.time);
  j[3].get_to(point.bytes);
  j[4].get_to(point.energy);
  j[5].get_to(point.accuracy);
  j[6].get_to(point.loss);
  j[7].get_to(point.train_loss);
  from_optional(j[8], point.epsilon);
  from_optional(j[9], point.consensus);
}
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PlatformLink, name, bandwidth, latency, scope)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Port, zone, up, down)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Zone, name, up, down)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LinkPower, always_on, pJ_per_bit, active)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Device, id, name, kind, vendor, year, peak, memory, memory_bandwidth, idle, typical,
                                   maximum, gemm_fraction, link, source, notes, assumed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FederatedRun::SharedLine, name, up_rate, down_rate, up, down, up_busy, down_busy)

void to_json(json& j, const FederatedRun& run) {
  j = {packed(run.trips), packed(run.steps), run.recompute_share, run.optimizer_share, run.flops_per_sample, run.lines};
}
void from_json(const json& j, FederatedRun& run) {
  unpack(j[0], run.trips);
  unpack(j[1], run.steps);
  j[2].get_to(run.recompute_share);
  j[3].get_to(run.optimizer_share);
  j[4].get_to(run.flops_per_sample);
  j[5].get_to(run.lines);
}

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
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DataTransfer, time, bytes, run)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Way, strategy, seed, status, error, degrees, memory, capacity, fits, microbatches,
                                   samples_per_step, model_flops, notes, platform, link_power, devices, placement,
                                   copies, link_copies, layout, straggler_share, gap_share, records, data_transfer,
                                   federated, samples, histograms, curve, curve_source, steps, target_reached)

std::string to_bytes(const Way& way) {
  std::string bytes;
  json::to_cbor(json(way), nlohmann::detail::output_adapter<char>(bytes));
  return bytes;
}

Way way_from_bytes(const std::string& bytes) {
  return json::from_cbor(bytes).get<Way>();
}

}  // namespace orrery
