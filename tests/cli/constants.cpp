// Constants of one's own in the place of the catalogue's: `constants` of a scenario, `orrery validate --constants`.
#include <string>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

std::string scenario(const std::string& constants) {
  return "[scenario]\nname = \"own\"\n[workload]\nnetwork = \"gpt2\"\nbatch = 8\nprecision = \"bf16\"\nframework = "
         "\"modern\"\n" +
         constants +
         "[cluster]\nsystem = \"dgx-a100\"\nnodes = 1\n"
         "[[strategy]]\nname = \"layout\"\nkind = \"hybrid\"\ndp = 8\n";
}

double step_of(const std::string& json) {
  const std::size_t at = json.rfind("\"step_time_s\"");
  REQUIRE(at != std::string::npos);
  return std::stod(json.substr(json.find(':', at) + 1));
}

TEST_CASE("a scenario takes constants of devices, links and frameworks from files beside it") {
  const TemporaryFolder folder;
  folder.write("device.csv", "device,constant,value,low,high,source\na100-sxm-80,kernel_launch_us,400,,,test\n");
  folder.write("framework.csv", "framework,constant,value,low,high,source\nmodern,host_iteration_ms,5000,,,test\n");
  const std::string plain = folder.write("plain.toml", scenario(""));
  const std::string own = folder.write("own.toml", scenario("constants = [\"device.csv\", \"framework.csv\"]\n"));
  const std::string one = folder.write("one.toml", scenario("constants = [\"device.csv\"]\n"));
  const auto step = [](const std::string& file) {
    const ChildResult result = call_orrery({"run", file, "--json", "-q"});
    REQUIRE(result.exit_code == 0);
    return step_of(result.output);
  };
  CHECK(step(one) > 2 * step(plain));
  CHECK(step(own) > step(one) + 4.9);
  const ChildResult resolved = call_orrery({"run", own, "-o", folder.file("out"), "-q"});
  REQUIRE(resolved.exit_code == 0);
  CHECK(step(folder.file("out") + "/resolved.toml") == step(own));
}

TEST_CASE("files of constants that are none, or missing, are told with their place") {
  const TemporaryFolder folder;
  const std::string none = folder.write("none.csv", "id,value\n");
  const std::string file = folder.write("bad.toml", scenario("constants = [\"none.csv\"]\n"));
  const ChildResult refused = call_orrery({"run", file});
  CHECK(refused.exit_code == 3);
  CHECK(refused.errors.find("none.csv:1:1: is no file of constants") != std::string::npos);
  CHECK(call_orrery({"validate", "--constants", folder.file("missing.csv")}).exit_code == 3);
  CHECK(call_orrery({"validate", "--federated", "--constants", none}).errors ==
        "orrery validate: --federated learns, and prices nothing - leave --constants out, or --federated\n");
}

TEST_CASE("constants of which nothing is used, or of what is not known, would change nothing without a word") {
  const TemporaryFolder folder;
  const std::string other =
      folder.write("other.csv", "device,constant,value,low,high,source\na100-sxm-08,gemm_share,0.5,,,test\n");
  const ChildResult unused = call_orrery({"run", folder.write("own.toml", scenario("constants = [\"other.csv\"]\n"))});
  CHECK(unused.exit_code == 3);
  CHECK(unused.errors.find("constants: nothing of \"" + other +
                           "\" is used: it has a device \"a100-sxm-08\" (the "
                           "scenario's: a100-sxm-80) - remove it, or name another file") != std::string::npos);
  const ChildResult unknown = call_orrery({"validate", "--constants", other});
  CHECK(unknown.exit_code == 3);
  CHECK(unknown.errors.find("other.csv:2:1: device: unknown device \"a100-sxm-08\" (its constant would change nothing)"
                            " - did you mean \"a100-sxm-") != std::string::npos);
}

TEST_CASE("constants of a device count wherever operators price, those of a link in layouts alone") {
  const TemporaryFolder folder;
  const std::string device =
      folder.write("device.csv", "device,constant,value,low,high,source\na100-sxm-80,gemm_share,0.4,,,test\n");
  const std::string link =
      folder.write("link.csv", "link,constant,value,low,high,source\nnvswitch3,base_us,9,,,test\n");
  const auto run = [&](const std::string& keys) {
    const std::string ways = "[workload]\nnetwork = \"gpt2\"\nbatch = 256\nprecision = \"bf16\"\n" + keys +
                             "[cluster]\nsystem = \"dgx-a100\"\nnodes = 1\n[[strategy]]\nname = \"data\"\nkind = "
                             "\"data\"\n";
    return call_orrery({"run", folder.write("data.toml", ways), "--json", "-q"});
  };
  const ChildResult plain = run(""), slow = run("constants = [\"device.csv\"]\n");
  REQUIRE(slow.exit_code == 0);
  CHECK(step_of(slow.output) > 1.2 * step_of(plain.output));
  const std::string at = folder.file("data.toml") + ":5:13: workload.constants: nothing of \"";
  CHECK(run("constants = [\"link.csv\"]\n").errors ==
        at + link +
            "\" is used: it has a link \"nvswitch3\" (no strategy of kind = \"hybrid\" has a link) - remove it, "
            "or name another file\n  constants = [\"link.csv\"]\n              ^\n");
  CHECK(run("constants = [\"device.csv\"]\ncompute = \"roofline\"\n").errors ==
        at + device +
            "\" is used: it has a device \"a100-sxm-80\" (no strategy is priced by operators) - remove it, or "
            "name another file\n  constants = [\"device.csv\"]\n              ^\n");
}

TEST_CASE("constants of clients count where operators price them") {
  const TemporaryFolder folder;
  folder.write("device.csv", "device,constant,value,low,high,source\njetson-nano,gemm_share,0.1,,,test\n");
  const auto run = [&](const std::string& keys) {
    const std::string ways =
        "[workload]\nnetwork = \"2nn\"\ndataset_samples = 64\ncompute = \"operators\"\n" + keys +
        "[federation]\nclients = 2\ndevice = \"jetson-nano\"\nlink = \"wifi5\"\nserver = \"xeon-8380\"\n"
        "server_link = \"eth-1g\"\n[[strategy]]\nname = \"f\"\nkind = \"federated\"\nclients_per_round = 2\n"
        "rounds = 1\n";
    return call_orrery({"run", folder.write("clients.toml", ways), "--json", "-q"});
  };
  const ChildResult plain = run(""), slow = run("constants = [\"device.csv\"]\n");
  INFO(slow.errors);
  REQUIRE(slow.exit_code == 0);
  CHECK(step_of(slow.output) > step_of(plain.output));
  folder.write("device.csv", "device,constant,value,low,high,source\nxeon-8380,gemm_share,0.1,,,test\n");
  CHECK(run("constants = [\"device.csv\"]\n").errors.find("(the scenario's: jetson-nano)") != std::string::npos);
}

TEST_CASE("validate predicts with constants of one's own") {
  const TemporaryFolder folder;
  const std::string rows =
      folder.write("rows.csv",
                   "id,metric,value,unit,model,device,devices,tp,pp,dp,seq_len,global_batch,micro_batch,year\n"
                   "A-MINE-001,iteration_time,1,s,Llama 3 8B,A100-80GB-SXM,8,8,1,1,8192,8,1,2024\n");
  const std::string slow =
      folder.write("slow.csv", "device,constant,value,low,high,source\na100-sxm-80,gemm_share,0.1,,,test\n");
  const std::string before = folder.file("before.csv"), after = folder.file("after.csv");
  REQUIRE(call_orrery({"validate", rows, "-o", before}).exit_code == 0);
  REQUIRE(call_orrery({"validate", rows, "--constants", slow, "-o", after}).exit_code == 0);
  CHECK(orrery::read_file(before) != orrery::read_file(after));
}

}  // namespace
