#include "scenarios/saved_weights.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>

#include "scenarios/plan.hpp"

namespace orrery {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view key = "save_weights";

/// Why no file of this name can be written; empty when it can. A device or a pipe is written to where it stands.
std::string obstacle_to_writing(const fs::path& file) {
  std::error_code none;
  if (fs::is_directory(file, none)) return "it is a folder";
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, none)) return fmt::format("there is no folder \"{}\"", folder.string());
  if (fs::exists(file, none) && !fs::is_regular_file(file, none)) return {};
  return ::access(folder.c_str(), W_OK) == 0 ? std::string() : "its folder may not be written to";
}

class SavedWeights {
 public:
  SavedWeights(TomlTable& root, const Scenario& scenario) : root_(root), scenario_(scenario) {}

  void check() {
    TomlTable workload = root_.table_or_defaults("workload");
    check(workload, "workload", scenario_.workload.weights.save);
    std::vector<TomlTable> tables = root_.tables("strategy");
    for (std::size_t i = 0; i < scenario_.strategies.size(); ++i) {
      const StrategySpec& strategy = scenario_.strategies[i];
      check(tables[i], "strategy " + strategy.name, strategy.save_weights);
    }
    check_some_learn_together(workload);
  }

 private:
  void check(TomlTable& table, const std::string& who, const std::string& file) {
    if (file.empty()) return;
    if (scenario_.seeds > 1) {
      table.problem(key, "is the file of one run",
                    fmt::format("there are {} seeds, each with weights of its own", scenario_.seeds),
                    "use seeds = 1, or leave it out");
    }
    std::error_code none;
    const std::string place = fs::weakly_canonical(file, none).string();
    const auto [other, is_new] = writers_.emplace(place, who);
    if (file == scenario_.workload.weights.initial) {
      table.problem(key, "is also initial_weights", "the next run would start from other weights", own_name);
    } else if (is_read(file)) {
      table.problem(key, "is a file that the scenario reads", "it would be replaced", own_name);
    } else if (!is_new) {
      table.problem(key, "is also that of " + other->second, "one would replace the other", own_name);
    } else if (const std::string why = obstacle_to_writing(file); !why.empty()) {
      table.problem(key, "cannot be written", why, "name a file in a folder that is there");
    }
  }

  [[nodiscard]] bool is_read(const std::string& file) const {
    std::error_code none;
    return std::any_of(scenario_.inputs.begin(), scenario_.inputs.end(),
                       [&](const std::string& input) { return fs::equivalent(file, input, none); });
  }

  /// [workload] saves the weights of the learning that synchronous ways share.
  void check_some_learn_together(TomlTable& workload) const {
    if (scenario_.workload.weights.save.empty()) return;
    for (const StrategySpec& strategy : scenario_.strategies) {
      if (!learns_alone(strategy.kind)) return;
    }
    workload.problem(key, "nothing is learned centrally", "every strategy has a learning of its own",
                     "put save_weights into a [[strategy]]");
  }

  static constexpr auto own_name = "give it a name of its own";
  TomlTable& root_;
  const Scenario& scenario_;
  std::map<std::string, std::string> writers_;  // of each file
};

}  // namespace

void check_saved_weights(TomlTable& root, const Scenario& scenario) {
  SavedWeights(root, scenario).check();
}

}  // namespace orrery
