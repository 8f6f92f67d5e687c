// Which wires messages between the stages of a replica take.
#include <algorithm>

#include "models/layouts/group_place.hpp"
#include "models/layouts/judge_state.hpp"

namespace orrery {
namespace {

/// Where the first device of a stage of the first replica stands; those of the others are alike.
struct StagePlace {
  std::int64_t node = 0, nic = 0;
  std::int64_t joined = 0;  // the same for stages that a link inside a node joins
  [[nodiscard]] bool shares_nic_with(const StagePlace& other) const { return node == other.node && nic == other.nic; }
};

StagePlace place_of_stage(const Layout& layout, int stage, const NodeGroup& nodes) {
  const std::int64_t device = stride(layout, Dimension::pp) * stage, here = device % nodes.devices_per_node;
  const std::int64_t nics = std::min(nodes.nics_per_node, nodes.devices_per_node);
  return {device / nodes.devices_per_node, here * nics / nodes.devices_per_node, device / nodes.joined_devices()};
}

}  // namespace

/// Before a message is on the wire: each tensor-parallel rank sends its part; without sequence parallelism the parts
/// are gathered again in the node.
Seconds LayoutJudge::State::time_beside_wire(Bytes message, const Layout& layout) const {
  const Seconds latency(job_.framework.transfer_latency_us.value * micro);
  if (layout.tp == 1 || layout.sequence_parallel == SequenceParallel::on) return latency;
  const GroupPlace place = place_of(layout, Dimension::tp, job_.cluster.joined_devices());
  return latency + library_cost(CollectiveKind::all_gather, place, message * layout.tp, paths_for(layout).node,
                                paths_for(layout).network)
                       .total();
}

std::vector<PipelineHop> LayoutJudge::State::hops_between_stages(const std::vector<StageWork>& chunks,
                                                                 const Layout& layout) const {
  if (layout.pp == 1) return {};
  std::vector<PipelineHop> hops = hops_of_own_ports(layout, Seconds(), Seconds());
  const LibraryPath& node = paths_for(layout).node;
  std::vector<Bytes> messages(hops.size());
  for (std::size_t i = 0; i < hops.size(); ++i) {
    messages[i] = longest_message(chunks, i, layout);
    const bool is_alike = i > 0 && messages[i] == messages[i - 1];
    hops[i].beside = is_alike ? hops[i - 1].beside : time_beside_wire(messages[i], layout);
    hops[i].wire = messages[i] / node.bus;
  }
  if (stride(layout, Dimension::pp) * layout.pp > job_.cluster.joined_devices()) put_on_nics(hops, messages, layout);
  return hops;
}

/// Of the chunks of a stage the longest that leaves one of them for the next one.
Bytes LayoutJudge::State::longest_message(const std::vector<StageWork>& chunks, std::size_t stage,
                                          const Layout& layout) const {
  double numbers = 0;
  for (std::size_t chunk = stage; chunk + 1 < chunks.size(); chunk += static_cast<std::size_t>(layout.pp)) {
    numbers = std::max(numbers, chunks[chunk].boundary_numbers);
  }
  return bytes_in_memory(job_.precision) * (numbers / layout.tp);
}

/// Those between nodes.
void LayoutJudge::State::put_on_nics(std::vector<PipelineHop>& hops, const std::vector<Bytes>& messages,
                                     const Layout& layout) const {
  const auto count = static_cast<std::size_t>(layout.pp);
  const BytesPerSecond rate = message_rate(layout, job_.cluster, paths_for(layout).network);
  std::vector<std::size_t> nics(count);  // stages on the same NICs have the same one
  std::vector<StagePlace> places;
  for (std::size_t i = 0; i < count; ++i) {
    places.push_back(place_of_stage(layout, static_cast<int>(i), job_.cluster));
    nics[i] = i > 0 && places[i].shares_nic_with(places[i - 1]) ? nics[i - 1] : count + i;
  }
  for (std::size_t i = 0; i < hops.size(); ++i) {
    const std::size_t next = (i + 1) % count;
    if (places[i].joined != places[next].joined) hops[i] = {hops[i].beside, messages[i] / rate, nics[i], nics[next]};
  }
}

}  // namespace orrery
