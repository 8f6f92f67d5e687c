// The file of `-o FILE`: what is wrong with it is said before the work, not after it, and it is none of the inputs.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace orrery {

/// The file that an option names; empty when it was not given. `flag` is how users know the option. Throws UsageError
/// when the file is there already and `force` was not given, or when its folder is not there.
std::string new_file(const std::string& command, const boost::program_options::variables_map& values,
                     const std::string& option = "output", const std::string& flag = "-o");

/// Throws UsageError when `file` is one of the `inputs` of the command, by whatever name or link: not even `force` may
/// replace what is read. Said before new_file(), which would advise to add it. An empty name is no file.
void refuse_inputs(const std::string& command, const std::string& file, const std::vector<std::string>& inputs,
                   const std::string& flag = "-o");

struct Scenario;

/// The same for files that a command writes into the folder of -o, and what its scenario reads.
void refuse_inputs_in(const std::string& command, const std::filesystem::path& folder,
                      const std::vector<std::string>& names, const Scenario& scenario);

}  // namespace orrery
