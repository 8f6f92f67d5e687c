// No command but measure writes over what it reads, by whatever name, not even with --force.
#include <filesystem>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"
#include "tests/cli/small_scenarios.hpp"

using orrery::ChildResult;
using orrery::read_file;
using namespace orrery::testing;
namespace fs = std::filesystem;

namespace {

/// The command is refused and `input` stays as it is.
void check_kept(const std::string& input, const std::vector<std::string>& arguments, const std::string& flag = "-o") {
  const std::string before = read_file(input);
  const ChildResult result = call_orrery(arguments);
  INFO(result.errors);
  CHECK(result.exit_code == 2);
  CHECK(result.errors.find("orrery " + arguments[0] + ": " + flag + " would replace ") == 0);
  CHECK(read_file(input) == before);
}

}  // namespace

TEST_CASE("an output file that is an input is refused") {
  const TemporaryFolder folder;
  const std::string rows = folder.write("rows.csv", "id,metric,value,unit\nE-T-1,mttf,7.9,h\n");
  const std::string other_name = folder.path() + "/./rows.csv", link = folder.file("link.csv");
  fs::create_symlink("rows.csv", link);
  for (const std::string& output : {rows, other_name, link})
    check_kept(rows, {"validate", rows, "-o", output, "--force"});
  CHECK(call_orrery({"validate", rows, "-o", rows}).errors ==
        "orrery validate: -o would replace " + rows + ", which is read - choose another -o\n");
  const std::string constants = folder.write("mine.csv", "device,constant,value,low,high,source\n");
  check_kept(constants, {"validate", rows, "--constants", constants, "-o", constants, "--force"});
  check_kept(rows, {"fit", rows, "--device", "a100-sxm-40", "-o", link, "--force"});
  const std::string trace = folder.write("trace.json", "{}");
  check_kept(trace, {"fit", trace, "--device", "a100-sxm-40", "-o", trace, "--force"});
  check_kept(trace, {"profile", "2nn", "--trace", trace, "--batch", "8", "-o", trace, "--force"});
  check_kept(trace, {"profile", "2nn", "--trace", trace, "--batch", "8", "--fits", trace, "--force"}, "--fits");
}

TEST_CASE("results are not replaced by what is made of them, nor a scenario by its run") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", three_ways), out = folder.file("out");
  REQUIRE(call_orrery({"run", scenario, "-o", out}).exit_code == 0);
  check_kept(out + "/results.csv", {"compare", out, out, "-o", out + "/results.csv", "--force"});
  check_kept(out + "/timeline.csv", {"trace", out, "-o", out + "/timeline.csv", "--force"});
  check_kept(out + "/resolved.toml", {"run", out + "/resolved.toml", "-o", out, "--force"});
  CHECK(call_orrery({"run", scenario, "-o", out, "--force"}).exit_code == 0);
  CHECK(call_orrery({"run", out + "/resolved.toml", "-o", folder.file("again")}).exit_code == 0);
}
