#include "models/cost/constants_file.hpp"

#include <array>
#include <optional>

#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr std::array<std::string_view, 3> kinds{"device", "link", "framework"};

/// The first cell of the first line that is no comment.
std::string kind_of(std::string_view text) {
  for (const std::string& line : split(text, '\n')) {
    if (trim(line).empty() || line.starts_with('#')) continue;
    const std::string_view cell = trim(std::string_view(line).substr(0, line.find(',')));
    for (const std::string_view kind : kinds) {
      if (cell == kind) return std::string(kind);
    }
    return {};
  }
  return {};
}

std::vector<NamedConstant> constants_of(const std::string& kind) {
  if (kind == "device") return all_device_constants();
  return kind == "link" ? all_fabric_constants() : named_constants(framework_constants());
}

}  // namespace

ConstantsFile parse_constants_file(std::string_view text, const std::string& name, Problems& problems) {
  ConstantsFile file;
  file.file = name;
  file.kind = kind_of(text);
  if (file.kind.empty()) {
    problems.add({{name, 1, 1},
                  {},
                  "is no file of constants",
                  "its first column says whose they are: device, link or framework",
                  "start with: device,constant,value,low,high,source",
                  {}});
    return file;
  }
  file.rows = read_constants(CsvTable::parse(text, name, constant_columns(file.kind), problems),
                             {file.kind, constants_of(file.kind), {}}, problems);
  return file;
}

ConstantsFile read_constants_file(const std::string& path, Problems& problems) {
  const std::optional<std::string> text = read_input(path, problems);
  return text ? parse_constants_file(*text, path, problems) : ConstantsFile{};
}

void overlay(const ConstantsFile& file, DeviceLaws& laws) {
  if (file.kind == "device") laws.overlay(file.rows);
}

void overlay(const ConstantsFile& file, FabricLaws& laws) {
  if (file.kind == "link") laws.overlay(file.rows);
}

void overlay(const ConstantsFile& file, FrameworkProfile& framework) {
  if (file.kind != "framework") return;
  for (const ConstantRow& row : file.rows) {
    if (row.owner == framework.id) set_constant(framework, framework_constants(), row);
  }
}

}  // namespace orrery
