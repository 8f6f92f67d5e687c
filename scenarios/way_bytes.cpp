// Ways between processes: CBOR through nlohmann-json, and behind it the rows that there may be millions of. Numbers
// keep every bit.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <vector>

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

/// Trips and steps: doubles row by row, behind their number. Whole numbers below 2^53 keep their value.
using TripRow = std::array<double, 17>;
using StepRow = std::array<double, 7>;

TripRow row_of(const Trip& t) {
  return {double(t.client),         double(t.round),       double(t.hub),      double(t.how),     double(t.staleness),
          t.begin.value(),          t.end.value(),         t.download.value(), t.compute.value(), t.upload.value(),
          t.offline.value(),        t.waiting.value(),     t.down.value(),     t.up.value(),      t.compute_share,
          t.discarded_down.value(), t.discarded_up.value()};
}
Trip from_row(const TripRow& row) {
  const auto whole = [](double number) { return static_cast<std::int32_t>(number); };
  return {whole(row[0]),   whole(row[1]),   whole(row[2]),    static_cast<TripEnd>(row[3]),
          whole(row[4]),   Seconds(row[5]), Seconds(row[6]),  Seconds(row[7]),
          Seconds(row[8]), Seconds(row[9]), Seconds(row[10]), Seconds(row[11]),
          Bytes(row[12]),  Bytes(row[13]),  row[14],          Bytes(row[15]),
          Bytes(row[16])};
}

StepRow row_of(const ServerStep& s) {
  return {s.begin.value(),    s.end.value(),           s.aggregation.value(), double(s.critical_trip),
          s.backhaul.value(), s.backhaul_time.value(), s.edge_compute.value()};
}
ServerStep from_row(const StepRow& row) {
  return {Seconds(row[0]), Seconds(row[1]), Seconds(row[2]), static_cast<std::int32_t>(row[3]),
          Bytes(row[4]),   Seconds(row[5]), Seconds(row[6])};
}

template <class Value>
void append(const Value& value, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(Value));
}

template <class Item>
void append_rows(const std::vector<Item>& items, std::string& bytes) {
  append(std::uint64_t{items.size()}, bytes);
  for (const Item& item : items) append(row_of(item), bytes);
}

/// Takes what was appended, in the same order.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::string_view text(std::uint64_t size) {
    if (size > rest_.size()) throw std::runtime_error("the result of a simulation is cut short");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  template <class Value>
  Value value() {
    Value value;
    std::memcpy(&value, text(sizeof(Value)).data(), sizeof(Value));
    return value;
  }
  template <class Item>
  void rows(std::vector<Item>& items) {
    const auto count = value<std::uint64_t>();
    items.reserve(std::min<std::uint64_t>(count, rest_.size() / sizeof(double)));
    for (std::uint64_t i = 0; i < count; ++i) items.push_back(from_row(value<decltype(row_of(Item()))>()));
  }

 private:
  std::string_view rest_;
};

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

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NodesOfRanks, ranks, count)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LinkUse, link, bytes, busy)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Records, makespan, ranks, activities, links, fidelity, messages)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Degrees, dp, tp, pp, cp, ep)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MemoryEstimate, weights, gradients, optimizer, activations, working)

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
                                   hardware_flops, collective, bus)
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

// Without trips and steps, which go behind all else.
void to_json(json& j, const FederatedRun& run) {
  j = {run.recompute_share, run.optimizer_share, run.flops_per_sample, run.lines};
}
void from_json(const json& j, FederatedRun& run) {
  j[0].get_to(run.recompute_share);
  j[1].get_to(run.optimizer_share);
  j[2].get_to(run.flops_per_sample);
  j[3].get_to(run.lines);
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
                                   copies, link_copies, nodes, layout, straggler_share, gap_share, records,
                                   data_transfer, federated, samples, histograms, curve, curve_source, steps,
                                   target_reached)

std::string to_bytes(const Way& way) {
  std::string head;
  json::to_cbor(json(way), nlohmann::detail::output_adapter<char>(head));
  const auto rows_size = [](const FederatedRun& run) {
    return 2 * sizeof(std::uint64_t) + run.trips.size() * sizeof(TripRow) + run.steps.size() * sizeof(StepRow);
  };
  std::string bytes;
  bytes.reserve(sizeof(std::uint64_t) + head.size() + rows_size(way.federated) + rows_size(way.data_transfer.run));
  append(std::uint64_t{head.size()}, bytes);
  bytes += head;
  for (const FederatedRun* run : {&way.federated, &way.data_transfer.run}) {
    append_rows(run->trips, bytes);
    append_rows(run->steps, bytes);
  }
  return bytes;
}

Way way_from_bytes(const std::string& bytes) {
  ByteReader reader(bytes);
  const auto head = reader.text(reader.value<std::uint64_t>());
  Way way = json::from_cbor(head).get<Way>();
  for (FederatedRun* run : {&way.federated, &way.data_transfer.run}) {
    reader.rows(run->trips);
    reader.rows(run->steps);
  }
  return way;
}

}  // namespace orrery
