#include "scenarios/search/step_use.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace orrery {
namespace {

/// Launches between kernels are in it, as they are in the prices.
Seconds busy_time(const StagePrice& stage, double count) {
  Seconds pass;
  for (const ChunkPrice& chunk : stage.chunks) pass += chunk.computing();
  return pass * count + stage.optimizer;
}

/// What passes wait for the host.
Seconds late_time(const StagePrice& stage, double count) {
  Seconds pass;
  for (const ChunkPrice& chunk : stage.chunks) pass += chunk.late + chunk.late_back;
  return pass * count;
}

/// What a host that is late works beside exchanges between layers.
Seconds host_beside_exchanges(const StagePrice& stage, double count) {
  Seconds pass;
  for (const ChunkPrice& chunk : stage.chunks) {
    if (chunk.late > Seconds()) pass += chunk.exposed_forward();
    if (chunk.late_back > Seconds()) pass += chunk.exposed_backward() + chunk.tensor_recompute;
  }
  return pass * count;
}

/// From the last gradients that a stage gets to those that it sends on.
Seconds last_backward(const StagePrice& stage, const Layout& layout) {
  const ChunkPrice& chunk = stage.chunks.front();
  return chunk.backward_time() - (splits_backward(layout.schedule) ? chunk.backward_weights : Seconds());
}

/// How long before the end of the step every stage is done: gradients reach the first one last. Where the ends of the
/// pipeline meet for a tied embedding, those between are done while they exchange it.
std::vector<Seconds> early_by(const std::vector<StagePrice>& stages, const std::vector<Seconds>& transfers,
                              const LayoutPrices& prices, const Layout& layout) {
  std::vector<Seconds> end;
  Seconds before, latest;
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    const bool is_end = stage == 0 || stage + 1 == stages.size();
    const bool meets = is_end && prices.tied_exchange.time > Seconds();
    end.push_back(stages[stage].optimizer + (meets ? prices.tied_exchange.time : Seconds() - before));
    latest = std::max(latest, end.back());
    before += last_backward(stages[stage], layout);
    if (stage < transfers.size()) before += transfers[stage];
  }
  for (Seconds& each : end) each = latest - each;
  return end;
}

/// Of one micro-batch on one chunk, computing and exchanges that show.
Seconds pass_time(const ChunkPrice& chunk) {
  return chunk.forward_time() + chunk.backward_time();
}

/// Neighbouring stages that stand on one node, the first and the last.
struct NodeStages {
  int first = 0, last = 0;
};

/// How long a node computes that holds several stages, as far as this one of them says. While one exchanges or waits
/// another computes, but at the ends of passes that they begin together, one forward and the next backward, before the
/// first pass comes to them and after the last one has left, and where all of them wait for the first gradients of the
/// stages behind.
Seconds shared_node_time(const StagePrice& stage, double count, NodeStages node, int stages) {
  Seconds work = stage.optimizer;
  for (const ChunkPrice& chunk : stage.chunks) {
    work += (pass_time(chunk) - std::min(chunk.exposed_forward(), chunk.exposed_backward())) * count;
  }
  const ChunkPrice& chunk = stage.chunks.front();
  work += pass_time(chunk) * (stages - 1.0 - node.first) - chunk.backward_time() * (stages - 1.0 - node.last);
  return work;
}

/// The busiest of them sets the pace of all.
Seconds shared_node_time(const std::vector<StagePrice>& stages, double count, NodeStages node) {
  Seconds longest;
  for (int stage = node.first; stage <= node.last; ++stage) {
    const StagePrice& own = stages[static_cast<std::size_t>(stage)];
    longest = std::max(longest, shared_node_time(own, count, node, static_cast<int>(stages.size())));
  }
  return longest;
}

/// How many times the mean share that a device has of its node the devices of every stage have: a last node that is
/// used in part is powered whole. On nodes of several kinds: the mean.
std::vector<double> shares_of_nodes(const LayoutPrices& prices, const Layout& layout, int devices_per_node) {
  std::vector<double> shares(static_cast<std::size_t>(layout.pp), 1.0);
  const std::int64_t all = layout.devices(), last = all % devices_per_node, full = all / devices_per_node;
  if (last == 0 || full == 0 || !prices.kinds.empty()) return shares;
  std::vector<double> on_last(shares.size());
  for (std::int64_t device = all - last; device < all; ++device) {
    on_last[static_cast<std::size_t>(device / stride(layout, Dimension::pp) % layout.pp)] += 1.0;
  }
  const double mean = (static_cast<double>(full) + 1.0) / static_cast<double>(all);
  const double each = static_cast<double>(all) / layout.pp;
  for (std::size_t stage = 0; stage < shares.size(); ++stage) {
    const double here = on_last[stage] / each;
    shares[stage] = ((1.0 - here) / devices_per_node + here / static_cast<double>(last)) / mean;
  }
  return shares;
}

/// Of all devices that hold a stage.
class UseOfStages {
 public:
  UseOfStages(const LayoutPrices& prices, const StepPrediction& step, const Layout& layout, int devices_per_node)
      : prices_(prices),
        step_(step),
        layout_(layout),
        shares_(shares_of_nodes(prices, layout, devices_per_node)),
        standing_(step.parts.gap_share()) {
    const std::int64_t apart = stride(layout, Dimension::pp);
    together_ = static_cast<int>(std::clamp<std::int64_t>(devices_per_node / apart, 1, layout.pp));
  }

  /// So many replicas like this one.
  void add_replicas(int replica, int count) {
    const std::vector<StagePrice>& stages = prices_.stages_of(replica);
    const auto& transfers =
        prices_.kinds.empty() ? prices_.transfers : prices_.kinds[prices_.kind_of(replica)].transfers;
    const double passes = prices_.microbatches_of(replica, step_.microbatches);
    const double devices = static_cast<double>(layout_.tp) * layout_.cp * count;
    const std::vector<Seconds> early = early_by(stages, transfers, prices_, layout_);
    Seconds shared;  // how long the node of a stage computes, where it holds others
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
      const Seconds busy = busy_time(stages[stage], passes), late = late_time(stages[stage], passes);
      const Seconds standing_by = late + early[stage] + (stage == 0 ? step_.parts.input : Seconds());
      use_.computing += busy * ((1.0 - standing_) * devices);
      use_.blocked += std::max(Seconds(), step_.time() - busy - standing_by) * devices;
      use_.idle += (busy * standing_ + standing_by) * devices;
      const int first = static_cast<int>(stage) / together_ * together_;
      const NodeStages node{first, std::min(layout_.pp, first + together_) - 1};
      const bool is_alone = node.first == node.last, is_first = static_cast<std::size_t>(first) == stage;
      if (is_first && !is_alone) {
        const Seconds most = step_.time() - step_.parts.straggler - early[stage];
        shared = std::min(most, shared_node_time(stages, passes, node));
      }
      const Seconds active = is_alone ? busy + late + host_beside_exchanges(stages[stage], passes) : shared;
      use_.node_computing += active * devices * shares_[stage];
    }
  }

  [[nodiscard]] const StepUse& sum() const { return use_; }

 private:
  const LayoutPrices& prices_;
  const StepPrediction& step_;
  const Layout& layout_;
  std::vector<double> shares_;  // of nodes, by stage
  int together_ = 1;            // stages on a node
  double standing_ = 0;         // between kernels, of the time that a device is busy
  StepUse use_;
};

}  // namespace

StepUse step_use(const LayoutPrices& prices, const StepPrediction& step, const Layout& layout, int devices_per_node) {
  UseOfStages use(prices, step, layout, devices_per_node);
  if (prices.kinds.empty()) {
    use.add_replicas(0, layout.dp);
  } else {
    for (int replica = 0; replica < layout.dp; ++replica) use.add_replicas(replica, 1);
  }
  return use.sum();
}

}  // namespace orrery
