// Runs the real binary as a user would.
#pragma once

#include <string>
#include <vector>

#include "sim/base/process.hpp"

namespace orrery::testing {

/// `orrery ARGUMENTS...`.
ChildResult call_orrery(std::vector<std::string> arguments);

/// `sh -c "VARIABLES orrery ARGUMENTS"`: with environment variables such as OMP_NUM_THREADS=2.
ChildResult call_orrery_with(const std::string& variables, const std::string& arguments);

/// A fresh folder, removed with everything in it at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

/// scenarios/NAME.toml of the source tree.
std::string shipped_scenario(const std::string& name);

}  // namespace orrery::testing
