// Everything that prediction of published rows looks things up in.
#pragma once

#include <string_view>
#include <vector>

#include "analysis/validation/measured/device_names.hpp"
#include "analysis/validation/measured/fabric_names.hpp"
#include "analysis/validation/measured/row_network.hpp"
#include "models/cost/framework.hpp"
#include "topologies/catalogue.hpp"
#include "topologies/device_law.hpp"
#include "topologies/fabric_law.hpp"

namespace orrery {

struct ValidationTables {
  Catalogue catalogue;
  DeviceLaws device_laws;
  FabricLaws fabric_laws;
  std::vector<FrameworkProfile> frameworks;
  std::vector<DeviceName> devices;
  std::vector<FabricName> fabrics;
  ModelTable models;

  /// Throws RowSkipped for an unknown id.
  [[nodiscard]] const FrameworkProfile& framework(std::string_view id) const;
};

/// What ships with Orrery; throws InvalidInput naming every defect.
ValidationTables read_validation_tables();

}  // namespace orrery
