// A federated or asynchronous strategy: local work, how long it runs, the clients' optimizer; its other parts have
// files of their own.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scenarios/federation_reading.hpp"
#include "scenarios/plan.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr Range count{1.0, 1e6};
constexpr Range many{1.0, 1e9};

class CosimulatedReader {
 public:
  explicit CosimulatedReader(const FederatedReading& reading)
      : reading_(reading),
        table_(reading.table),
        spec_(reading.spec),
        options_(reading.spec.federated),
        workload_(reading.workload) {}

  void read() {
    check_clients();
    refuse_letters(table_);
    read_algorithm(reading_);
    if (spec_.kind == StrategyKind::federated) {
      options_.partition =
          read_partition(table_, reading_.federation.partition, workload_, reading_.federation.clients(), "federation");
      read_participation(reading_);
      read_local_work();
      read_rounds();
    } else {
      options_.participation.clients_per_round = spec_.devices;
      read_asynchronous_steps();
    }
    static const Names<EvaluationTime> times = {{"free", EvaluationTime::free}, {"charged", EvaluationTime::charged}};
    if (reading_.works(Coordination::gossip)) {
      refuse(table_, "evaluation_time", ValueType::text, "algorithms with a server",
             "a gossip has none to evaluate on");
    } else {
      options_.evaluation_time = choose(table_, "evaluation_time", times, options_.evaluation_time);
    }
    read_updates(reading_);
    read_client_optimizer();
    check_mathematics();
    if (spec_.recompute == Recompute::full && reading_.works(Coordination::split)) {
      table_.problem("recompute", "has no segments in a split network", "each half is run by another machine",
                     "use recompute = \"none\"");
    }
  }

 private:
  void check_clients() {
    const std::string name(name_of(spec_.kind));
    if (spec_.kind == StrategyKind::federated && !reading_.federation.present) {
      table_.problem("kind", "federated needs clients", "the scenario has no [federation]", "add a [federation]");
    }
    if (workload_.dataset_samples == 0) {
      table_.problem("kind", name + " needs a data set", "each trains on its own part of it",
                     "add dataset or dataset_samples to [workload]");
    }
  }

  void read_local_work() {
    if (options_.algorithm.kind == AlgorithmKind::fedsgd) {
      const std::string why = "fedsgd makes one step with all local samples: E = 1, B = infinite";
      for (const char* key : {"local_epochs", "most_local_epochs", "local_batch", "local_steps"}) {
        refuse(table_, key, ValueType::number, "algorithms with local training", why);
      }
      options_.local_batch = 0;
      return;
    }
    options_.local_batch = table_.integer("local_batch", options_.local_batch, non_negative);
    if (table_.has("local_steps")) {
      options_.local_steps = table_.integer("local_steps", 1, many);
      const std::string why = "local_steps says how much a client trains";
      refuse(table_, "local_epochs", ValueType::number, "a strategy without local_steps", why);
      refuse(table_, "most_local_epochs", ValueType::number, "a strategy without local_steps", why);
      return;
    }
    options_.local_epochs = integer("local_epochs", options_.local_epochs);
    options_.most_local_epochs = integer("most_local_epochs", options_.local_epochs);
    if (options_.most_local_epochs < options_.local_epochs) {
      table_.problem("most_local_epochs", "is below local_epochs",
                     fmt::format("clients draw between {} and {}", options_.local_epochs, options_.most_local_epochs),
                     "use at least local_epochs");
    }
  }

  void read_rounds() {
    options_.rounds = integer("rounds", options_.rounds);
    options_.evaluate_every = integer("evaluate_every", options_.evaluate_every);
  }

  /// By default as many samples as the synchronous ways see: in each gradient of a worker, and in all.
  void read_asynchronous_steps() {
    const std::int64_t share = std::max<std::int64_t>(1, workload_.batch / std::max(1, spec_.devices));
    options_.local_batch = table_.integer("local_batch", share, many);
    options_.local_steps = 1;
    const double per_step = static_cast<double>(workload_.batch) / static_cast<double>(options_.local_batch);
    const auto as_many = [&](std::int64_t steps) {
      return static_cast<int>(std::clamp(std::ceil(static_cast<double>(steps) * per_step), 1.0, many.high));
    };
    if (workload_.steps == 0 && !table_.has("steps")) {
      table_.problem("steps", "is missing", "neither this strategy nor [workload] says how long to train",
                     "add steps: updates of the server");
    }
    options_.rounds = static_cast<int>(table_.integer("steps", as_many(workload_.steps), many));
    options_.evaluate_every =
        static_cast<int>(table_.integer("evaluate_every", as_many(workload_.evaluate_every), many));
  }

  void read_client_optimizer() {
    OptimizerOptions start = workload_.optimizer;
    start.schedule = {};  // counts server steps here, not the workload's steps
    spec_.optimizer = read_optimizer(table_, start, "workload");
    check_warm_up(table_, spec_.optimizer.schedule, options_.rounds,
                  spec_.kind == StrategyKind::async ? "steps" : "rounds");
    check_optimizer();
    spec_.save_weights = read_save_weights(table_, workload_, reading_.reading);
  }

  /// Combinations that have no meaning: those that training itself would refuse, at the keys they stand under.
  void check_mathematics() {
    check_optimizer();
    if (workload_.network.layers.empty()) return;
    FederatedTrainingOptions options;
    options.local.optimizer = spec_.optimizer;
    options.algorithm = options_.algorithm;
    options.compression = options_.compression;
    options.privacy = options_.privacy;
    options.secure = options_.secure;
    options.personal_layers = options_.personal_layers;
    try {
      require_compatible(workload_.network, options);
    } catch (const InvalidInput& error) {
      for (const Problem& problem : error.problems()) {
        table_.problem(problem.key, problem.what, problem.why, problem.suggestion);
      }
    }
  }

  /// What the formulas take a local step to be.
  void check_optimizer() {
    const OptimizerKind kind = spec_.optimizer.kind;
    const std::string name(name_of(kind));
    const std::string algorithm = reading_.algorithm().name;
    using enum AlgorithmKind;
    const AlgorithmKind here = options_.algorithm.kind;
    if ((here == fedsgd || here == async_sgd) && kind != OptimizerKind::sgd) {
      table_.problem("optimizer", name + " has no use in one step",
                     "a client's optimizer starts anew with every model it gets, and " + algorithm + " makes one step",
                     "use optimizer = \"sgd\"");
    } else if ((here == scaffold || here == qfedavg) && optimizer_states(kind) == 2) {
      table_.problem("optimizer", name + " does not go with " + algorithm,
                     "its formulas divide by the learning rate of plain steps",
                     "use optimizer = \"sgd\", \"momentum\" or \"nesterov\"");
    }
  }

  int integer(std::string_view key, int fallback) { return static_cast<int>(table_.integer(key, fallback, count)); }

  const FederatedReading& reading_;
  TomlTable& table_;
  StrategySpec& spec_;
  FederatedOptions& options_;
  const WorkloadSpec& workload_;
};

}  // namespace

std::string read_save_weights(TomlTable& table, const WorkloadSpec& workload, const Reading& reading) {
  if (!workload.learn) {
    refuse(table, "save_weights", ValueType::text, "learn = true", "nothing is learned here");
    return {};
  }
  if (!table.has("save_weights")) return {};
  return path_in(reading, table, "save_weights", table.required_text("save_weights"));
}

void read_cosimulated(const FederatedReading& reading) {
  CosimulatedReader(reading).read();
}

}  // namespace orrery
