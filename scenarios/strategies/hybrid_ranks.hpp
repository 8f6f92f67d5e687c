// Who is who in a hybrid program: where the devices of a layout stand, and how many of them one rank stands for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/hybrid_options.hpp"
#include "sim/base/ids.hpp"

namespace orrery {

/// Place of a device in each dimension of a layout.
struct Coordinates {
  int tp = 0, cp = 0, dp = 0, pp = 0;
  bool operator==(const Coordinates&) const = default;
};
/// Devices are numbered along the dimensions of Layout::order, the first the fastest.
Coordinates coordinates_of(const Layout& layout, std::int64_t device);
std::int64_t device_at(const Layout& layout, const Coordinates& at);

/// What one rank of the program stands for. stage: all devices of a pipeline stage, which do the same at the same time
/// when nothing disturbs one of them. group: the tp x cp devices that share a micro-batch; replicas differ. device:
/// one.
enum class Folded : std::uint8_t { stage, group, device };

/// From the fewest ranks on: `stage`, but `group` with a straggler or jitter, which make replicas differ; `device`
/// alone when the options ask for it. Devices of a group wait for each other in every layer, so the slowest of them is
/// the group's pace.
std::vector<Folded> foldings(const HybridOptions& options);

class HybridRanks {
 public:
  HybridRanks(const Layout& layout, Folded folded);

  [[nodiscard]] Folded folded() const { return folded_; }
  [[nodiscard]] std::size_t count() const { return places_.size(); }
  /// Devices that every rank stands for.
  [[nodiscard]] std::int64_t devices_each() const { return layout_.devices() / static_cast<std::int64_t>(count()); }
  /// Of the first device that it stands for.
  [[nodiscard]] const Coordinates& at(RankId rank) const { return places_[rank.index()]; }
  [[nodiscard]] RankId rank(const Coordinates& at) const;
  [[nodiscard]] std::int64_t first_device(RankId rank) const { return device_at(layout_, at(rank)); }
  /// Whether a rank stands for this device, alone or among others.
  [[nodiscard]] bool stands_for(RankId rank, std::int64_t device) const;
  /// The same rank of another stage.
  [[nodiscard]] RankId in_stage(RankId rank, int stage) const;
  /// Why it is folded so, for `explain`.
  [[nodiscard]] std::string note() const;

 private:
  /// With the dimensions that are folded left at 0.
  [[nodiscard]] Coordinates kept(Coordinates at) const;

  Layout layout_;
  Folded folded_;
  std::vector<Coordinates> places_;
};

}  // namespace orrery
