#include "scenarios/strategies/hybrid_ranks.hpp"

#include <fmt/format.h>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

int& along(Coordinates& at, Dimension dimension) {
  switch (dimension) {
    case Dimension::tp:
      return at.tp;
    case Dimension::cp:
      return at.cp;
    case Dimension::dp:
      return at.dp;
    case Dimension::pp:
    case Dimension::ep:
    case Dimension::none:
      break;
  }
  return at.pp;
}

}  // namespace

std::vector<Folded> foldings(const HybridOptions& options) {
  if (options.fold == Folding::never) return {Folded::device};
  if (options.straggler || options.jitter > 0) return {Folded::group, Folded::device};
  return {Folded::stage, Folded::group, Folded::device};
}

Coordinates coordinates_of(const Layout& layout, std::int64_t device) {
  ORRERY_EXPECT(device >= 0 && device < layout.devices());
  Coordinates at;
  for (const Dimension dimension : layout.order) {
    along(at, dimension) = static_cast<int>(device % degree(layout, dimension));
    device /= degree(layout, dimension);
  }
  return at;
}

std::int64_t device_at(const Layout& layout, const Coordinates& at) {
  Coordinates copy = at;
  std::int64_t device = 0;
  for (const Dimension dimension : layout.order) device += along(copy, dimension) * stride(layout, dimension);
  return device;
}

HybridRanks::HybridRanks(const Layout& layout, Folded folded) : layout_(layout), folded_(folded) {
  const int dp = folded_ == Folded::stage ? 1 : layout_.dp;
  const int tp = folded_ == Folded::device ? layout_.tp : 1;
  const int cp = folded_ == Folded::device ? layout_.cp : 1;
  for (int stage = 0; stage < layout_.pp; ++stage) {
    for (int replica = 0; replica < dp; ++replica) {
      for (int part = 0; part < cp; ++part) {
        for (int slice = 0; slice < tp; ++slice) places_.push_back({slice, part, replica, stage});
      }
    }
  }
}

Coordinates HybridRanks::kept(Coordinates at) const {
  if (folded_ != Folded::device) at.tp = at.cp = 0;
  if (folded_ == Folded::stage) at.dp = 0;
  return at;
}

RankId HybridRanks::rank(const Coordinates& at) const {
  const Coordinates place = kept(at);
  const int dp = folded_ == Folded::stage ? 1 : layout_.dp;
  const int tp = folded_ == Folded::device ? layout_.tp : 1;
  const int cp = folded_ == Folded::device ? layout_.cp : 1;
  return RankId(static_cast<std::size_t>(((place.pp * dp + place.dp) * cp + place.cp) * tp + place.tp));
}

bool HybridRanks::stands_for(RankId rank, std::int64_t device) const {
  return kept(coordinates_of(layout_, device)) == at(rank);
}

RankId HybridRanks::in_stage(RankId rank, int stage) const {
  Coordinates other = at(rank);
  other.pp = stage;
  return this->rank(other);
}

std::string HybridRanks::note() const {
  switch (folded_) {
    case Folded::stage:
      return fmt::format(
          "folded: one rank stands for the {} devices of a stage, which do the same at the same time; their "
          "collectives "
          "take what the laws of the library and the fabric say (fold = \"never\" gives every device a rank)",
          devices_each());
    case Folded::group:
      return fmt::format(
          "folded: one rank stands for the {} devices that share a micro-batch (tp x cp), at the pace of the slowest; "
          "replicas differ (fold = \"never\" gives every device a rank)",
          devices_each());
    case Folded::device:
      break;
  }
  return "not folded: every device has a rank";
}

}  // namespace orrery
