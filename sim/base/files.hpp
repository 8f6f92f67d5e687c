// Files that are never half written, and where the project's data lies.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/errors.hpp"

namespace orrery {

/// Writes to a temporary file beside `path`, flushes, and renames: readers see the old content or the new, nothing
/// between. The folder must exist; a link is followed; a device or pipe is written to directly. Throws
/// std::system_error naming the file and the system's reason. Temporary files are removed on failure, and by
/// remove_temporary_files() on a signal. May be called from several threads.
void write_file(const std::filesystem::path& path, std::string_view content);

/// Removes every temporary file that a write_file() under way has made. Async-signal-safe: made for the handler of
/// SIGINT and SIGTERM that main() installs, which ends the process afterwards.
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
