// Files that are never half written, and where the project's data lies.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/base/errors.hpp"

namespace orrery {

/// Writes to a temporary file beside `path`, flushes, and renames: readers see the old content or the new, nothing
/// between. The folder must exist; a link is followed; a device or pipe is written to directly. Throws
/// std::system_error naming the file and the system's reason. Temporary files are removed on failure, and by
/// remove_temporary_files() on a signal. May be called from several threads.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A file that is gone when this leaves scope, and after a signal (remove_temporary_files). It does not make it.
class TemporaryFile {
 public:
  /// Throws std::runtime_error when the name is longer than the system's names are.
  explicit TemporaryFile(const std::string& name);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] std::filesystem::path path() const;

 private:
  struct Name;
  friend void remove_temporary_files() noexcept;
  static std::span<Name> names();
  static Name& take();
  Name* name_;
};

/// Removes every TemporaryFile, those that a write_file() under way has made among them. Async-signal-safe: made for
/// the handler of signals that main() installs, which ends the process afterwards.
void remove_temporary_files() noexcept;

/// Whole content; throws std::system_error naming the file and the reason.
std::string read_file(const std::filesystem::path& path);

/// Whole content of a file that the user named; nothing, and a problem, when it cannot be read.
std::optional<std::string> read_input(const std::string& path, Problems& problems);

/// The root of the data that ships with Orrery (topologies/catalogue, models/networks, ...): $ORRERY_DATA, else the
/// nearest folder above the executable that holds topologies/catalogue, else the source folder of the build.
std::filesystem::path data_directory();

/// Path of the running executable.
std::filesystem::path executable_path();

}  // namespace orrery
