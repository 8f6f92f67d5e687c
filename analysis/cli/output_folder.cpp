#include "analysis/cli/output_folder.hpp"

#include <fmt/format.h>

#include <system_error>

#include "sim/base/errors.hpp"

namespace orrery {

namespace fs = std::filesystem;
namespace po = boost::program_options;

std::optional<fs::path> output_folder(const po::variables_map& values) {
  if (values.count("output") == 0) return std::nullopt;
  return values["output"].as<std::string>();
}

void require_free(const std::string& command, const po::variables_map& values) {
  const auto folder = output_folder(values);
  if (!folder || values.count("force") != 0 || !fs::exists(*folder / "results.csv")) return;
  throw UsageError(
      fmt::format("orrery {}: {} already holds results - choose another -o or add --force", command, folder->string()));
}

void make_folder(const std::string& command, const po::variables_map& values) {
  const auto folder = output_folder(values);
  if (!folder) return;
  std::error_code error;
  fs::create_directories(*folder, error);
  if (!error && fs::is_directory(*folder)) return;
  const std::string why = error ? error.message() : "it is not a folder";
  throw UsageError(
      fmt::format("orrery {}: cannot write to -o \"{}\" ({}) - choose another folder", command, folder->string(), why));
}

}  // namespace orrery
