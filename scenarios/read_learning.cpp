// What is learned for real, of [workload]: how often it is looked at, how its pictures are changed, from and to which
// weights.
#include <algorithm>

#include "models/training/weights_file.hpp"
#include "scenarios/reading.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

class LearningReader {
 public:
  LearningReader(TomlTable& table, const Reading& reading, WorkloadSpec& workload)
      : table_(table), reading_(reading), workload_(workload) {}

  void read() {
    read_learning();
    read_weights_files();
  }

 private:
  void read_learning() {
    workload_.learn = table_.boolean("learn", false);
    if (!workload_.learn) {
      refuse(table_, "target_accuracy", ValueType::number, "learn = true", "nothing is learned here");
      refuse(table_, "evaluate_every", ValueType::number, "learn = true", "nothing is learned here");
      refuse(table_, "augment_flip", ValueType::boolean, "learn = true", "nothing is learned here");
      refuse(table_, "augment_shift", ValueType::number, "learn = true", "nothing is learned here");
      refuse(table_, "prefetch", ValueType::boolean, "learn = true", "nothing is learned here");
      return;
    }
    workload_.evaluate_every = table_.integer("evaluate_every", workload_.evaluate_every, at_least_one);
    workload_.target_accuracy = table_.number("target_accuracy", 0.0, fraction);
    workload_.prefetch = table_.boolean("prefetch", false) ? Prefetch::one_ahead : Prefetch::none;
    read_augmentation();
    check_data_to_learn_from();
  }

  void read_augmentation() {
    workload_.augmentation.flip = table_.boolean("augment_flip", false) ? Flip::half_of_them : Flip::never;
    workload_.augmentation.shift = table_.integer("augment_shift", 0, non_negative);
    if (!workload_.augmentation.is_on()) return;
    const std::string key = workload_.augmentation.shift > 0 ? "augment_shift" : "augment_flip";
    const LayerGraph& network = workload_.network;
    if (network.layers.empty()) return;  // told of before
    const std::int64_t side = std::min(network.input.height, network.input.width);
    if (network.sample != "image" || network.layers.back().kind == LayerKind::detection_loss) {
      table_.problem(key, "changes images, which " + network.name + " does not classify",
                     "sequences and boxes would lose their meaning", "leave it out");
    } else if (workload_.augmentation.shift >= side) {
      table_.problem(key, fmt::format("{} pixels leave nothing of an image", workload_.augmentation.shift),
                     fmt::format("the input of {} is {}", network.name, to_text(network.input)),
                     fmt::format("use less than {}", side));
    }
  }

  void check_data_to_learn_from() {
    for (const std::string& obstacle : obstacles_to_execution(workload_.network)) {
      table_.problem("learn", workload_.network.name + " cannot be executed: " + obstacle, {},
                     "simulate it instead: leave out learn");
    }
    std::vector<std::string> names;
    bool is_described_only = false;
    for (const DataSetInfo& info : data_sets()) {
      if (info.use == DataSetUse::training) names.push_back(info.name);
      is_described_only |= info.name == workload_.dataset && info.use == DataSetUse::simulation_only;
    }
    if (workload_.dataset.empty()) {
      table_.problem("learn", "needs a data set", "there is none to learn from", "use one of " + join(names, ", "));
    } else if (is_described_only) {
      table_.problem("dataset", workload_.dataset + " cannot be learned from", "it is described, but not read",
                     "use one of " + join(names, ", ") + ", or learn = false");
    }
  }

  void read_weights_files() {
    WeightsSpec& weights = workload_.weights;
    if (!workload_.learn) {
      for (const char* key : {"initial_weights", "save_weights"}) {
        refuse(table_, key, ValueType::text, "learn = true", "nothing is learned here");
      }
      refuse(table_, "fresh_layers", ValueType::texts, "learn = true", "nothing is learned here");
      return;
    }
    if (table_.has("initial_weights")) {
      weights.initial = input_in(reading_, table_, "initial_weights", table_.required_text("initial_weights"));
      weights.fresh = table_.texts("fresh_layers");
      check_initial_weights();
    } else {
      refuse(table_, "fresh_layers", ValueType::texts, "initial_weights", "every layer starts anew here");
    }
    if (!table_.has("save_weights")) return;
    weights.save = path_in(reading_, table_, "save_weights", table_.required_text("save_weights"));
  }

  void check_initial_weights() {
    if (workload_.network.layers.empty() || !obstacles_to_execution(workload_.network).empty()) return;
    for (const std::string& pattern : workload_.weights.fresh) {
      (void)names_layers(table_, workload_.network, "fresh_layers", pattern);
    }
    const ExecutionPlan plan(workload_.network);
    std::vector<float> weights(plan.weight_count());
    Problems problems;
    read_weights(workload_.weights.initial, plan, workload_.weights.fresh, weights, problems);
    for (const Problem& problem : problems.all()) {
      table_.problem("initial_weights", fmt::format("\"{}\" {}", problem.at.file, problem.what), problem.why,
                     problem.suggestion);
    }
  }

  TomlTable& table_;
  const Reading& reading_;
  WorkloadSpec& workload_;
};

}  // namespace

void read_learning(TomlTable& table, const Reading& reading, WorkloadSpec& workload) {
  LearningReader(table, reading, workload).read();
}

}  // namespace orrery
