#include "analysis/validation/measured/tables.hpp"

#include <algorithm>

#include "sim/base/files.hpp"

namespace orrery {

const FrameworkProfile& ValidationTables::framework(std::string_view id) const {
  const auto found = std::find_if(frameworks.begin(), frameworks.end(), [&](const auto& row) { return row.id == id; });
  if (found == frameworks.end()) throw RowSkipped("no framework profile \"" + std::string(id) + "\"");
  return *found;
}

ValidationTables read_validation_tables() {
  Problems problems;
  ValidationTables tables;
  const auto folder = data_directory() / "topologies" / "catalogue";
  tables.catalogue = read_catalogue(folder, problems);
  tables.device_laws = DeviceLaws::read(folder, problems);
  tables.fabric_laws = FabricLaws::read(folder, problems);
  tables.frameworks = read_frameworks(problems);
  tables.devices = read_device_names(tables.catalogue, problems);
  tables.fabrics = read_fabric_names(tables.catalogue, problems);
  tables.models = read_model_table(problems);
  problems.throw_if_any();
  return tables;
}

}  // namespace orrery
