// One reader per catalogue file. `read_catalogue` calls them in the order in which the files refer to each other.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

std::vector<Source> read_sources(const std::string& path, Problems& problems);
std::vector<Radio> read_radios(const std::string& path, const std::vector<Source>& sources, Problems& problems);
/// Checks radios and sources against what `known` holds already.
std::vector<Link> read_links(const std::string& path, const Catalogue& known, Problems& problems);
/// Checks links and sources against what `known` holds already.
std::vector<Device> read_devices(const std::string& path, const Catalogue& known, Problems& problems);
/// The measured machine: one row, whose id must be `host`. Nothing when a problem was recorded.
std::optional<Device> read_host(const std::filesystem::path& path, const std::vector<Link>& links, Problems& problems);
/// Checks devices, links, fabrics and sources.
std::vector<System> read_systems(const std::string& path, const Catalogue& known, Problems& problems);
std::vector<GridIntensity> read_grids(const std::string& path, const std::vector<Source>& sources, Problems& problems);

}  // namespace orrery
