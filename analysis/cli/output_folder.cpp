#include "analysis/cli/output_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <cstring>
#include <system_error>

#include "sim/base/errors.hpp"

namespace orrery {

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace {

// For a handler of signals: no memory of the heap, and the number of folders written last.
std::array<char, PATH_MAX> made_folder{};     // the deepest that was made
volatile std::sig_atomic_t made_folders = 0;  // with those above it

/// Remembers the folders of a path that are not there yet.
void note_missing(const fs::path& folder) {
  fs::path path = folder.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "out/"
  const std::string text = path.string();
  std::error_code error;
  int missing = 0;
  for (; !path.empty() && !fs::exists(path, error); path = path.parent_path()) ++missing;
  if (text.size() >= made_folder.size()) return;
  made_folders = 0;  // while the text is not whole
  std::copy(text.begin(), text.end(), made_folder.begin());
  made_folder[text.size()] = '\0';
  made_folders = missing;
}

}  // namespace

void remove_empty_folders() noexcept {
  const int folders = made_folders;
  for (int i = 0; i < folders && ::rmdir(made_folder.data()) == 0; ++i) {
    char* const last = std::strrchr(made_folder.data(), '/');
    if (last == nullptr) break;
    *last = '\0';
  }
  made_folders = 0;
}

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
  note_missing(*folder);
  fs::create_directories(*folder, error);
  if (!error && fs::is_directory(*folder)) return;
  const std::string why = error ? error.message() : "it is not a folder";
  throw UsageError(
      fmt::format("orrery {}: cannot write to -o \"{}\" ({}) - choose another folder", command, folder->string(), why));
}

}  // namespace orrery
