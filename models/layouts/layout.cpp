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

bool splits_backward(PipelineSchedule schedule) {
  return schedule == PipelineSchedule::zero_bubble;
}

std::string to_text(const Layout& layout) {
  std::string text = fmt::format("tp{} pp{} dp{}", layout.tp, layout.pp, layout.dp);
  if (layout.cp > 1) text += fmt::format(" cp{}", layout.cp);
  if (layout.ep > 1) text += fmt::format(" ep{}", layout.ep);
  if (expert_tensor_degree(layout) != layout.tp) text += fmt::format(" etp{}", layout.etp);
  text += fmt::format(" b{}", layout.microbatch);
  if (layout.interleave > 1) text += fmt::format(" v{}", layout.interleave);
  if (layout.pp > 1 && layout.chunks == Chunks::uneven) text += " uneven";
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

bool has_unequal_chunks(const Layout& layout) {
  return layout.chunks == Chunks::uneven && layout.interleave > 1 && layout.pp > 1;
}

bool has_equal_islands(const Layout& layout) {
  return layout.dp % layout.outer.islands == 0;
}

int replicas_in_step(const Layout& layout) {
  return layout.dp / layout.outer.islands * layout.cp;
}

int expert_tensor_degree(const Layout& layout) {
  return layout.etp == 0 ? layout.tp : layout.etp;
}

int expert_ranks_in_step(const Layout& layout) {
  return replicas_in_step(layout) * (layout.tp / expert_tensor_degree(layout));
}

int sharing_ranks(const Layout& layout) {
  return layout.zero_stage > 0 && layout.zero_group > 0 ? layout.zero_group : replicas_in_step(layout);
}

int expert_sharers(const Layout& layout, int replicas) {
  return std::max(1, replicas * (layout.tp / expert_tensor_degree(layout)) / layout.ep);
}

int state_shares(const Layout& layout) {
  return layout.zero_stage == 0 ? 1 : sharing_ranks(layout);
}

int expert_state_shares(const Layout& layout) {
  return layout.zero_stage == 0 ? 1 : expert_sharers(layout, state_shares(layout));
}

std::int64_t stride(const Layout& layout, Dimension dimension) {
  std::int64_t apart = 1;
  for (const Dimension faster : layout.order) {
    if (faster == dimension) break;
    apart *= degree(layout, faster);
  }
  return apart;
}

std::int64_t microbatches(const Layout& layout, std::int64_t batch) {
  return batch / (std::int64_t{layout.dp} * layout.microbatch);
}

}  // namespace orrery
