#include "analysis/cli/output_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "analysis/cli/command.hpp"
#include "scenarios/scenario.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

namespace fs = std::filesystem;

std::string new_file(const std::string& command, const boost::program_options::variables_map& values,
                     const std::string& option, const std::string& flag) {
  std::string file = text_of(values, option);
  if (file.empty()) return file;
  if (values.count("force") == 0 && fs::exists(file)) {
    throw UsageError(fmt::format("orrery {}: {} exists - choose another {} or add --force", command, file, flag));
  }
  const fs::path folder = fs::path(file).parent_path();
  if (!folder.empty() && !fs::is_directory(folder)) {
    throw UsageError(fmt::format("orrery {}: {} of {} is no folder - make it, or choose another {}", command,
                                 folder.string(), flag, flag));
  }
  return file;
}

void refuse_inputs(const std::string& command, const std::string& file, const std::vector<std::string>& inputs,
                   const std::string& flag) {
  std::error_code is_missing;  // what is not there cannot be lost
  for (const std::string& input : inputs) {
    if (!fs::is_regular_file(file, is_missing) || !fs::equivalent(file, input, is_missing)) continue;
    throw UsageError(
        fmt::format("orrery {}: {} would replace {}, which is read - choose another {}", command, flag, input, flag));
  }
}

void refuse_inputs_in(const std::string& command, const fs::path& folder, const std::vector<std::string>& names,
                      const Scenario& scenario) {
  for (const std::string& name : names) refuse_inputs(command, (folder / name).string(), scenario.inputs);
}

}  // namespace orrery
