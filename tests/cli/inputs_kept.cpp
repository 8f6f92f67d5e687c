// No command writes over what it reads, by whatever name, not even with --force.
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

namespace {

/// Scenarios that read a file of their folder of results.
class ReadingLab {
 public:
  ReadingLab() { fs::create_directories(folder_.file("out")); }
  [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

  /// `scenario` reads out/NAME, which holds `content` and which a run would write.
  void check(const std::string& name, const std::string& content, const std::string& scenario) const {
    INFO(scenario);
    const std::string input = folder_.write("out/" + name, content);
    check_kept(input, {"run", folder_.write("lab.toml", scenario), "-o", folder_.file("out"), "--force"});
    fs::remove(input);
  }

 private:
  TemporaryFolder folder_;
};

std::string shipped_file(const std::string& name) {
  return read_file(std::string(ORRERY_TEST_DIR) + "/../" + name);
}

/// The header of the catalogue's devices and one of their rows.
std::string one_device() {
  const std::string all = shipped_file("topologies/catalogue/devices.csv");
  const std::size_t row = all.find("\nrpi-4b,") + 1;
  return all.substr(0, all.find('\n') + 1) + all.substr(row, all.find('\n', row) + 1 - row);
}

const std::string workload = "[workload]\nnetwork = \"2nn\"\nbatch = 64\n",
                  one_way = "[cluster]\ndevice = \"a100-sxm-80\"\n[[strategy]]\nname = \"one\"\nkind = \"single\"\n";

std::string clients(const std::string& keys) {
  return "[workload]\nnetwork = \"2nn\"\ndataset_samples = 64\n[federation]\nclients = 2\ndevice = \"jetson-nano\"\n"
         "link = \"wifi5\"\nserver = \"xeon-8380\"\nserver_link = \"eth-1g\"\n" +
         keys + "[[strategy]]\nname = \"f\"\nkind = \"federated\"\nclients_per_round = 2\nrounds = 1\n";
}

}  // namespace

TEST_CASE("a run does not replace what its scenario extends, nor what that extends") {
  const ReadingLab lab;
  lab.check("resolved.toml", workload + one_way, "extends = \"out/resolved.toml\"\n");
  lab.folder().write("middle.toml", "extends = \"out/resolved.toml\"\n");
  lab.check("resolved.toml", workload + one_way, "extends = \"middle.toml\"\n");
}

TEST_CASE("a run does not replace its network, nor what that extends") {
  const ReadingLab lab;
  const std::string network = shipped_file("models/networks/2nn.toml");
  lab.check("resolved.toml", network, "[workload]\nnetwork = \"out/resolved.toml\"\nbatch = 64\n" + one_way);
  lab.folder().write("network.toml", "extends = \"out/resolved.toml\"\n");
  lab.check("resolved.toml", network, "[workload]\nnetwork = \"network.toml\"\nbatch = 64\n" + one_way);
  lab.check("provenance.json", R"({"model_type": "gpt2", "n_layer": 2, "n_embd": 64, "n_head": 4, "vocab_size": 100})",
            "[workload]\nhf_config = \"out/provenance.json\"\nbatch = 8\n" + one_way);
}

TEST_CASE("a run does not replace devices, constants, profiles and traces that it reads") {
  const ReadingLab lab;
  const std::string own = "[[strategy]]\nname = \"one\"\nkind = \"single\"\n";
  lab.check("layers.csv", one_device(), workload + "[cluster]\ndevice = \"out/layers.csv\"\n" + own);
  lab.check("layers.csv", one_device(), workload + one_way + "cluster = { device = \"out/layers.csv\" }\n");
  lab.check("links.csv", "device,constant,value,low,high,source\na100-sxm-80,gemm_share,0.5,,,test\n",
            workload + "constants = [\"out/links.csv\"]\n" + one_way);
  const std::string profile = shipped_file("models/profiles/2nn.csv");
  lab.check("curve.csv", profile, workload + "profile = \"out/curve.csv\"\nprofile_host = \"xeon-8380\"\n" + one_way);
  lab.folder().write("profile.csv", profile);
  lab.check("curve.csv", shipped_file("models/profiles/xeon-vm.host.csv"),
            workload + "profile = \"profile.csv\"\nprofile_host = \"out/curve.csv\"\n" + one_way);
  const std::string traces = "tests/topologies/traces/";
  lab.check("clients.csv", shipped_file(traces + "behaviour.csv"),
            clients("availability = \"trace\"\ntrace = \"out/clients.csv\"\n"));
  lab.check("clients.csv", shipped_file(traces + "capacity.csv"), clients("capacity_trace = \"out/clients.csv\"\n"));
}

TEST_CASE("a run does not replace the weights that it starts from") {
  const ReadingLab lab;
  const std::string learning =
      "[workload]\nnetwork = \"2nn\"\ndataset = \"synthetic\"\nbatch = 64\nsteps = 1\nlearn = true\n";
  const std::string first = lab.folder().write("first.toml", learning + "save_weights = \"weights\"\n" + one_way);
  REQUIRE(call_orrery({"run", first, "-q"}).exit_code == 0);
  lab.check("timeline.csv", read_file(lab.folder().file("weights")),
            learning + "initial_weights = \"out/timeline.csv\"\n" + one_way);
}
