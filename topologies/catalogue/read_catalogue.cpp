#include <fmt/format.h>

#include <optional>

#include "sim/base/suggest.hpp"
#include "topologies/catalogue/files.hpp"

namespace orrery {
namespace {

void add_host(Catalogue& catalogue, const std::filesystem::path& path, Problems& problems) {
  if (!std::filesystem::exists(path)) return;
  std::optional<Device> host = read_device_file(path, problems);
  if (!host) return;
  if (host->id != "host") {
    problems.add({{path.string(), 0, 0},
                  "id",
                  fmt::format("\"{}\" is not the id of the machine that runs Orrery", host->id),
                  "host.csv adds one device, named host",
                  "write it anew with `orrery profile --device`",
                  ""});
    return;
  }
  if (!host->link.empty() && catalogue.link(host->link) == nullptr) {
    problems.add({{path.string(), 0, 0},
                  "link",
                  fmt::format("unknown link \"{}\"", host->link),
                  "no such id in links.csv",
                  did_you_mean(host->link, ids_of(catalogue.links)),
                  ""});
  }
  if (catalogue.device("host") == nullptr) catalogue.devices.push_back(*host);
}

}  // namespace

Catalogue read_catalogue(const std::filesystem::path& folder, Problems& problems) {
  Catalogue catalogue;
  catalogue.sources = read_sources((folder / "sources.csv").string(), problems);
  catalogue.links = read_links((folder / "links.csv").string(), catalogue.sources, problems);
  catalogue.devices = read_devices((folder / "devices.csv").string(), catalogue, problems);
  add_host(catalogue, folder / "host.csv", problems);
  catalogue.systems = read_systems((folder / "systems.csv").string(), catalogue, problems);
  catalogue.grids = read_grids((folder / "carbon.csv").string(), catalogue.sources, problems);
  return catalogue;
}

}  // namespace orrery
