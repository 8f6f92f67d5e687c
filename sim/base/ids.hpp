// Typed indices: a rank cannot be passed where a layer is expected. An id is invalid until given a value.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace orrery {

template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(std::size_t index) : index_(static_cast<std::int32_t>(index)) {}
  [[nodiscard]] constexpr bool valid() const { return index_ >= 0; }
  [[nodiscard]] constexpr std::size_t index() const { return static_cast<std::size_t>(index_); }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  std::int32_t index_ = -1;
};

using RankId = Id<struct RankTag>;              // one process of the training job
using LayerId = Id<struct LayerTag>;            // one layer of the network
using OpId = Id<struct OpTag>;                  // one operation of a Program
using DeviceId = Id<struct DeviceTag>;          // one simulated device (host of the Platform)
using LinkId = Id<struct LinkTag>;              // one direction of one simulated link
using GroupId = Id<struct GroupTag>;            // one communicator: an ordered list of ranks
using CollectiveId = Id<struct CollectiveTag>;  // one collective operation, shared by the ranks of its group

}  // namespace orrery

template <class Tag>
struct std::hash<orrery::Id<Tag>> {
  std::size_t operator()(orrery::Id<Tag> id) const noexcept { return std::hash<std::size_t>{}(id.index()); }
};
