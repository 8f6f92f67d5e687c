// [workload] hf_config: a network by the config.json of a Hugging Face model.
#include <unistd.h>

#include <filesystem>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

/// A config.json in a folder of its own, removed at the end.
class ConfigFile {
 public:
  ConfigFile() : folder_(std::filesystem::temp_directory_path() / ("orrery-hf-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    write_file(path(), R"({"model_type": "gpt2", "n_layer": 2, "n_embd": 64, "n_head": 4, "vocab_size": 100})");
  }
  ~ConfigFile() { std::filesystem::remove_all(folder_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  [[nodiscard]] std::string path() const { return (folder_ / "config.json").string(); }

 private:
  std::filesystem::path folder_;
};

TEST_CASE("A workload may name a config.json instead of a network, with the length of its samples") {
  const ConfigFile config;
  const std::string workload = "[workload]\nhf_config = \"" + config.path() + "\"\n";
  const Scenario plain = scenario_of(workload + "steps = 10\n" + box + alone);
  CHECK(plain.workload.network.name == "gpt2");
  CHECK(to_text(plain.workload.network.input) == "1024x1x1");
  const Scenario shorter = scenario_of(workload + "tokens = 128\nsteps = 10\n" + box + alone);
  CHECK(to_text(shorter.workload.network.input) == "128x1x1");
  CHECK(shorter.workload.network_file == config.path());
  const std::string longer = error_of(workload + "tokens = 2048\nsteps = 10\n" + box + alone);
  CHECK(longer ==
        "lab.toml:3:10: workload.tokens: 2048 tokens are more than the 1024 positions that the model has "
        "learned (" +
            config.path() + ") - use at most 1024\n  tokens = 2048\n           ^");
}

TEST_CASE("A transformer of the catalogue may have samples of another length") {
  const auto network = [](const std::string& name, const std::string& keys) {
    return scenario_of("[workload]\nnetwork = \"" + name + "\"\n" + keys + "steps = 10\n" + box + alone)
        .workload.network;
  };
  const LayerGraph plain = network("llama3.2-1b", ""), shorter = network("llama3.2-1b", "tokens = 4096\n");
  CHECK(to_text(plain.input) == "8192x1x1");
  CHECK(to_text(shorter.input) == "4096x1x1");
  CHECK(to_text(network("llama3.2-1b", "tokens = 100000\n").input) == "100000x1x1");
  CHECK(parameters(shorter) == parameters(plain));
  // Learned positions stay as many as they are.
  CHECK(parameters(network("bert-base", "tokens = 128\n")) == parameters(network("bert-base", "")));
}

TEST_CASE("Mistakes around hf_config are told with what to do") {
  check_malformed({
      {"a config.json as network", "[workload]\nnetwork = \"some/config.json\"\nsteps = 1\n" + box + alone,
       R"(lab.toml:2:11: workload.network: "some/config.json" is no network file (a config.json is read under another key) - write hf_config = "some/config.json"
  network = "some/config.json"
            ^)"},
      {"tokens of a network that says them", two_nn + "tokens = 5\nsteps = 1\n" + box + alone,
       R"(lab.toml:3:10: workload.tokens: belongs to hf_config, and to transformers of models/networks/transformers.csv (the network says its input itself) - remove it
  tokens = 5
           ^)"},
      {"more tokens than learned positions",
       "[workload]\nnetwork = \"bert-base\"\ntokens = 600\nsteps = 1\n" + box + alone,
       R"(lab.toml:3:10: workload.tokens: 600 are more than bert-base has positions (it has learned 512) - use 512 at most
  tokens = 600
           ^)"},
      {"something else as config.json", "[workload]\nhf_config = \"model.toml\"\nsteps = 1\n" + box + alone,
       R"(lab.toml:2:13: workload.hf_config: "model.toml" is no config.json (its name ends otherwise) - name the config.json of a Hugging Face model
  hf_config = "model.toml"
              ^)"},
      {"files that are not there",
       "[workload]\nhf_config = \"nowhere/config.json\"\nconstants = [\"mine.csv\"]\nsteps = 1\n" + box + alone,
       R"(lab.toml:2:13: workload.hf_config: there is no file "nowhere/config.json"
  hf_config = "nowhere/config.json"
              ^
lab.toml:3:13: workload.constants: there is no file "mine.csv"
  constants = ["mine.csv"]
              ^)"},
      {"a network file that is not there", "[workload]\nnetwork = \"nowhere.toml\"\nsteps = 1\n" + box + alone,
       R"(lab.toml:2:11: workload.network: there is no file "nowhere.toml"
  network = "nowhere.toml"
            ^)"},
  });
}

}  // namespace
}  // namespace orrery
