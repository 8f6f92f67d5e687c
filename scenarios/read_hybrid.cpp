// kind = "hybrid": the degrees of a layout and what they multiply to, and what disturbs its steps.
#include "scenarios/read_hybrid.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace orrery {
namespace {

constexpr Range count{1.0, 1e6};
constexpr Range factor{1.0, 1e6};
constexpr std::int64_t most_devices = 1'000'000'000;  // fits an int
constexpr Range share{0.0, 1.0, Range::Low::open};

class HybridReader {
 public:
  HybridReader(TomlTable& table, StrategySpec& spec, const LayerGraph& network)
      : table_(table), spec_(spec), network_(network), layout_(spec.hybrid.layout) {}

  void read() {
    read_degrees();
    read_order();
    read_pieces();
    read_states();
    read_balance();
    read_outer();
    read_tokens();
    read_disturbances();
    static const Names<Folding> folds = {{"auto", Folding::automatic}, {"never", Folding::never}};
    spec_.hybrid.fold = choose(table_, "fold", folds, spec_.hybrid.fold);
  }

 private:
  int degree(std::string_view key) { return static_cast<int>(table_.integer(key, 1, layout_degree)); }

  /// A degree that the devices follow from: they are not known where it is wrong.
  int rank_degree(std::string_view key, std::int64_t fallback, Range range) {
    if (!table_.has(key)) return static_cast<int>(table_.integer(key, fallback, range));
    const auto given = table_.integer(key, range);
    knows_devices_ = knows_devices_ && given.has_value();
    return static_cast<int>(given.value_or(fallback));
  }

  void read_degrees() {
    layout_.tp = rank_degree("tp", 1, layout_degree);
    layout_.pp = rank_degree("pp", 1, layout_degree);
    layout_.cp = rank_degree("cp", 1, layout_degree);
    const std::int64_t rest = std::int64_t{layout_.tp} * layout_.pp * layout_.cp;
    const std::int64_t there = spec_.cluster.description.devices();
    const bool known = spec_.cluster.present;
    const auto asked = table_.integer("devices", count);
    const std::int64_t usable = asked.value_or(known ? there : rest);
    layout_.dp = rank_degree("dp", std::clamp<std::int64_t>(usable / rest, 1, 1000000), count);
    if (!asked && !table_.has("dp")) knows_devices_ = knows_devices_ && known && !table_.has("devices");
    layout_.ep = degree("ep");
    check_product(rest, usable, asked);
    const std::int64_t devices = layout_.devices();
    spec_.devices = static_cast<int>(std::min(devices, most_devices));
    if (known && devices > there) {
      table_.problem(largest_key(), fmt::format("{} devices are too many", devices),
                     fmt::format("dp x tp x pp x cp = {} x {} x {} x {}, and the cluster has {}", layout_.dp,
                                 layout_.tp, layout_.pp, layout_.cp, there),
                     fitting_degrees(rest, there) + ", or a larger cluster");
    }
  }

  /// `rest`: tp x pp x cp.
  [[nodiscard]] std::string fitting_degrees(std::int64_t rest, std::int64_t there) const {
    if (rest > there) return fmt::format("use tp x pp x cp up to {}", there);
    const std::int64_t replicas = there / rest;
    return table_.has("dp") ? fmt::format("use dp {}", replicas) : fmt::format("use devices {}", replicas * rest);
  }

  /// `devices` (`asked`, where given) is dp times the rest, whichever of the two is given.
  void check_product(std::int64_t rest, std::int64_t usable, std::optional<std::int64_t> asked) {
    if (table_.has("dp")) {
      if (asked && layout_.dp * rest != *asked) {
        table_.problem("devices", fmt::format("{} is not dp x tp x pp x cp", *asked),
                       fmt::format("that is {} x {} = {}", layout_.dp, rest, layout_.dp * rest),
                       "leave one of them out");
      }
    } else if (usable > rest && usable % rest != 0) {
      table_.problem(asked ? "devices" : "dp", fmt::format("{} devices are no multiple of tp x pp x cp", usable),
                     fmt::format("that is {}, and every replica has as many", rest),
                     fmt::format("use dp = {}: {} devices", usable / rest, usable / rest * rest));
    }
  }

  /// Where to point when the product is too large.
  [[nodiscard]] std::string_view largest_key() const {
    for (const std::string_view key : {"dp", "devices", "tp", "pp", "cp"}) {
      if (table_.has(key)) return key;
    }
    return "name";
  }

  void read_order() {
    if (!table_.has("order")) return;
    static const Names<Dimension> names = {
        {"tp", Dimension::tp}, {"cp", Dimension::cp}, {"dp", Dimension::dp}, {"pp", Dimension::pp}};
    const std::vector<std::string> given = table_.texts("order");
    std::vector<std::string> sorted = given, wanted = texts_of(names);
    std::sort(sorted.begin(), sorted.end());
    std::sort(wanted.begin(), wanted.end());
    if (sorted != wanted) {
      table_.problem("order", "is not each of tp, cp, dp, pp once", "ranks are numbered along every dimension",
                     "write order = [\"tp\", \"cp\", \"dp\", \"pp\"], the fastest first");
      return;
    }
    for (std::size_t i = 0; i < given.size(); ++i) layout_.order[i] = value_of(names, given[i], Dimension::dp);
  }

  void read_pieces() {
    layout_.microbatch = table_.integer("microbatch", 1, layout_microbatch);
    layout_.schedule = choose(table_, "schedule", hybrid_schedules(), layout_.schedule);
    layout_.interleave = degree("interleave");
    static const Names<Chunks> chunks = {{"equal", Chunks::equal}, {"uneven", Chunks::uneven}};
    layout_.chunks = choose(table_, "chunks", chunks, layout_.chunks);
    layout_.recompute = spec_.recompute;
    layout_.sequence_parallel =
        table_.boolean("sequence_parallel", false) ? SequenceParallel::on : SequenceParallel::off;
  }

  void read_states() {
    static const Names<Offload> offloads = {{"none", Offload::none}, {"optimizer", Offload::optimizer}};
    constexpr Range stages{0.0, 3.0};
    layout_.zero_stage = static_cast<int>(table_.integer("zero_stage", 0, stages));
    constexpr Range group{0.0, 1e6};
    layout_.zero_group = static_cast<int>(table_.integer("zero_group", 0, group));
    if (layout_.zero_stage == 0 && layout_.zero_group > 0) {
      table_.problem("zero_group", "belongs to zero_stage = 1 | 2 | 3", "with zero_stage = 0 nothing is shared",
                     "remove it");
    }
    layout_.offload = choose(table_, "offload", offloads, layout_.offload);
  }

  void read_balance() {
    const bool is_mixed = !spec_.cluster.description.more.empty();
    if (!is_mixed && spec_.cluster.present) {
      refuse(table_, "balance", ValueType::text, "a cluster of several groups of nodes",
             "all devices here are of one kind");
      return;
    }
    static const Names<Balance> balances = {{"equal", Balance::equal}, {"speed", Balance::speed}};
    layout_.balance = choose(table_, "balance", balances, layout_.balance);
  }

  void read_outer() {
    auto table = table_.table("outer");
    if (!table) return;
    OuterSteps& outer = layout_.outer;
    constexpr Range several{2.0, 1e6};
    static const Names<Precision> formats = {
        {"fp32", Precision::fp32}, {"bf16", Precision::bf16}, {"fp16", Precision::fp16}};
    outer.islands = static_cast<int>(table->required_integer("islands", several));
    outer.every = static_cast<int>(table->integer("every", outer.every, count));
    outer.format = choose(*table, "format", formats, outer.format);
    table->finish();
  }

  void read_tokens() {
    HybridOptions& hybrid = spec_.hybrid;
    if (may_have_experts(network_)) {
      // Without the key as many as share a layer, whatever tp a search gives them.
      const auto split = static_cast<int>(table_.integer("etp", layout_.tp, layout_degree));
      layout_.etp = split == layout_.tp && (split > 1 || !table_.has("etp")) ? 0 : split;
      hybrid.capacity_factor = table_.number("capacity_factor", hybrid.capacity_factor, non_negative);
      hybrid.expert_imbalance = table_.number("expert_imbalance", hybrid.expert_imbalance, factor);
    } else {
      for (const std::string_view key : {"etp", "capacity_factor", "expert_imbalance"}) refuse_experts(key);
    }
    hybrid.length_variation = length_variation();
    hybrid.computed_tokens = table_.number("computed_tokens", hybrid.computed_tokens, share);
    hybrid.head_tokens = table_.number("head_tokens", hybrid.head_tokens, share);
  }

  /// What replicas wait for is the longest of as many draws from a normal law.
  double length_variation() {
    const double given = table_.number("length_variation", spec_.hybrid.length_variation, non_negative);
    if (given <= 1) return given;
    table_.problem("length_variation", number_text(given) + " is more than lengths can vary",
                   "standard deviation / mean of a micro-batch's tokens, drawn from a normal law: above 1 every sixth "
                   "would have none",
                   "use at most 1");
    return spec_.hybrid.length_variation;
  }

  void refuse_experts(std::string_view key) {
    if (!table_.number(key, any_number)) return;
    table_.problem(key, "has no effect", network_.name + " has no experts", "remove it");
  }

  void read_disturbances() {
    HybridOptions& hybrid = spec_.hybrid;
    hybrid.jitter = table_.number("jitter", 0.0, fraction);
    if (auto slow = table_.table("straggler")) {
      SlowRank straggler;
      const std::int64_t last = knows_devices_ ? layout_.devices() - 1 : most_devices;
      const Range ranks = knows_devices_ ? Range{0.0, static_cast<double>(last)} : non_negative;
      straggler.rank = static_cast<int>(std::min(slow->required_integer("rank", ranks), last));
      straggler.factor = slow->required_number("factor", factor);
      slow->finish();
      hybrid.straggler = straggler;
    }
    if (auto input = table_.table("input")) {
      hybrid.input.samples_per_s = input->number("samples_per_s", 0.0, non_negative);
      hybrid.input.host_GBps = input->number("host_GBps", 0.0, non_negative);
      input->finish();
    }
  }

  TomlTable& table_;
  StrategySpec& spec_;
  const LayerGraph& network_;
  Layout& layout_;
  bool knows_devices_ = true;  // how many, by what is right of the file
};

}  // namespace

const Names<PipelineSchedule>& hybrid_schedules() {
  static const Names<PipelineSchedule> names = by_name(all_pipeline_schedules);
  return names;
}

const Names<Recompute>& hybrid_recomputes() {
  static const Names<Recompute> names = by_name(all_recomputes);
  return names;
}

bool may_have_experts(const LayerGraph& network) {
  const auto is_mixture = [](const Layer& layer) { return layer.kind == LayerKind::mixture_of_experts; };
  return network.layers.empty() || std::any_of(network.layers.begin(), network.layers.end(), is_mixture);
}

void read_hybrid(TomlTable& table, StrategySpec& spec, const LayerGraph& network) {
  HybridReader(table, spec, network).read();
}

}  // namespace orrery
