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

/// Gradients are summed over dp and cp together: one group when they are neighbours in the order.
struct Group {
  std::int64_t ranks, apart;
};

Group group_of(const Layout& layout, Dimension dimension) {
  if (dimension != Dimension::dp || layout.cp == 1) return {degree(layout, dimension), stride(layout, dimension)};
  return {std::int64_t{layout.dp} * layout.cp, std::min(stride(layout, Dimension::dp), stride(layout, Dimension::cp))};
}

}  // namespace

GroupPlace place_of(const Layout& layout, Dimension dimension, int devices_per_node) {
  const Group group = group_of(layout, dimension);
  const std::int64_t in_node = std::clamp<std::int64_t>(devices_per_node / group.apart, 1, group.ranks);
  return {static_cast<int>(group.ranks), static_cast<int>(in_node)};
}

std::int64_t microbatches(const Layout& layout, std::int64_t batch) {
  return batch / (std::int64_t{layout.dp} * layout.microbatch);
}

}  // namespace orrery
