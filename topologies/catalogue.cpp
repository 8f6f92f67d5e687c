#include "topologies/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace orrery {
namespace {

template <class Row>
const Row* find(const std::vector<Row>& rows, std::string_view id) {
  const auto row = std::find_if(rows.begin(), rows.end(), [id](const Row& candidate) { return candidate.id == id; });
  return row == rows.end() ? nullptr : &*row;
}

/// From narrow to wide: the formats in which the work of a narrower one can be done.
constexpr std::array widening{Precision::fp8, Precision::bf16, Precision::fp16, Precision::tf32, Precision::fp32};

}  // namespace

FlopsPerSecond Device::peak_for(Precision precision) const {
  const auto own = peak.at(static_cast<std::size_t>(precision));
  if (own.value() > 0) return own;
  const auto* format = std::find(widening.begin(), widening.end(), precision);
  for (; format != widening.end(); ++format) {
    const auto wider = peak.at(static_cast<std::size_t>(*format));
    if (wider.value() > 0) return wider;
  }
  throw Infeasible(
      fmt::format("{}: no peak for {}{} in the catalogue (its source gives none) - choose another precision "
                  "or device",
                  id, name_of(precision),
                  precision == Precision::fp64 || precision == Precision::int8 ? "" : " or a wider format"));
}

const Device* Catalogue::device(std::string_view id) const {
  return find(devices, id);
}

const Link* Catalogue::link(std::string_view id) const {
  return find(links, id);
}

const Radio* Catalogue::radio(std::string_view id) const {
  return find(radios, id);
}

const System* Catalogue::system(std::string_view id) const {
  return find(systems, id);
}

const GridIntensity* Catalogue::grid(std::string_view id) const {
  return find(grids, id);
}

}  // namespace orrery
