#include "tests/cli/orrery_process.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "sim/base/files.hpp"

namespace orrery::testing {

ChildResult call_orrery(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ORRERY_BINARY);
  return run_child(arguments);
}

ChildResult call_orrery_with(const std::string& variables, const std::string& arguments) {
  return run_child({"/bin/sh", "-c", variables + " exec " + ORRERY_BINARY + " " + arguments});
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "orrery-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& content) const {
  write_file(file(name), content);
  return file(name);
}

std::string shipped_scenario(const std::string& name) {
  return std::string(ORRERY_TEST_DIR) + "/../scenarios/" + name + ".toml";
}

}  // namespace orrery::testing
