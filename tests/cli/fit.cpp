// `orrery fit`: constants written as a file that reads back, refusals, help.
#include <string>

#include "models/cost/constants_file.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

std::string shipped_rows() {
  return (orrery::data_directory() / "analysis" / "validation" / "measured.csv").string();
}

TEST_CASE("fit writes constants that read back, says what they are worth, and is the same every time") {
  const TemporaryFolder folder;
  const std::string file = folder.file("a100.csv"), again = folder.file("again.csv");
  const ChildResult result =
      call_orrery({"fit", shipped_rows(), "--rows", "C-GEMM", "--device", "a100-sxm-40", "-o", file});
  CHECK(result.errors.empty());
  REQUIRE(result.exit_code == 0);
  CHECK(result.output.find("mean error of 8 rows: ") != std::string::npos);
  CHECK(result.output.find(" held out (5 folds; worst C-GEMM-") != std::string::npos);
  orrery::Problems problems;
  const orrery::ConstantsFile constants = orrery::read_constants_file(file, problems);
  CHECK(problems.empty());
  CHECK(constants.kind == "device");
  REQUIRE(constants.rows.size() == 2);
  CHECK(constants.rows[0].constant == "gemm_share");
  CHECK(constants.rows[0].value.value == Approx(0.845).epsilon(0.03));  // of the published fit
  CHECK(constants.rows[0].source.find("fit to measured.csv: 8 rows, held-out error ") == 0);
  call_orrery({"fit", shipped_rows(), "--rows", "C-GEMM", "--device", "a100-sxm-40", "-o", again});
  CHECK(orrery::read_file(file) == orrery::read_file(again));
}

TEST_CASE("fit refuses what it cannot do, and replaces a file only when told to") {
  const TemporaryFolder folder;
  const std::string file = folder.write("there.csv", "mine\n");
  CHECK(call_orrery({"fit", shipped_rows(), "--device", "a100-sxm-40"}).errors ==
        "orrery fit: -o FILE is missing (the file of constants to write)\n");
  CHECK(call_orrery({"fit", shipped_rows(), "-o", file}).errors ==
        "orrery fit: give one of --device, --link and --framework\n");
  const ChildResult there = call_orrery({"fit", shipped_rows(), "--device", "a100-sxm-40", "-o", file});
  CHECK(there.exit_code == 2);
  CHECK(there.errors == "orrery fit: " + file + " exists - choose another -o or add --force\n");
  CHECK(orrery::read_file(file) == "mine\n");
  CHECK(call_orrery({"fit", shipped_rows(), "--device", "a100-sxm-40", "-o", folder.file("no/a100.csv")}).errors ==
        "orrery fit: " + folder.file("no") + " of -o is no folder - make it, or choose another -o\n");
  const std::string trace = std::string(ORRERY_TEST_DIR) + "/models/cost/traces/lenet5-without-kineto.json";
  const ChildResult shapeless = call_orrery({"fit", trace, "--device", "a100-sxm-40", "-o", folder.file("new.csv")});
  CHECK(shapeless.exit_code == 3);
  CHECK(shapeless.errors.find("record_shapes=True") != std::string::npos);
  const ChildResult unknown =
      call_orrery({"fit", shipped_rows(), "--framework", "megatron-2022", "-o", folder.file("new.csv")});
  CHECK(unknown.exit_code == 3);
  CHECK(unknown.errors.find("orrery fit: unknown framework \"megatron-2022\" - did you mean \"megatron-2021\"?") == 0);
  const ChildResult silent =
      call_orrery({"fit", shipped_rows(), "--rows", "C-NCCL", "--device", "a100-sxm-40", "-o", folder.file("new.csv")});
  CHECK(silent.exit_code == 3);
  CHECK(silent.errors.find("orrery fit: ") != std::string::npos);
}

TEST_CASE("the example of a link works, and a constant that the rows do not depend on is not written") {
  const TemporaryFolder folder;
  const ChildResult link =
      call_orrery({"fit", shipped_rows(), "--rows", "C-NCCL", "--link", "nvswitch2", "-o", folder.file("link.csv")});
  CHECK(link.exit_code == 0);
  CHECK(link.output.find("bus_GBps ") != std::string::npos);
  const std::string file = folder.file("steps.csv");
  const ChildResult steps =
      call_orrery({"fit", shipped_rows(), "--rows", "A-KORT", "--framework", "megatron-2021", "-o", file});
  CHECK(steps.exit_code == 0);
  CHECK(steps.output.find("22.5  kept, with its range: the rows do not depend on it\n") != std::string::npos);
  CHECK(orrery::read_file(file).find("host_forward_us") == std::string::npos);
  CHECK(orrery::read_file(file).find("straggler_per_doubling") != std::string::npos);
}

TEST_CASE("fit --help begins with examples and names the file as other commands do") {
  const ChildResult help = call_orrery({"fit", "--help"});
  CHECK(help.exit_code == 0);
  CHECK(help.output.find("--rows C-NCCL --link nvswitch2 -o nvswitch2.csv") != std::string::npos);
  CHECK(help.output.find("-o [ --output ] FILE") != std::string::npos);
}

}  // namespace
