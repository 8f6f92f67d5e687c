// A file of constants beside the shipped ones, as `orrery fit` writes it: of devices, of links, or of a framework.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/cost/framework.hpp"
#include "sim/base/constants_csv.hpp"
#include "topologies/device_law.hpp"
#include "topologies/fabric_law.hpp"

namespace orrery {

/// Rows of one kind of owner.
struct ConstantsFile {
  std::string file;  // where it was read
  std::string kind;  // device, link or framework
  std::vector<ConstantRow> rows;
};

/// Columns kind,constant,value,low,high,source, where kind is device, link or framework. Problems: those of
/// read_constants(), and a first column of another name.
ConstantsFile read_constants_file(const std::string& path, Problems& problems);
/// Same from a text; `name` stands for the file in messages.
ConstantsFile parse_constants_file(std::string_view text, const std::string& name, Problems& problems);

/// The file's constants in the place of the shipped ones; a file of another kind changes nothing.
void overlay(const ConstantsFile& file, DeviceLaws& laws);
void overlay(const ConstantsFile& file, FabricLaws& laws);
void overlay(const ConstantsFile& file, FrameworkProfile& framework);  // the rows of its id

}  // namespace orrery
