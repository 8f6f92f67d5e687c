// The file of `-o FILE`: what is wrong with it is said before the work, not after it.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <string>

namespace orrery {

/// The file that an option names; empty when it was not given. `flag` is how users know the option. Throws UsageError
/// when the file is there already and `force` was not given, or when its folder is not there.
std::string new_file(const std::string& command, const boost::program_options::variables_map& values,
                     const std::string& option = "output", const std::string& flag = "-o");

}  // namespace orrery
