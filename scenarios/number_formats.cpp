#include "scenarios/number_formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/base/errors.hpp"

namespace orrery {
namespace {

constexpr std::array from_narrow_to_wide{Precision::bf16, Precision::fp16, Precision::tf32, Precision::fp32};

bool has_format(const Device& device, Precision precision) {
  return device.peak[static_cast<std::size_t>(precision)] > FlopsPerSecond(0);
}

bool all_have(const std::vector<const Device*>& devices, Precision precision) {
  return std::all_of(devices.begin(), devices.end(),
                     [precision](const Device* device) { return has_format(*device, precision); });
}

/// Each kind once, in the order in which they come.
std::vector<const Device*> kinds_of(const std::vector<const Device*>& devices) {
  std::vector<const Device*> kinds;
  for (const Device* device : devices) {
    const auto is_same = [device](const Device* known) { return known->id == device->id; };
    if (std::none_of(kinds.begin(), kinds.end(), is_same)) kinds.push_back(device);
  }
  return kinds;
}

/// The narrowest format that all have and that could take the other's place.
Precision shared_format(const std::vector<const Device*>& kinds, Precision precision) {
  for (const Precision wider : from_narrow_to_wide) {
    if (wider != precision && all_have(kinds, wider)) return wider;
  }
  return Precision::fp32;
}

/// The format whose peak Device::peak_for() takes.
Precision stand_in(const Device& device, Precision precision) {
  const auto own = std::find(from_narrow_to_wide.begin(), from_narrow_to_wide.end(), precision);
  const auto found =
      std::find_if(own, from_narrow_to_wide.end(), [&device](Precision wider) { return has_format(device, wider); });
  return found == from_narrow_to_wide.end() ? precision : *found;
}

}  // namespace

void require_training_format(Precision precision) {
  if (precision == Precision::int8) throw Infeasible("int8 is no format to train in - use bf16 or fp8");
}

std::vector<std::string> format_notes(Precision precision, const std::vector<const Device*>& devices) {
  const std::vector<const Device*> kinds = kinds_of(devices);
  const Device* with = nullptr;
  std::vector<const Device*> without;
  for (const Device* kind : kinds) {
    if (has_format(*kind, precision)) {
      if (with == nullptr) with = kind;
    } else {
      without.push_back(kind);
    }
  }
  if (without.empty()) return {};
  const std::string lacks = fmt::format("{} has no {} products", without.front()->id, name_of(precision));
  const std::string_view instead = name_of(shared_format(kinds, precision));
  if (with != nullptr) throw Infeasible(fmt::format("{}, {} has - use {}", lacks, with->id, instead));
  if (precision == Precision::fp8) throw Infeasible(fmt::format("{} - use {}", lacks, instead));
  std::vector<std::string> notes;
  for (const Device* kind : without) {
    notes.push_back(fmt::format("{} has no {} products: they are counted in {}, at {:.3g} TFLOP/s", kind->id,
                                name_of(precision), name_of(stand_in(*kind, precision)),
                                kind->peak_for(precision).value() / tera));
  }
  return notes;
}

std::vector<std::string> format_notes(Precision precision, const std::vector<ClientGroup>& clients) {
  std::vector<const Device*> devices;
  for (const ClientGroup& group : clients) devices.push_back(&group.device);
  return format_notes(precision, devices);
}

}  // namespace orrery
