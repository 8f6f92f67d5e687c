#include <optional>
#include <utility>

#include "topologies/catalogue/files.hpp"

namespace orrery {

Catalogue read_catalogue(const std::filesystem::path& folder, Problems& problems) {
  Catalogue catalogue;
  catalogue.sources = read_sources((folder / "sources.csv").string(), problems);
  catalogue.radios = read_radios((folder / "radios.csv").string(), catalogue.sources, problems);
  catalogue.links = read_links((folder / "links.csv").string(), catalogue, problems);
  catalogue.devices = read_devices((folder / "devices.csv").string(), catalogue, problems);
  if (const auto path = folder / "host.csv"; std::filesystem::exists(path)) {
    std::optional<Device> host = read_host(path, catalogue.links, problems);
    if (host) catalogue.devices.push_back(std::move(*host));
  }
  catalogue.systems = read_systems((folder / "systems.csv").string(), catalogue, problems);
  catalogue.grids = read_grids((folder / "carbon.csv").string(), catalogue.sources, problems);
  return catalogue;
}

}  // namespace orrery
