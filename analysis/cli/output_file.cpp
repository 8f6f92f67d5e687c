#include "analysis/cli/output_file.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "analysis/cli/command.hpp"
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

}  // namespace orrery
