#include "analysis/validation/measured/row_degrees.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "analysis/validation/measured/stated_settings.hpp"

namespace orrery {
namespace {

constexpr int most_stages = 16;

std::int64_t model_ranks(const Layout& layout) {
  return std::int64_t{layout.tp} * layout.pp * layout.cp;
}

[[noreturn]] void refuse_replicas(const MeasuredRow& row, const Layout& layout, std::int64_t devices,
                                  std::int64_t replicas) {
  throw RowSkipped(fmt::format("dp is {}, but {} devices / (tp {} x pp {} x cp {}) are {}", *row.dp, devices, layout.tp,
                               layout.pp, layout.cp, replicas));
}

/// A blank tp or pp beside a stated dp.
void set_from_replicas(RowCase& target, const MeasuredRow& row, std::int64_t devices) {
  Layout& layout = target.layout;
  const std::int64_t replicas = devices / model_ranks(layout);
  if (replicas % *row.dp != 0 || (row.tp && row.pp && replicas != *row.dp)) {
    refuse_replicas(row, layout, devices, replicas);
  }
  layout.dp = static_cast<int>(*row.dp);
  const auto left = static_cast<int>(replicas / *row.dp);
  if (left == 1) return;
  target.open.tensor = target.open.pipeline = !row.tp && !row.pp;
  if (target.open.degrees()) return;
  (row.tp ? layout.pp : layout.tp) = left;
  target.assumed.push_back(fmt::format("{} {}, what {} devices leave for it", row.tp ? "pp" : "tp", left, devices));
}

/// A blank tp or pp where dp is blank, too, and follows from them.
void open_degrees(RowCase& target, const MeasuredRow& row, std::int64_t devices) {
  Layout& layout = target.layout;
  layout.dp = static_cast<int>(devices / model_ranks(layout));
  if (devices == 1) return;
  const std::string why = layout.zero_stage == 3             ? "as states are sharded"
                          : !target.network.is_transformer() ? "as such networks are trained by data alone"
                                                             : "";
  for (const auto& [name, stated] : {std::pair("tp", row.tp), std::pair("pp", row.pp)}) {
    if (!stated && !why.empty()) target.assumed.push_back(fmt::format("{} 1, {}", name, why));
  }
  target.open.tensor = !row.tp && why.empty();
  target.open.pipeline = !row.pp && why.empty();
  target.open.replicas = target.open.degrees();
}

std::vector<int> powers_of_two(int most) {
  std::vector<int> powers;
  for (int power = 1; power <= most; power *= 2) powers.push_back(power);
  return powers;
}

}  // namespace

std::int64_t devices_of(RowCase& target, const MeasuredRow& row) {
  if (row.devices) return *row.devices;
  if (!row.dp) throw RowSkipped("missing: devices");
  const std::int64_t tp = row.tp.value_or(1), pp = row.pp.value_or(1), cp = row.cp.value_or(1);
  const std::int64_t devices = tp * pp * cp * *row.dp;
  target.assumed.push_back(fmt::format("{} devices, tp {} x pp {} x cp {} x dp {}", devices, tp, pp, cp, *row.dp));
  return devices;
}

void set_degrees(RowCase& target, const MeasuredRow& row, std::int64_t devices) {
  Layout& layout = target.layout;
  layout.tp = static_cast<int>(row.tp.value_or(1));
  layout.pp = static_cast<int>(row.pp.value_or(1));
  layout.cp = static_cast<int>(row.cp.value_or(1));
  layout.ep = static_cast<int>(row.ep.value_or(1));
  layout.zero_stage = zero_stage_of(row);
  if (shards_by_default(row)) target.assumed.emplace_back("zero_stage 3, as MaxText does where nothing is said");
  if (devices % model_ranks(layout) != 0) {
    throw RowSkipped(
        fmt::format("{} devices are no multiple of tp {} x pp {} x cp {}", devices, layout.tp, layout.pp, layout.cp));
  }
  if (row.dp) {
    set_from_replicas(target, row, devices);
  } else {
    open_degrees(target, row, devices);
  }
  if (target.open.degrees()) return;
  layout.etp = expert_split(layout);
  if (layout.etp == 0) return;
  target.assumed.push_back(
      fmt::format("etp 1, as ep {} does not divide dp {} x cp {}", layout.ep, layout.dp, layout.cp));
}

std::vector<Layout> with_degrees(const RowCase& open) {
  if (!open.open.degrees()) return {open.layout};
  std::vector<Layout> layouts;
  const ClusterDescription& cluster = open.job.cluster;
  const BlockSequence sequence = blocks_of(open.job.network);
  const std::vector<int> of_tensors =
      open.open.tensor ? powers_of_two(cluster.devices_per_node) : std::vector<int>{open.layout.tp};
  const std::vector<int> of_stages = open.open.pipeline ? powers_of_two(most_stages) : std::vector<int>{open.layout.pp};
  for (const int tp : of_tensors) {
    for (const int pp : of_stages) {
      Layout layout = open.layout;
      layout.tp = tp;
      layout.pp = pp;
      if (cluster.devices() % model_ranks(layout) != 0) continue;
      layout.dp = static_cast<int>(cluster.devices() / model_ranks(layout));
      if (!open.open.replicas && layout.dp != open.layout.dp) continue;
      if (tp == 1) layout.sequence_parallel = SequenceParallel::off;
      layout.etp = expert_split(layout);
      layout.chunks = chunks_of(sequence, layout);
      layouts.push_back(layout);
    }
  }
  if (layouts.empty()) throw RowSkipped(fmt::format("no powers of two for tp and pp leave dp {}", open.layout.dp));
  return layouts;
}

int expert_split(const Layout& layout) {
  const int replicas = layout.dp * layout.cp;
  return replicas % layout.ep != 0 && replicas * layout.tp % layout.ep == 0 ? 1 : 0;
}

Chunks chunks_of(const BlockSequence& sequence, const Layout& layout) {
  const std::size_t chunks = static_cast<std::size_t>(layout.pp) * layout.interleave;
  const bool is_equal = layout.interleave == 1 || layout.pp == 1 || divides_into(sequence, chunks);
  return is_equal ? Chunks::equal : Chunks::uneven;
}

}  // namespace orrery
