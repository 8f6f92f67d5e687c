// The folder of `-o DIR`: what is wrong with it is said before the work, not after it.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <filesystem>
#include <optional>
#include <string>

namespace orrery {

/// Of the option `output`; nothing when it was not given.
std::optional<std::filesystem::path> output_folder(const boost::program_options::variables_map& values);

/// Throws UsageError when the folder holds results.csv already and `force` was not given. `command`: "run".
void require_free(const std::string& command, const boost::program_options::variables_map& values);

/// Makes the folder with those above it, if one was asked for; throws UsageError when that cannot be.
void make_folder(const std::string& command, const boost::program_options::variables_map& values);

/// Removes what make_folder() made of folders, where nothing was written into them: a run that ends early leaves none
/// behind. Async-signal-safe.
void remove_empty_folders() noexcept;

}  // namespace orrery
