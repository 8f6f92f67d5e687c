#include "analysis/validation/measured/device_names.hpp"

#include "analysis/validation/measured/words.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

std::vector<DeviceName> read_device_names(const Catalogue& catalogue, Problems& problems) {
  const auto file = data_directory() / "analysis" / "validation" / "device_names.csv";
  CsvTable table = CsvTable::read(file.string(), {{"words", "device", "assumed", "node_GBps"}, {}}, problems);
  std::vector<DeviceName> names;
  for (CsvRow& row : table.rows()) {
    DeviceName name{row.required_text("words"), row.text("device"), row.text("assumed"),
                    row.number("node_GBps").value_or(0)};
    if (!name.device.empty() && catalogue.device(name.device) == nullptr) {
      row.problem("device", "the catalogue has no device \"" + name.device + "\"");
    }
    names.push_back(std::move(name));
  }
  return names;
}

NamedDevice find_device(std::string_view text, const std::vector<DeviceName>& names, const Catalogue& catalogue) {
  if (text.empty()) return {nullptr, "no device is named", 0};
  if (const Device* device = catalogue.device(text)) return {device, "", 0};
  const std::vector<std::string> words = words_of(text);
  for (const DeviceName& name : names) {
    if (!has_words(words, name.words)) continue;
    if (name.device.empty()) return {nullptr, "device \"" + std::string(text) + "\": " + name.assumed, 0};
    return {catalogue.device(name.device), name.assumed, name.node_GBps};
  }
  const auto near = nearest(text, ids_of(catalogue.devices));
  return {nullptr,
          "the catalogue has no device \"" + std::string(text) + "\"" +
              (near ? " - did you mean \"" + *near + "\"?" : std::string()),
          0};
}

}  // namespace orrery
