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

/// What a signal handler may read at any moment: no memory of the heap, and the number of folders written last.
struct MadeFolders {
  std::array<char, PATH_MAX> deepest{};
  volatile std::sig_atomic_t count = 0;  // with those above it
};

// State of the whole process, because a signal handler can be given nothing. constinit: no guard a handler could block
// on.
MadeFolders& made_folders() {
  static constinit MadeFolders made{};
  return made;
}

/// Remembers the folders of a path that are not there yet.
void note_missing(const fs::path& folder) {
  fs::path path = folder.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "out/"
  const std::string text = path.string();
  std::error_code error;
  int missing = 0;
  for (; !path.empty() && !fs::exists(path, error); path = path.parent_path()) ++missing;
  MadeFolders& made = made_folders();
  if (text.size() >= made.deepest.size()) return;
  made.count = 0;  // while the text is not whole
  std::copy(text.begin(), text.end(), made.deepest.begin());
  made.deepest[text.size()] = '\0';
  made.count = missing;
}

}  // namespace

void remove_empty_folders() noexcept {
  MadeFolders& made = made_folders();
  const int folders = made.count;
  for (int i = 0; i < folders && ::rmdir(made.deepest.data()) == 0; ++i) {
    char* const last = std::strrchr(made.deepest.data(), '/');
    if (last == nullptr) break;
    *last = '\0';
  }
  made.count = 0;
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
