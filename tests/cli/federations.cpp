// Federations from outside: their files, their dumps.
#include <algorithm>
#include <filesystem>

#include "sim/base/files.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::split;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

const char* const phones = R"(
[scenario]
name = "phones"
question = "who takes part?"

[workload]
network = "2nn"
dataset_samples = 400
batch = 10

[federation]
clients = 4
device = "phone-mid"
link = "wifi5"
server = "xeon-8380"
server_link = "eth-1g"

[[strategy]]
name = "fedavg"
kind = "federated"
clients_per_round = 2
rounds = 3
)";

}  // namespace

TEST_CASE("a run of a federation writes its clients, and its events when asked") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("phones.toml", phones);
  REQUIRE(call_orrery({"run", scenario, "-o", folder.file("out")}).exit_code == 0);
  CHECK(split(read_file(folder.file("out/clients.csv")), '\n').size() == 1 + 4 + 1);
  CHECK_FALSE(fs::exists(folder.file("out/events.csv")));
  REQUIRE(call_orrery({"run", scenario, "-o", folder.file("out"), "--force", "--events"}).exit_code == 0);
  const std::vector<std::string> lines = split(read_file(folder.file("out/events.csv")), '\n');
  // Three rounds: two clients with four events each, and the average.
  CHECK(lines.size() == 1 + 3 * (2 * 4 + 1) + 1);
  CHECK(lines[1].find("fedavg,0,dispatch,0,") == 0);
}

TEST_CASE("results that are overwritten keep no file of the run before") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("phones.toml", phones);
  REQUIRE(call_orrery({"run", scenario, "-o", folder.file("out"), "--events"}).exit_code == 0);
  const std::string layers = orrery::testing::shipped_scenario("layers");
  REQUIRE(call_orrery({"run", layers, "-o", folder.file("out"), "--force"}).exit_code == 0);
  CHECK(fs::exists(folder.file("out/results.csv")));
  CHECK_FALSE(fs::exists(folder.file("out/clients.csv")));
  CHECK_FALSE(fs::exists(folder.file("out/events.csv")));
}

TEST_CASE("events without a folder for them are refused") {
  const TemporaryFolder folder;
  const ChildResult result = call_orrery({"run", folder.write("phones.toml", phones), "--events"});
  CHECK(result.exit_code == 2);
  CHECK(result.errors == "orrery run: --events asks for a file, but there is no folder for it - add -o DIR\n");
}

TEST_CASE("the dumps of a federation are its clients and their trips") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("phones.toml", phones);
  const std::string clients = call_orrery({"run", scenario, "--dump", "cluster"}).output;
  CHECK(split(clients, '\n').size() == 1 + 4 + 1 + 1);
  CHECK(clients.find("client 3 of group 0, phone-mid over wifi5, 1 times slower: ") != std::string::npos);
  const std::string trips = call_orrery({"run", scenario, "--dump", "records"}).output;
  CHECK(split(trips, '\n').size() == 3 * 2 + 3 + 1);
  CHECK(trips.find("reported begin 0 end ") != std::string::npos);
  const ChildResult program = call_orrery({"run", scenario, "--dump", "program"});
  CHECK(program.exit_code == 2);
  CHECK(program.errors ==
        "orrery run: fedavg has no program (its coordinator decides while it runs) - try --dump records\n");
}

TEST_CASE("the bytes of a hierarchy's step that explain tells are those of its run") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("phones.toml", phones);
  const std::string key = "strategy.fedavg.";
  for (const std::string rounds : {"1", "3"}) {
    std::vector<std::string> call = {"explain", scenario};
    for (const std::string set : {"algorithm=hierarchical", "edge_device=xeon-8380", "edge_link=eth-1g", "edges=2"}) {
      call.insert(call.end(), {"--set", key + set});
    }
    call.insert(call.end(), {"--set", key + "edge_rounds=" + rounds});
    const std::string text = call_orrery(call).output;
    const std::string whole = rounds == "1" ? "2 updates x (down + up) + 2 edges x (down + up) = 6374720"
                                            : "6 updates x (down + up) + 2 edges x (down + up) = 12749440";
    CHECK(text.find("  bytes of a client   796840 down, 796840 up (199210 numbers in an update)\n"
                    "  bytes of an edge    796840 down and up\n"
                    "  bytes of a step     " +
                    whole + ", and what is wasted\n") != std::string::npos);
    call.front() = "run";
    call.insert(call.end(), {"-o", folder.file("out" + rounds)});
    REQUIRE(call_orrery(call).exit_code == 0);
    const std::vector<std::string> lines = split(read_file(folder.file("out" + rounds + "/results.csv")), '\n');
    const std::vector<std::string> names = split(lines.at(0), ','), cells = split(lines.at(1), ',');
    const auto column = std::find(names.begin(), names.end(), "bytes_to_train") - names.begin();
    CHECK(cells.at(static_cast<std::size_t>(column)) == (rounds == "1" ? "19124160" : "38248320"));  // three steps
  }
}
