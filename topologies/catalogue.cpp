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

Precision Device::format_for(Precision precision) const {
  const auto has = [this](Precision format) { return peak.at(static_cast<std::size_t>(format)).value() > 0; };
  if (has(precision)) return precision;
  const auto* format = std::find_if(std::find(widening.begin(), widening.end(), precision), widening.end(), has);
  if (format != widening.end()) return *format;
  throw Infeasible(
      fmt::format("{}: no peak for {}{} in the catalogue (its source gives none) - choose another precision "
                  "or device",
                  id, name_of(precision),
                  precision == Precision::fp64 || precision == Precision::int8 ? "" : " or a wider format"));
}

FlopsPerSecond Device::peak_for(Precision precision) const {
  return peak.at(static_cast<std::size_t>(format_for(precision)));
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
