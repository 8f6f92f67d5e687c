#include "scenarios/search/unusable_values.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/layouts/obstacles.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<std::int64_t>;

/// A list of [search] that multiplies to devices.
struct DegreeList {
  const char* key;
  const Numbers& values;
  int Layout::*degree;
  [[nodiscard]] std::int64_t smallest() const {
    return values.empty() ? 1 : *std::min_element(values.begin(), values.end());
  }
};

class UnusableValues {
 public:
  UnusableValues(const SearchSpec& spec, std::int64_t devices, const std::vector<Layout>& space)
      : spec_(spec),
        devices_(devices),
        owner_(spec.devices ? "strategy" : "cluster"),
        space_(space),
        lists_({{"dp", spec.dp, &Layout::dp},
                {"tp", spec.tp, &Layout::tp},
                {"pp", spec.pp, &Layout::pp},
                {"cp", spec.cp, &Layout::cp}}) {}

  std::vector<std::string> list() {
    for (const DegreeList& list : lists_) add_unused(list, [&](std::int64_t value) { return why_alone(value); });
    if (space_.empty() && !found_.empty()) return std::move(found_);  // these are why no other value has a layout
    for (const DegreeList& list : lists_)
      add_unused(list, [&](std::int64_t value) { return why_together(list, value); });
    const DegreeList chunks{"interleave", spec_.interleave, &Layout::interleave};
    add_unused(chunks, [](std::int64_t) { return "no pp that is tried makes a pipeline - use 1, or pp 2 or more"; });
    return std::move(found_);
  }

 private:
  /// `why`: empty where it has nothing to say.
  template <class Why>
  void add_unused(const DegreeList& list, const Why& why) {
    for (const std::int64_t value : list.values) {
      const auto has = [&](const Layout& layout) { return layout.*list.degree == value; };
      if (std::any_of(space_.begin(), space_.end(), has)) continue;
      const std::string reason = why(value);
      if (!reason.empty()) found_.push_back(fmt::format("{} {}: {}", list.key, value, reason));
    }
  }

  /// Devices of the smallest values of the other lists.
  [[nodiscard]] std::int64_t least_of_others(const DegreeList& list) const {
    std::int64_t others = 1;
    for (const DegreeList& other : lists_) {
      if (&other != &list) others *= other.smallest();
    }
    return others;
  }

  [[nodiscard]] bool is_wrong_alone(std::int64_t value) const {
    return value > devices_ || ((spec_.dp.empty() || spec_.devices) && devices_ % value != 0);
  }

  [[nodiscard]] std::string why_alone(std::int64_t value) const {
    if (value > devices_) return fmt::format("the {} has {} devices - use {} at most", owner_, devices_, devices_);
    if (!is_wrong_alone(value)) return {};
    return fmt::format("the {}'s {} devices are no multiple of it - use {}{}", owner_, devices_,
                       nearest_divisors(devices_, value), spec_.devices ? "" : ", or list dp");
  }

  [[nodiscard]] std::string why_together(const DegreeList& list, std::int64_t value) const {
    if (is_wrong_alone(value)) return {};
    const std::int64_t others = least_of_others(list);
    if (value * others > devices_) {
      return fmt::format("with the others that are listed at least {} devices, and the {} has {} - use {}",
                         value * others, owner_, devices_,
                         devices_ < others ? "smaller ones" : fmt::format("{} at most", devices_ / others));
    }
    if (spec_.devices) {
      return fmt::format(
          "with none of the others that are listed dp x tp x pp x cp is the strategy's {} devices - list others",
          devices_);
    }
    return fmt::format(
        "with none of the others that are listed the cluster's {} devices are a multiple of tp x pp x cp - list 1 for "
        "them, or list dp",
        devices_);
  }

  const SearchSpec& spec_;
  std::int64_t devices_;
  const char* owner_;  // who has so many
  const std::vector<Layout>& space_;
  std::vector<DegreeList> lists_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> unusable_values(const SearchSpec& spec, std::int64_t devices,
                                         const std::vector<Layout>& space) {
  return UnusableValues(spec, devices, space).list();
}

}  // namespace orrery
