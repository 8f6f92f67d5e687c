// Every shipped scenario against its golden results, and its own [[assert]] tables: a change of any prediction shows.
// Learning is left out of the former (its bits depend on the CPU's vector width); scenarios that learn run once more
// for what it must reach. After an intended change: ORRERY_UPDATE_GOLDEN=1 build/ci/test_cli "[golden]", then read the
// difference before committing it.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "sim/base/files.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::parse_number;
using orrery::read_file;
using orrery::split;
using orrery::testing::shipped_scenario;
using orrery::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> scenario_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(std::string(ORRERY_TEST_DIR) + "/../scenarios")) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool learns(const std::string& text) {
  return text.find("\nlearn = true\n") != std::string::npos;
}

/// The scenario without what belongs to learning (assertions about it, too), with paths that hold from another folder.
std::string without_learning(const std::string& text) {
  std::string kept;
  const std::string judged = learns(text) ? text.substr(0, text.find("[[assert]]")) : text;
  for (const std::string& line : split(judged, '\n')) {
    static const std::vector<std::string> of_learning = {
        "learn = ", "target_accuracy = ", "evaluate_every = ", "partition = ", "alpha = "};
    const auto begins = [&](const std::string& key) { return line.rfind(key, 0) == 0; };
    if (learns(text) && std::any_of(of_learning.begin(), of_learning.end(), begins)) continue;
    const std::size_t relative = line.find("\"../models/");
    kept += relative == std::string::npos
                ? line
                : line.substr(0, relative + 1) + ORRERY_TEST_DIR + "/" + line.substr(relative + 1);
    kept += '\n';
  }
  return kept;
}

/// Equal, or both numbers within 1e-6 of each other, which leaves room for another mathematical library but for no
/// other model.
bool same_cell(const std::string& got, const std::string& golden) {
  if (got == golden) return true;
  const auto a = parse_number(got);
  const auto b = parse_number(golden);
  return a && b && std::fabs(*a - *b) <= 1e-6 * std::fmax(std::fabs(*a), std::fabs(*b));
}

void compare(const std::string& got, const std::string& golden) {
  const auto got_lines = split(got, '\n');
  const auto golden_lines = split(golden, '\n');
  REQUIRE(got_lines.size() == golden_lines.size());
  REQUIRE(got_lines[0] == golden_lines[0]);
  const auto header = split(golden_lines[0], ',');
  for (std::size_t line = 1; line < golden_lines.size(); ++line) {
    const auto a = split(got_lines[line], ',');
    const auto b = split(golden_lines[line], ',');
    REQUIRE(a.size() == b.size());
    for (std::size_t cell = 0; cell < b.size(); ++cell) {
      INFO("line " << line << ", column " << (cell < header.size() ? header[cell] : "?") << ": got " << a[cell]
                   << ", golden " << b[cell]);
      CHECK(same_cell(a[cell], b[cell]));
    }
  }
}

}  // namespace

TEST_CASE("every shipped scenario gives its golden results, and what it asserts without learning holds", "[golden]") {
  const std::string name = GENERATE(from_range(scenario_names()));
  DYNAMIC_SECTION(name) {
    const TemporaryFolder folder;
    const std::string scenario = folder.write("scenario.toml", without_learning(read_file(shipped_scenario(name))));
    const std::vector<std::string> command = {"run", scenario, "-o", folder.file("out")};
    const orrery::ChildResult result = orrery::testing::call_orrery(command);
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    const std::string golden = std::string(ORRERY_TEST_DIR) + "/golden/" + name + ".csv";
    const std::string got = read_file(folder.file("out/results.csv"));
    if (std::getenv("ORRERY_UPDATE_GOLDEN") != nullptr) orrery::write_file(golden, got);
    REQUIRE(fs::exists(golden));
    compare(got, read_file(golden));
  }
}

namespace {

// A case each, so that they run beside each other; the quickstart's is in tests/cli/run.cpp, where its bytes count,
// too.
const std::vector<std::string> learning_scenarios = {"factory", "federated",    "hospitals", "non-iid",
                                                     "phones",  "slow-cluster", "privacy",   "stragglers"};

/// Runs it as it ships: its assertions are the exit code.
void check_learned(const std::string& name) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  std::cerr << "skipped: " << name << " is too slow under a sanitizer\n";
#else
  const orrery::ChildResult result = orrery::testing::call_orrery({"run", shipped_scenario(name), "--quiet"});
  INFO(result.errors);
  CHECK(result.exit_code == 0);
#endif
}

}  // namespace

TEST_CASE("factory learns what it asserts", "[learning]") {
  check_learned("factory");
}
TEST_CASE("federated learns what it asserts", "[learning]") {
  check_learned("federated");
}
TEST_CASE("hospitals learns what it asserts", "[learning]") {
  check_learned("hospitals");
}
TEST_CASE("non-iid learns what it asserts", "[learning]") {
  check_learned("non-iid");
}
TEST_CASE("phones learns what it asserts", "[learning]") {
  check_learned("phones");
}
TEST_CASE("privacy learns what it asserts", "[learning]") {
  check_learned("privacy");
}
TEST_CASE("slow-cluster learns what it asserts", "[learning]") {
  check_learned("slow-cluster");
}
TEST_CASE("stragglers learns what it asserts", "[learning]") {
  check_learned("stragglers");
}

TEST_CASE("no scenario that learns is forgotten here", "[learning]") {
  std::vector<std::string> expected = learning_scenarios, found;
  expected.emplace_back("quickstart");
  std::sort(expected.begin(), expected.end());
  for (const std::string& name : scenario_names()) {
    if (learns(read_file(shipped_scenario(name)))) found.push_back(name);
  }
  CHECK(found == expected);
}
