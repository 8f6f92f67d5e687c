#include "analysis/validation/measured/fabric_names.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/validation/measured/quantities.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// Rates in texts are rounded; below this difference the catalogue's stands.
constexpr double rounding = 0.05;
/// The fastest single NIC of a rate "per node" without a number of NICs.
constexpr double fastest_nic = 50e9;

NamedLink at_rate(const Link& link, double bytes_per_second, std::string assumed) {
  NamedLink named{link, bytes_per_second / link.down.value(), 1, std::move(assumed)};
  if (std::abs(named.scale - 1) < rounding) named.scale = 1;
  named.link->down = link.down * named.scale;
  named.link->up = link.up * named.scale;
  return named;
}

NamedLink none(std::string why) {
  NamedLink named;
  named.assumed = std::move(why);
  return named;
}

void add(std::string& list, const std::string& text) {
  if (!text.empty()) list += (list.empty() ? "" : ", ") + text;
}

/// "25GbE" is of the kind of "GbE", "8xHDR" of that of "HDR".
std::vector<std::string> network_words(std::string_view text) {
  const std::vector<std::string> written = words_of(text);
  std::vector<std::string> words = written;
  for (const std::string& word : written) {
    if (word.ends_with("gbe")) words.emplace_back("gbe");
    const std::size_t behind = word.find_first_not_of("0123456789");
    if (behind != 0 && behind != std::string::npos && word[behind] == 'x') words.push_back(word.substr(behind + 1));
  }
  return words;
}

std::string nics_text(int nics) {
  return std::to_string(nics) + (nics == 1 ? " NIC per node" : " NICs per node");
}

bool is_of_kind(const Link& link, const std::string& kind) {
  return kind == "efa" ? link.id.rfind("efa-", 0) == 0 : link.kind == kind && link.id.find("veth") != 0;
}

}  // namespace

std::vector<FabricName> read_fabric_names(const Catalogue& catalogue, Problems& problems) {
  const auto file = data_directory() / "analysis" / "validation" / "fabric_names.csv";
  CsvTable table = CsvTable::read(file.string(), {{"place", "words", "link", "kind", "assumed"}, {}}, problems);
  std::vector<FabricName> names;
  for (CsvRow& row : table.rows()) {
    FabricName name{row.required_text("place"), row.required_text("words"), row.text("link"), row.text("kind"),
                    row.text("assumed")};
    const bool is_id = !name.link.empty() && name.link != "device" && name.link != "rate";
    if (is_id && catalogue.link(name.link) == nullptr) {
      row.problem("link", "the catalogue has no link \"" + name.link + "\"");
    }
    names.push_back(std::move(name));
  }
  return names;
}

Fabrics::Fabrics(const Catalogue& catalogue, std::vector<FabricName> names)
    : catalogue_(&catalogue), names_(std::move(names)) {}

const FabricName* Fabrics::name_of(std::string_view place, std::string_view text) const {
  const std::vector<std::string> words = place == "network" ? network_words(text) : words_of(text);
  const auto found = std::find_if(names_.begin(), names_.end(), [&](const FabricName& name) {
    return name.place == place && has_words(words, name.words);
  });
  return found == names_.end() ? nullptr : &*found;
}

const System* Fabrics::usual_system(const Device& device) const {
  const System* lone = nullptr;
  for (const System& system : catalogue_->systems) {
    if (system.device != device.id) continue;
    if (system.devices_per_node > 1) return &system;
    if (lone == nullptr) lone = &system;
  }
  return lone;
}

const Link* Fabrics::nearest(const std::string& kind, double bytes_per_second) const {
  const Link* best = nullptr;
  const auto distance = [&](const Link& link) { return std::abs(std::log(link.down.value() / bytes_per_second)); };
  for (const Link& link : catalogue_->links) {
    if (is_of_kind(link, kind) && (best == nullptr || distance(link) < distance(*best))) best = &link;
  }
  return best;
}

NamedLink Fabrics::usual_node(const Device& device) const {
  const System* system = usual_system(device);
  const std::string id = system != nullptr && !system->node_link.empty() ? system->node_link : device.link;
  const Link* link = catalogue_->link(id);
  if (link == nullptr) return none("no link inside the node is named, and " + device.id + " has none of its own");
  return {*link, 1, 1, "link inside the node: " + id};
}

NamedLink Fabrics::in_node(std::string_view text, const Device& device, double node_GBps) const {
  NamedLink named;
  const FabricName* name = text.empty() ? nullptr : name_of("node", text);
  if (text.empty() || (name != nullptr && name->link == "device")) {
    named = usual_node(device);
  } else if (name == nullptr || name->link.empty()) {
    return none("link inside the node \"" + std::string(text) + "\" is unknown");
  } else {
    named = {*catalogue_->link(name->link), 1, 1, name->assumed};
  }
  // GeForce cards do not reach each other over PCIe: their own link says so, texts do not.
  const Link* own = catalogue_->link(device.link);
  const bool goes_through_host = own != nullptr && own->id.rfind("pcie-shm", 0) == 0;
  if (named.link && named.link->kind == "pcie" && goes_through_host) named = {*own, 1, 1, "through host memory"};
  const auto written = rate_in(text);
  const double both_ways = node_GBps > 0 ? node_GBps * giga : written ? written->bytes_per_second : 0;
  if (named.link && both_ways > 0) named = at_rate(*named.link, both_ways / 2, named.assumed);
  return named;
}

NamedLink Fabrics::usual_network(const Device& device, int devices_per_node) const {
  const System* system = usual_system(device);
  const Link* link = system == nullptr ? nullptr : catalogue_->link(system->network_link);
  if (link == nullptr) return none("no network is named, and " + device.id + " has no usual one");
  // As many NICs per device as the usual system has.
  const int nics = std::max(1, system->nics_per_node * devices_per_node / std::max(1, system->devices_per_node));
  return {*link, 1, nics, "network of " + system->id};
}

/// NICs of a node, and the rate of each.
struct Fabrics::Nics {
  int count = 1;
  double each = 0;  // bytes per second
  std::string assumed;
};

Fabrics::Nics Fabrics::nics_of(std::string_view text, const FabricName* name, const Device& device,
                               int devices_per_node) const {
  const auto rate = network_rate_in(text), of_one = generation_rate_in(text);
  const auto count = count_in(text);
  const auto stated = rate ? rate : of_one;
  Nics nics{count.value_or(1), stated ? stated->bytes_per_second : catalogue_->link(name->link)->down.value(), ""};
  if (count) return nics;
  if (rate && nics.each > fastest_nic) {
    nics.count = devices_per_node;
    nics.each /= nics.count;
    nics.assumed = "a NIC per device";
    return nics;
  }
  const System* system = rate ? nullptr : usual_system(device);
  if (system != nullptr) nics.count = std::max(1, system->nics_per_node * devices_per_node / system->devices_per_node);
  nics.assumed = nics_text(nics.count);
  return nics;
}

NamedLink Fabrics::network(std::string_view text, const Device& device, int devices_per_node) const {
  if (text.empty()) return usual_network(device, devices_per_node);
  const FabricName* name = name_of("network", text);
  if (name != nullptr && name->link.empty()) return none("network \"" + std::string(text) + "\": " + name->assumed);
  const bool by_rate = name == nullptr || name->link == "rate";
  if (by_rate && !network_rate_in(text)) return none("network \"" + std::string(text) + "\": no rate in the text");
  const Nics nics = nics_of(text, name, device, devices_per_node);
  std::string assumed = name == nullptr ? "" : name->assumed;
  add(assumed, nics.assumed);
  const std::string kind = name != nullptr && !name->kind.empty() ? name->kind
                           : nics.count > 1                       ? "infiniband"
                                                                  : "ethernet";
  if (name == nullptr) add(assumed, "network of kind " + kind);
  const Link* link = by_rate ? nearest(kind, nics.each) : catalogue_->link(name->link);
  if (link == nullptr) return none("the catalogue has no link of kind " + kind);
  NamedLink named = at_rate(*link, nics.each, assumed);
  named.nics = nics.count;
  return named;
}

}  // namespace orrery
