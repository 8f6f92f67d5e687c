// [workload]: what is trained.
#include <algorithm>
#include <cmath>

#include "models/networks/layer_patterns.hpp"
#include "models/networks/transformer_table.hpp"
#include "scenarios/reading.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

class WorkloadReader {
 public:
  WorkloadReader(TomlTable table, const Reading& reading) : table_(std::move(table)), reading_(reading) {}

  WorkloadSpec read() {
    read_network();
    read_freeze();
    read_data();
    read_arithmetic();
    read_duration();
    read_learning(table_, reading_, workload_);
    read_compute();
    table_.finish();
    return std::move(workload_);
  }

 private:
  void read_network() {
    if (table_.has("hf_config")) {
      read_config();
      return;
    }
    const std::string name = table_.required_text("network");
    if (table_.has("tokens") && read_with_tokens(name)) return;
    if (name.empty()) return;
    if (name.ends_with(".json")) {
      table_.problem("network", "\"" + name + "\" is no network file", "a config.json is read under another key",
                     "write hf_config = \"" + name + "\"");
      return;
    }
    const bool is_file = is_network_path(name);
    const std::vector<std::string> known = network_names();
    if (!is_file && std::find(known.begin(), known.end(), name) == known.end()) {
      table_.problem("network", "unknown network \"" + name + "\"", {}, did_you_mean(name, known));
      return;
    }
    if (is_file) workload_.network_file = input_in(reading_, table_, "network", name);
    if (is_file && !has_file(table_, "network", workload_.network_file)) return;
    load(is_file ? workload_.network_file : name, 0);
  }

  /// A transformer of the catalogue, on samples of another length. Returns whether `name` is one; `tokens` is a problem
  /// of any other network.
  bool read_with_tokens(const std::string& name) {
    const std::vector<TransformerRow> rows = read_transformers(reading_.problems);
    const auto row = std::ranges::find(rows, name, [](const TransformerRow& each) { return each.shape.name; });
    if (row == rows.end() || row->patch > 0) {
      refuse(table_, "tokens", ValueType::number, "hf_config, and to transformers of models/networks/transformers.csv",
             "the network says its input itself");
      return false;
    }
    TransformerRow other = *row;
    other.shape.tokens = table_.integer("tokens", token_count).value_or(row->shape.tokens);
    if (other.shape.position == Positions::learned) {
      if (other.shape.positions == 0) other.shape.positions = row->shape.tokens;
      if (other.shape.tokens > other.shape.positions) {
        table_.problem("tokens", fmt::format("{} are more than {} has positions", other.shape.tokens, name),
                       fmt::format("it has learned {}", other.shape.positions),
                       fmt::format("use {} at most", other.shape.positions));
        return true;
      }
    }
    workload_.network = graph_of(other);
    return true;
  }

  /// The network of a Hugging Face config.json.
  void read_config() {
    if (table_.has("network")) {
      table_.problem("network", "is given beside hf_config", "each says what is trained", "keep one of them");
      (void)table_.text("network", "");
    }
    const std::int64_t tokens = table_.integer("tokens", token_count).value_or(0);
    const std::optional<std::string> name = table_.text("hf_config");
    if (!name) return;  // no text, already told
    workload_.network_file = input_in(reading_, table_, "hf_config", *name);
    if (name->ends_with(".json")) {
      if (has_file(table_, "hf_config", workload_.network_file)) load(workload_.network_file, tokens);
      if (tokens > 0 && workload_.network.sample == "image") {
        table_.problem("tokens", "has no effect", "pictures and their patches make the tokens of " + *name,
                       "remove it");
      }
    } else {
      table_.problem("hf_config", "\"" + *name + "\" is no config.json", "its name ends otherwise",
                     "name the config.json of a Hugging Face model");
    }
  }

  void load(const std::string& name, std::int64_t tokens) {
    try {
      workload_.network = load_network(name, tokens);
    } catch (const InvalidInput& error) {
      for (const Problem& problem : error.problems()) {
        // Asked for here; the file says only how many there may be.
        const bool is_asked_for = tokens > 0 && problem.key == "tokens";
        if (!is_asked_for) reading_.problems.add(problem);
        if (is_asked_for) table_.problem("tokens", problem.what, problem.at.file, problem.suggestion);
      }
    }
  }

  void read_freeze() {
    workload_.freeze = table_.texts("freeze");
    LayerGraph& network = workload_.network;
    if (network.layers.empty()) return;
    for (const std::string& pattern : workload_.freeze) {
      if (!names_layers(table_, network, "freeze", pattern) || freeze(network, pattern) > 0) continue;
      table_.problem("freeze", fmt::format("\"{}\" has no weights of its own in {}", pattern, network.name),
                     "there is nothing to freeze");
    }
    if (!workload_.freeze.empty() && trainable_parameters(network) == 0) {
      table_.problem("freeze", "freezes all of " + network.name, "nothing is left to train",
                     "leave out the layers that should learn");
    }
  }

  void read_data() {
    workload_.dataset = table_.text("dataset", "");
    if (workload_.dataset.empty()) {
      workload_.dataset_samples = table_.integer("dataset_samples", 0, sample_count);
      // One byte per number, as images are kept.
      const auto bytes = static_cast<double>(workload_.network.input.count());
      workload_.stored_bytes_per_sample = table_.number("stored_bytes_per_sample", bytes, non_negative);
      return;
    }
    const std::string why = "the data set \"" + workload_.dataset + "\" says it itself";
    refuse(table_, "dataset_samples", ValueType::number, "a workload without dataset", why);
    refuse(table_, "stored_bytes_per_sample", ValueType::number, "a workload without dataset", why);
    if (const DataSetInfo* info = find_data_set()) {
      workload_.dataset_samples = info->train_samples;
      workload_.stored_bytes_per_sample = info->stored_bytes_per_sample;
      check_shapes(*info);
    }
  }

  const DataSetInfo* find_data_set() {
    std::vector<std::string> names;
    for (const DataSetInfo& info : data_sets()) {
      if (info.name == workload_.dataset) return &info;
      names.push_back(info.name);
    }
    table_.problem("dataset", "unknown data set \"" + workload_.dataset + "\"", {},
                   did_you_mean(workload_.dataset, names));
    return nullptr;
  }

  void check_shapes(const DataSetInfo& info) {
    const LayerGraph& network = workload_.network;
    if (network.layers.empty()) return;
    if (network.input != info.shape) {
      table_.problem("dataset", fmt::format("samples of {} are {}", info.name, to_text(info.shape)),
                     fmt::format("{} takes {}", network.name, to_text(network.input)),
                     "choose a network and a data set of the same shape");
    } else if (network.classes != info.classes) {
      table_.problem("dataset", fmt::format("{} has {} classes", info.name, info.classes),
                     fmt::format("{} tells {} apart", network.name, network.classes),
                     "choose a network and a data set with the same classes");
    }
  }

  void read_arithmetic() {
    workload_.batch = table_.integer("batch", workload_.batch, small_count);
    workload_.accumulation = static_cast<int>(table_.integer("accumulation", workload_.accumulation, small_count));
    workload_.precision = choose(table_, "precision", precision_names(), workload_.precision);
    workload_.optimizer = read_optimizer(table_, workload_.optimizer);
    workload_.recompute = read_recompute(table_, workload_.recompute, workload_.network);
  }

  void read_duration() {
    const auto steps = table_.integer("steps", step_count);
    const auto epochs = table_.number("epochs", epoch_count);
    const auto samples = static_cast<double>(workload_.dataset_samples);
    const auto batch = static_cast<double>(workload_.batch);
    if (steps && epochs) {
      table_.problem("epochs", "is given beside steps", "each says how long to train", "keep one of them");
    } else if (steps) {
      workload_.steps = *steps;
      if (samples > 0) workload_.epochs = static_cast<double>(*steps) * batch / samples;
    } else if (epochs) {
      workload_.epochs = *epochs;
      if (samples > 0) {
        workload_.steps = static_cast<std::int64_t>(std::ceil(*epochs * samples / batch));
      } else {
        table_.problem("epochs", "needs a size of the data set", "an epoch is one pass over it",
                       "give dataset or dataset_samples, or steps instead of epochs");
      }
    }
    check_warm_up(table_, workload_.optimizer.schedule, workload_.steps, "steps");
  }

  void read_compute() {
    static const Names<ComputeChoice> names = {{"auto", ComputeChoice::automatic},
                                               {"operators", ComputeChoice::operators},
                                               {"replay", ComputeChoice::replay},
                                               {"roofline", ComputeChoice::roofline}};
    static const Names<DataOrigin> origins = {{"cluster", DataOrigin::cluster}, {"clients", DataOrigin::clients}};
    workload_.compute = choose(table_, "compute", names, workload_.compute);
    read_framework();
    workload_.data_origin = choose(table_, "data_origin", origins, workload_.data_origin);
    if (table_.has("profile")) {
      read_profile();
      return;
    }
    if (workload_.compute == ComputeChoice::replay) {
      table_.problem("compute", "replay needs a profile", "executed steps are what is replayed",
                     "add profile = \"FILE.csv\" (made by `orrery profile`), or compute = \"operators\"");
    }
    refuse(table_, "profile_host", ValueType::text, "a workload with a profile", "there is none");
    refuse(table_, "profile_threads", ValueType::number, "a workload with a profile", "there is none");
  }

  void read_profile() {
    workload_.profile = input_in(reading_, table_, "profile", table_.required_text("profile"));
    workload_.profile_threads = static_cast<int>(table_.integer("profile_threads", 1, small_count));
    const std::string host = table_.text("profile_host", "host");
    if (host.ends_with(".csv")) {
      workload_.host = input_in(reading_, table_, "profile_host", host);
      has_file(table_, "profile_host", workload_.host);
    } else {
      workload_.host = host;
      if (host == "host" && reading_.catalogue.device(host) == nullptr) {
        table_.problem("profile_host", "this machine has not been measured", "a profile is scaled from its device",
                       "run `orrery profile --device -o topologies/catalogue/host.csv`, or name the device the profile "
                       "was recorded on");
      } else {
        row_named(table_, "profile_host", host, reading_.catalogue.devices, "device");
      }
    }
    has_file(table_, "profile", workload_.profile);
  }

  void read_framework() {
    const std::vector<FrameworkProfile> frameworks = read_frameworks(reading_.problems);
    const std::string id = table_.text("framework", "pytorch");
    for (const FrameworkProfile& framework : frameworks) {
      if (framework.id == id) workload_.framework = framework;
    }
    if (workload_.framework.id.empty()) row_named(table_, "framework", id, frameworks, "framework");
    read_constants();
  }

  void read_constants() {
    for (const std::string& name : table_.texts("constants")) {
      const std::string file = input_in(reading_, table_, "constants", name);
      if (!has_file(table_, "constants", file)) continue;
      workload_.constants.push_back(read_constants_file(file, reading_.problems));
      overlay(workload_.constants.back(), workload_.framework);
    }
  }

  static constexpr Range small_count{1.0, 1e9};  // fits an int
  static constexpr Range token_count{1.0, 1e8};
  static constexpr Range sample_count{0.0, 1e12}, epoch_count{0.0, 1e6, Range::Low::open};  // both together: steps
  static constexpr Range step_count{1.0, 1e18};                                             // below 2^63

  TomlTable table_;
  const Reading& reading_;
  WorkloadSpec workload_;
};

}  // namespace

WorkloadSpec read_workload(TomlTable table, const Reading& reading) {
  return WorkloadReader(std::move(table), reading).read();
}

}  // namespace orrery
