#include "scenarios/strategies/hybrid_traffic.hpp"

#include <algorithm>

#include "models/cost/pass_bytes.hpp"
#include "models/layouts/block_price.hpp"
#include "sim/collectives/library.hpp"

namespace orrery {
namespace {

struct Sent {
  Bytes node, network;
  [[nodiscard]] Bytes total() const { return node + network; }
  Sent& operator+=(const Sent& other) {
    node += other.node, network += other.network;
    return *this;
  }
};

Sent operator*(const Sent& sent, double times) {
  return {sent.node * times, sent.network * times};
}

Sent sent_by(const LibraryCost& cost) {
  return {cost.node_bytes, cost.network_bytes};
}

/// By all devices of a stage in one micro-batch, over all stages: per device.
Sent in_groups(const TrainingJob& job, const Layout& layout, const LayoutPrices& prices) {
  Sent sum;
  const auto add = [&](Dimension dimension, Bytes bytes) {
    const bool crosses = place_of(layout, dimension, job.cluster.devices_per_node).nodes() > 1;
    (crosses ? sum.network : sum.node) += bytes;
  };
  for (const StagePrice& stage : prices.stages) {
    for (const ChunkPrice& chunk : stage.chunks) {
      add(Dimension::tp, chunk.tensor_sent);
      add(Dimension::cp, chunk.context_sent);
      add(Dimension::ep, chunk.expert_sent);
    }
  }
  return sum;
}

/// Messages between stages likewise: every chunk but the last sends its boundary and gets as much back.
Bytes messages(const Layout& layout, const LayoutPrices& prices) {
  const double edges = static_cast<double>(layout.pp) * layout.interleave - 1.0;
  return prices.stages.front().chunks.front().boundary * (2.0 * edges);
}

/// How the exchange of states is shared out over node and network: the collective of the gradients `bytes`, gathers of
/// the parameters over the same group (ZeRO-3 without a pipeline: two), and the sums of the groups' shards.
Sent exchange_shape(const TrainingJob& job, const Layout& layout, const LibraryCost& cost, Bytes bytes) {
  Sent shape = sent_by(cost);
  if (layout.zero_stage == 0) return shape;
  const double kept = bytes_in_memory(job.precision).value();
  const double wire = kept < 4.0 ? job.framework.gradient_wire_bytes.value : kept;
  const double gathers = layout.zero_stage == 3 && layout.pp == 1 ? 2.0 : 1.0;
  shape += shape * (gathers * kept / wire);
  const int all = layout.dp * layout.cp;
  if (layout.zero_group == 0 || layout.zero_group >= all) return shape;
  const GroupPlace place =
      place_of_replicas(layout, layout.zero_group, all / layout.zero_group, job.cluster.devices_per_node);
  const Paths paths = paths_of(job);
  shape +=
      sent_by(library_cost(CollectiveKind::all_reduce, place, bytes / layout.zero_group, paths.node, paths.network));
  return shape;
}

}  // namespace

void add_traffic_beside(const TrainingJob& job, const Layout& layout, const StepPrediction& prediction,
                        const LayoutPrices& prices, const Collective& simulated, LayoutFigures& figures) {
  const auto devices = static_cast<double>(layout.devices());
  const double passes = prediction.microbatches * devices / layout.pp;
  const Sent groups = in_groups(job, layout, prices) * passes;
  figures.beside_node = groups.node, figures.beside_network = groups.network;
  const Bytes sent = prediction.sent_per_device * devices;
  const Bytes exchanged = sent - groups.total() - messages(layout, prices) * passes;
  const Sent shape = exchange_shape(job, layout, prices.gradient_exchange, simulated.bytes);
  if (shape.total() <= Bytes()) return;
  const auto add_rest = [&](Bytes part, Bytes on_wires, Bytes& beside) {
    constexpr double rounding = 1e-9;
    const Bytes rest = exchanged * (part / shape.total()) - on_wires * devices;
    if (rest > sent * rounding) beside += rest;
  };
  add_rest(shape.node, simulated.library.node_bytes, figures.beside_node);
  add_rest(shape.network, simulated.library.network_bytes, figures.beside_network);
}

}  // namespace orrery
