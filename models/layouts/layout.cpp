#include "models/layouts/layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {

std::string_view name_of(PipelineSchedule schedule) {
  switch (schedule) {
    case PipelineSchedule::gpipe:
      return "gpipe";
    case PipelineSchedule::one_f_one_b:
      return "1f1b";
    case PipelineSchedule::zero_bubble:
      return "zb-h1";
  }
  return "";
}

std::string to_text(const Layout& layout) {
  std::string text = fmt::format("tp{} pp{} dp{}", layout.tp, layout.pp, layout.dp);
  if (layout.cp > 1) text += fmt::format(" cp{}", layout.cp);
  if (layout.ep > 1) text += fmt::format(" ep{}", layout.ep);
  text += fmt::format(" b{}", layout.microbatch);
  if (layout.interleave > 1) text += fmt::format(" v{}", layout.interleave);
  if (layout.pp > 1 && layout.schedule != PipelineSchedule::one_f_one_b) {
    text += fmt::format(" {}", name_of(layout.schedule));
  }
  if (layout.zero_stage > 0) text += fmt::format(" zero{}", layout.zero_stage);
  if (layout.recompute != Recompute::none) text += fmt::format(" {}", name_of(layout.recompute));
  if (layout.sequence_parallel == SequenceParallel::on) text += " sp";
  if (layout.offload == Offload::optimizer) text += " offload";
  if (layout.balance == Balance::speed) text += " by speed";
  if (layout.outer.islands > 1) text += fmt::format(" islands{} outer{}", layout.outer.islands, layout.outer.every);
  return text;
}

int degree(const Layout& layout, Dimension dimension) {
  switch (dimension) {
    case Dimension::dp:
      return layout.dp;
    case Dimension::tp:
      return layout.tp;
    case Dimension::pp:
      return layout.pp;
    case Dimension::cp:
      return layout.cp;
    case Dimension::ep:
      return layout.ep;
    case Dimension::none:
      break;
  }
  return 1;
}

int replicas_in_step(const Layout& layout) {
  return layout.dp / layout.outer.islands * layout.cp;
}

std::int64_t stride(const Layout& layout, Dimension dimension) {
  if (dimension == Dimension::ep) {  // the first of dp and cp
    return std::min(stride(layout, Dimension::dp), stride(layout, Dimension::cp));
  }
  std::int64_t apart = 1;
  for (const Dimension faster : layout.order) {
    if (faster == dimension) break;
    apart *= degree(layout, faster);
  }
  return apart;
}

namespace {

/// Ranks of a dimension that lie in one node beside each other.
std::int64_t in_node(std::int64_t devices_per_node, std::int64_t apart, std::int64_t ranks) {
  return std::clamp<std::int64_t>(devices_per_node / apart, 1, ranks);
}

/// Nodes from one of a group to its next one, when its neighbours are so many ranks apart.
int nodes_apart(std::int64_t devices_per_node, std::int64_t ranks_apart) {
  return static_cast<int>(std::max<std::int64_t>(1, ranks_apart / devices_per_node));
}

}  // namespace

GroupPlace place_of_replicas(const Layout& layout, int every, int ranks, int devices_per_node) {
  const bool cp_is_faster = stride(layout, Dimension::cp) < stride(layout, Dimension::dp);
  const Dimension fast = cp_is_faster ? Dimension::cp : Dimension::dp,
                  slow = cp_is_faster ? Dimension::dp : Dimension::cp;
  const std::int64_t fast_ranks = std::max(1, degree(layout, fast) / every);
  const std::int64_t inner = std::min<std::int64_t>(ranks, fast_ranks),
                     outer = std::max<std::int64_t>(1, ranks / inner);
  const std::int64_t skipped = std::max(1, every / degree(layout, fast));
  const std::int64_t beside = in_node(devices_per_node, stride(layout, fast) * every, inner);
  const std::int64_t apart = beside < inner ? stride(layout, fast) * every : stride(layout, slow) * skipped;
  return {ranks, static_cast<int>(beside * in_node(devices_per_node, stride(layout, slow) * skipped, outer)),
          nodes_apart(devices_per_node, apart)};
}

GroupPlace place_of(const Layout& layout, Dimension dimension, int devices_per_node) {
  if (dimension == Dimension::dp) return place_of_replicas(layout, 1, layout.dp * layout.cp, devices_per_node);
  if (dimension == Dimension::ep) return place_of_replicas(layout, 1, layout.ep, devices_per_node);
  const int ranks = degree(layout, dimension);
  const std::int64_t apart = stride(layout, dimension);
  return {ranks, static_cast<int>(in_node(devices_per_node, apart, ranks)), nodes_apart(devices_per_node, apart)};
}

std::int64_t microbatches(const Layout& layout, std::int64_t batch) {
  return batch / (std::int64_t{layout.dp} * layout.microbatch);
}

}  // namespace orrery
