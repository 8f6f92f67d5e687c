// `orrery measure`: hands over to orrery-measure beside this executable, so that nothing else needs MPI.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "analysis/cli/measure_spec.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"

namespace orrery {

ExitCode measure_command(const Arguments& arguments) {
  if (!parse(measure_spec(), arguments)) return ExitCode::ok;
  const std::filesystem::path program = executable_path().parent_path() / "orrery-measure";
  if (!std::filesystem::exists(program)) {
    throw UsageError(
        fmt::format("orrery measure: {} is missing (MPI was not there when Orrery was built) - install libopenmpi-dev "
                    "and openmpi-bin, for example with ./dev setup, and build again",
                    program.string()));
  }
  // One thread per process unless the user says otherwise: the cores belong to the other processes.
  ::setenv("OMP_NUM_THREADS", "1", 0);
  std::vector<char*> pointers = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  throw std::system_error(errno, std::generic_category(), "cannot start " + program.string());
}

}  // namespace orrery
