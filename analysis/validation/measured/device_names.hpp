// Devices of published rows, found in the catalogue.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

struct DeviceName {
  std::string words;   // see has_words()
  std::string device;  // catalogue id; empty: known, and not in the catalogue
  std::string assumed;
  double node_GBps = 0;  // of the links inside a node, both ways together; 0: as the device's own
};

struct NamedDevice {
  const Device* device = nullptr;  // of the catalogue; null: not found
  std::string assumed;             // what the text leaves open; of none found: why
  double node_GBps = 0;
};

/// Reads device_names.csv; a device that the catalogue does not have is a problem.
std::vector<DeviceName> read_device_names(const Catalogue& catalogue, Problems& problems);

/// A text that is an id of the catalogue is that device; else the first name whose words it has.
NamedDevice find_device(std::string_view text, const std::vector<DeviceName>& names, const Catalogue& catalogue);

}  // namespace orrery
