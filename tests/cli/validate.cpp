// `orrery validate`: published measurements predicted; published rounds of federated averaging learned anew.
#include <filesystem>
#include <iostream>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::testing::call_orrery;
using orrery::testing::call_orrery_with;
using orrery::testing::TemporaryFolder;

namespace {

const std::string header =
    "row,network,partition,clients_per_round,local_epochs,local_batch,target_accuracy,published_rounds,rounds,ratio,"
    "band_low,band_high,inside,learning_rate,highest_accuracy,seed,certainty,source\n";
const std::string finished =
    header +
    "2nn-iid-m10-e1-b10,2nn,iid,10,1,10,0.97,87,33.5,0.385,0.25,1.1,yes,0.2,0.97,1,read,McMahan et al. 2017 table 1\n";

bool has_mnist() {
  if (std::filesystem::exists(orrery::data_directory() / "data" / "mnist")) return true;
  std::cerr << "skipped: mnist is not on this machine; `./dev data mnist` brings it\n";
  return false;
}

}  // namespace

TEST_CASE("what validate cannot do is answered before any work") {
  const TemporaryFolder folder;
  const std::string file = folder.write("rows.csv", finished);
  const auto errors = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "validate");
    const ChildResult result = call_orrery(arguments);
    CHECK(result.exit_code == 2);
    CHECK(result.output.empty());
    return result.errors;
  };
  CHECK(errors({"--federated", "--rows", "3nn*"}) == "orrery validate: no row matches 3nn*\n");
  CHECK(errors({"--federated", "--resume"}) == "orrery validate: --resume goes on with a file - name it with -o\n");
  CHECK(errors({"--federated", "-o", file}) ==
        "orrery validate: " + file + " exists - choose another -o, or add --resume or --force\n");
  CHECK(errors({"--federated", "-o", file, "--resume", "--seed", "2"}) ==
        "orrery validate: " + file + " has rows of seed 1 - go on with --seed 1\n");
  CHECK(errors({"rows.csv", "more.csv"}) ==
        "orrery validate: too many arguments (1 wanted) - see `orrery validate --help`\n");
  CHECK(errors({"--federated", "rows.csv"}) ==
        "orrery validate: --federated has its own rows - leave ROWS.csv out, or --federated\n");
  CHECK(errors({"rows.csv", "--full"}) ==
        "orrery validate: --full belongs to --federated - add it, or leave --full out\n");
  CHECK(errors({"rows.csv", "--seed", "1"}) ==
        "orrery validate: --seed belongs to --federated - add it, or leave --seed out\n");
  CHECK(errors({"rows.csv", "-o", file}) ==
        "orrery validate: " + file + " exists - choose another -o or add --force\n");
}

TEST_CASE("published measurements are predicted: a table, a file, the same bytes twice, every defect at once") {
  const TemporaryFolder folder;
  const std::string rows =
      folder.write("rows.csv",
                   "id,metric,value,unit,model,device,devices,devices_per_node,intra_link\n"
                   "C-T-1,busbw,229,GB/s,all_reduce 1 GiB,A100-80GB-SXM,8,8,NVLink3+NVSwitch 600GB/s\n"
                   "E-T-1,mttf,7.9,h,,A100,,,\n");
  const std::string file = rows + ".out", again = rows + ".again";
  const ChildResult result = call_orrery({"validate", rows, "-o", file});
  CHECK(result.exit_code == 0);
  CHECK(result.errors.empty());
  CHECK(result.output.rfind("Predictions of 1 of 2 published measurements: error = predicted / measured - 1\n", 0) ==
        0);
  CHECK(call_orrery({"validate", rows, "-o", again}).output == result.output);
  CHECK(orrery::read_file(file) == orrery::read_file(again));
  CHECK(orrery::read_file(file).rfind("id,set,metric,unit,measured,predicted,", 0) == 0);
  const std::string broken = folder.write("broken.csv", "id,metric,value,unit\nA-B-1,mfu,much,%\nA-B-1,,3,%\n");
  const ChildResult refused = call_orrery({"validate", broken});
  CHECK(refused.exit_code == 3);
  for (const char* part : {"value: \"much\"", "metric", "stands twice"}) {
    CHECK(refused.errors.find(part) != std::string::npos);
  }
}

TEST_CASE("validate says that a file has no rows") {
  const TemporaryFolder folder;
  const std::string file = folder.write("rows.csv", "id,metric,value,unit\n");
  const ChildResult result = call_orrery({"validate", file});
  CHECK(result.exit_code == 3);
  CHECK(result.output.empty());
  CHECK(result.errors == file + ": has no rows (a header alone measures nothing) - write a measurement to each line\n");
}

TEST_CASE("validate says why no row can be predicted, with code 4") {
  const TemporaryFolder folder;
  const std::string rows =
      folder.write("rows.csv", "id,metric,value,unit\nX-A-001,step_tim,3,s\nX-A-002,iteration_time,3,s\n");
  const ChildResult result = call_orrery({"validate", rows, "-q"});
  CHECK(result.exit_code == 4);
  const std::size_t reasons = result.output.find("\nNo row says enough:\nX-A-001: ");
  REQUIRE(reasons != std::string::npos);
  CHECK(result.output.find("step_time", reasons) != std::string::npos);
  CHECK(result.output.find("\nX-A-002: ", reasons) != std::string::npos);
}

TEST_CASE("validate --help lists the metrics with their units") {
  const std::string help = call_orrery({"validate", "--help"}).output;
  CHECK(help.find("time: us, ms, s, min, h, hours, days") != std::string::npos);
  CHECK(help.find("mfu: %, fraction;") != std::string::npos);
  CHECK(help.find("busbw: GB/s;") != std::string::npos);
}

TEST_CASE("validate goes on where it stopped: finished rows are not learned again") {
  if (!has_mnist()) return;
  const TemporaryFolder folder;
  const std::string file = folder.write("rows.csv", finished);
  const ChildResult result =
      call_orrery({"validate", "--federated", "--rows", "2nn-iid-m10-e1-b10", "-o", file, "--resume"});
  CHECK(result.exit_code == 0);
  CHECK(result.errors.empty());
  CHECK(result.output ==
        R"(Rounds of federated averaging to the target accuracy (McMahan et al. 2017), MNIST, 100 clients

row                 published  ours  ratio         band  inside  learning rate  certainty
-----------------------------------------------------------------------------------------
2nn-iid-m10-e1-b10         87  33.5   0.39  0.25 to 1.1     yes            0.2  read

Between rows
  orderings of the tables (one setting differs, published rounds by more than 1.5 x): 0 of 0 hold
)");
  CHECK(orrery::read_file(file) == finished);
}

TEST_CASE(
    "validate reruns a published row: the 2NN on MNIST by FedAvg reaches 97 % inside its band, with any threads") {
  if (!has_mnist()) return;
  const TemporaryFolder folder;
  const std::string arguments = "validate --federated --rows 2nn-iid-m10-e1-b10 --quiet -o " + folder.path();
  const ChildResult one = call_orrery_with("OMP_NUM_THREADS=1", arguments + "/one.csv");
  const ChildResult two = call_orrery_with("OMP_NUM_THREADS=2", arguments + "/two.csv");
  CHECK(one.exit_code == 0);
  CHECK(two.exit_code == 0);
  CHECK(one.output == two.output);
  const std::string csv = orrery::read_file(folder.file("one.csv"));
  CHECK(csv == orrery::read_file(folder.file("two.csv")));
  CHECK(csv.find(",0.25,1.1,yes,") != std::string::npos);
}

TEST_CASE("a row outside its band ends validate with code 5") {
  if (!has_mnist()) return;
  const TemporaryFolder folder;
  std::string slow = finished;
  slow.replace(slow.find("33.5,0.385"), 10, "99.5,1.144");
  const std::string file = folder.write("rows.csv", slow);
  const ChildResult result =
      call_orrery({"validate", "--federated", "--rows", "2nn-iid-m10-e1-b10", "-o", file, "--resume"});
  CHECK(result.exit_code == 5);
  CHECK(result.output.find("  1.14  0.25 to 1.1      no  ") != std::string::npos);
}
