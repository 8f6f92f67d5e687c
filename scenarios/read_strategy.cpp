// [[strategy]]: one way of training.
#include <algorithm>
#include <array>

#include "scenarios/federation_reading.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/read_hybrid.hpp"
#include "scenarios/strategy_options.hpp"

namespace orrery {
namespace {

constexpr Range count{1.0, 1e6};
constexpr std::string_view workload_table = "workload";  // whose values stand where a strategy says none

class StrategyReader {
 public:
  StrategyReader(TomlTable table, const StrategyContext& context, const Reading& reading)
      : table_(std::move(table)), context_(context), workload_(context.workload), reading_(reading) {}

  StrategySpec read() {
    read_name();
    if (!read_kind()) return std::move(spec_);  // without a kind nothing can be said of the other keys
    refuse_foreign_options(table_, spec_.kind);
    spec_.precision =
        choose(table_, "precision", precision_names(), workload_.precision, origin_in(workload_table, "precision"));
    if (workload_.learn && spec_.precision != Precision::fp32 && spec_.precision != Precision::bf16) {
      table_.problem("precision", "cannot be learned in",
                     "learn = true executes in fp32 or bf16, another precision learns otherwise",
                     "use precision = \"fp32\" or \"bf16\", or learn = false");
    }
    spec_.recompute = spec_.kind == StrategyKind::hybrid
                          ? choose(table_, "recompute", hybrid_recomputes(), workload_.recompute,
                                   origin_in(workload_table, "recompute"))
                          : read_recompute(table_, workload_.recompute, workload_.network, workload_table);
    spec_.optimizer = workload_.optimizer;
    if (spec_.kind != StrategyKind::federated) read_cluster();
    if (spec_.kind == StrategyKind::hybrid) {
      read_hybrid(table_, spec_, workload_.network);
      check_shared_learning();
    } else if (!is_cosimulated(spec_.kind)) {
      read_central();
    } else {
      if (spec_.kind == StrategyKind::async) read_devices();
      read_cosimulated({table_, spec_, workload_, context_.federation, reading_});
    }
    table_.finish();
    return std::move(spec_);
  }

 private:
  void read_name() {
    const std::size_t before = reading_.problems.all().size();
    spec_.name = table_.required_text("name");
    const bool is_told = reading_.problems.all().size() > before;  // missing, or no text
    if (!is_told) check_name(table_, "name", spec_.name);
  }

  bool read_kind() {
    std::vector<std::string> names;
    for (const StrategyEntry& entry : strategies()) names.push_back(entry.name);
    const std::size_t before = reading_.problems.all().size();
    if (const auto given = table_.text("kind"); given && names_algorithm(*given)) return false;
    const std::string kind = table_.required_choice("kind", names);
    for (const StrategyEntry& entry : strategies()) {
      if (entry.name == kind) spec_.kind = entry.kind;
    }
    return reading_.problems.all().size() == before;
  }

  /// Records that `kind` is a federated algorithm; false for any other name.
  bool names_algorithm(const std::string& kind) {
    const auto& all = federated_algorithms();
    const bool known = std::any_of(all.begin(), all.end(), [&](const auto& entry) { return entry.name == kind; });
    if (!known) return false;
    const bool own_kind = kind == entry_of(AlgorithmKind::async_sgd).name;
    table_.problem("kind", fmt::format("unknown name \"{}\"", kind), "it is an algorithm",
                   own_kind ? std::string("write kind = \"async\"")
                            : fmt::format("write kind = \"federated\" and algorithm = \"{}\"", kind));
    return true;
  }

  void read_central() {
    read_split();
    if (spec_.kind != StrategyKind::single) {
      read_devices();
      read_fidelity();
    }
    if (spec_.kind == StrategyKind::pipeline) {
      spec_.microbatches = integer("microbatches", spec_.devices);
    } else if (spec_.kind == StrategyKind::local_sgd) {
      read_local_steps();
    } else {
      const std::string origin = origin_in(workload_table, "accumulation");
      spec_.accumulation = static_cast<int>(table_.integer("accumulation", workload_.accumulation, count, origin));
    }
    check_batch();
  }

  /// Synchronous ways share one learning curve.
  void check_shared_learning() {
    if (!workload_.learn || spec_.hybrid.layout.outer.islands == 1) return;
    table_.problem("outer", "learns otherwise than synchronous steps",
                   "with learn = true kind = hybrid shares their curve",
                   "leave learn out, or use kind = \"local-sgd\"");
  }

  void read_cluster() {
    spec_.cluster = context_.cluster;
    if (auto table = table_.table("cluster")) {
      const ClusterKeys keys = merged(context_.cluster_keys, read_cluster_keys(*table, reading_));
      spec_.cluster = resolve_cluster(keys, *table, reading_);
      table->finish();
    } else if (!spec_.cluster.present && !has_cluster_keys()) {
      table_.problem("cluster", fmt::format("kind = {} needs a cluster", name_of(spec_.kind)),
                     "the scenario has no [cluster]", "add a [cluster], or cluster = { ... } here");
    }
    if (spec_.kind == StrategyKind::async && !spec_.cluster.description.more.empty()) {
      table_.problem("kind", "async needs devices of one kind", "the cluster has several groups of nodes",
                     "give it cluster = { ... } with one system or device, or use kind = \"data\"");
    }
  }

  /// Whether [cluster] says anything: if so, what is wrong with it was recorded there.
  [[nodiscard]] bool has_cluster_keys() const {
    return context_.cluster_keys.system || context_.cluster_keys.device || context_.cluster_keys.nodes ||
           context_.cluster_keys.has_groups;
  }

  void read_split() {
    static const Names<Split> splits = {{"tensor", Split::tensor}, {"layers", Split::layers}};
    static const auto schedules = by_name(std::array{PipelineSchedule::gpipe, PipelineSchedule::one_f_one_b});
    if (spec_.kind == StrategyKind::model) {
      spec_.split = choose(table_, "split", splits, spec_.split);
      if (spec_.split == Split::layers) {
        refuse(table_, "collective", ValueType::text, "split = tensor", "with split = layers there are messages only");
      } else {
        read_collective({CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::reduce_scatter});
      }
    } else if (spec_.kind == StrategyKind::data) {
      read_collective({CollectiveKind::all_reduce});
      spec_.bucket = Bytes(mebi * table_.number("bucket_MiB", spec_.bucket.value() / mebi, positive));
      spec_.overlap = table_.boolean("overlap", spec_.overlap);
    } else if (spec_.kind == StrategyKind::pipeline) {
      spec_.schedule = choose(table_, "schedule", schedules, spec_.schedule);
    } else if (spec_.kind == StrategyKind::local_sgd) {
      read_collective({CollectiveKind::all_reduce}, Servers::none);
    }
  }

  /// Whether a parameter server may do the collective: weights that a server averages are federated averaging.
  enum class Servers : std::uint8_t { none, allowed };

  /// One of the algorithms that do all the collectives needed.
  void read_collective(const std::vector<CollectiveKind>& needed, Servers servers = Servers::allowed) {
    Names<Algorithm> names;
    for (const AlgorithmEntry& entry : algorithms()) {
      if (servers == Servers::none && entry.algorithm == Algorithm::parameter_server) continue;
      const bool does_all = std::all_of(needed.begin(), needed.end(), [&](CollectiveKind kind) {
        return std::find(entry.kinds.begin(), entry.kinds.end(), kind) != entry.kinds.end();
      });
      if (does_all) names.push_back({std::string(entry.name()), entry.algorithm});
    }
    spec_.collective = choose(table_, "collective", names, spec_.collective);
  }

  void read_devices() {
    const bool serves = spec_.kind == StrategyKind::data && spec_.collective == Algorithm::parameter_server;
    const int there = spec_.cluster.description.devices();
    const int usable = spec_.cluster.present ? std::max(1, there - (serves ? 1 : 0)) : 1;
    spec_.devices = integer("devices", usable);
    const int servers = serves && spec_.devices > 1 ? 1 : 0;
    if (!spec_.cluster.present || spec_.devices + servers <= there) return;
    table_.problem("devices",
                   fmt::format("{} devices {}are too many", spec_.devices,
                               servers == 0 ? "" : "and one for the parameter server "),
                   fmt::format("the cluster has {}", there), "use fewer, or a larger cluster");
  }

  /// H of local SGD, and where the weights of its learning go.
  void read_local_steps() {
    spec_.federated.local_steps = integer("local_steps", 8);  // assumed; Lin et al. 2020 find 1 to 16 useful
    spec_.save_weights = read_save_weights(table_, workload_, reading_);
  }

  void read_fidelity() {
    static const Names<FidelityChoice> names = {{"auto", FidelityChoice::automatic},
                                                {"exact", FidelityChoice::exact},
                                                {"segments", FidelityChoice::segments},
                                                {"collapsed", FidelityChoice::collapsed}};
    spec_.fidelity = choose(table_, "fidelity", names, spec_.fidelity);
    if (spec_.fidelity == FidelityChoice::segments) {
      spec_.segments = integer("segments", spec_.segments);
    } else {
      refuse(table_, "segments", ValueType::number, "fidelity = segments",
             "the fidelity here is " + text_of(names, spec_.fidelity));
    }
  }

  void check_batch() {
    const std::int64_t micro_steps = spec_.accumulation;
    if (spec_.kind == StrategyKind::pipeline) {
      check_divides("microbatches", spec_.microbatches, fmt::format("{} micro-batches", spec_.microbatches));
    } else if (spec_.kind == StrategyKind::data || spec_.kind == StrategyKind::local_sgd) {
      check_divides("devices", spec_.devices * micro_steps,
                    micro_steps == 1 ? fmt::format("{} devices", spec_.devices)
                                     : fmt::format("{} devices x {} micro-steps", spec_.devices, micro_steps));
    } else {
      check_divides("accumulation", micro_steps, fmt::format("{} micro-steps", micro_steps));
    }
  }

  void check_divides(std::string_view key, std::int64_t parts, const std::string& what) {
    const std::int64_t batch = workload_.batch;
    if (batch % parts == 0) return;
    const std::int64_t below = batch / parts * parts, above = below + parts;
    table_.problem(
        key, fmt::format("{} do not divide the batch of {} samples", what, batch),
        "each part has the same whole number of samples",
        below > 0 ? fmt::format("use a batch of {} or {}", below, above) : fmt::format("use a batch of {}", above));
  }

  int integer(std::string_view key, int fallback) { return static_cast<int>(table_.integer(key, fallback, count)); }

  TomlTable table_;
  const StrategyContext& context_;
  const WorkloadSpec& workload_;
  const Reading& reading_;
  StrategySpec spec_;
};

}  // namespace

StrategySpec read_strategy(TomlTable table, const StrategyContext& context, const Reading& reading) {
  return StrategyReader(std::move(table), context, reading).read();
}

}  // namespace orrery
