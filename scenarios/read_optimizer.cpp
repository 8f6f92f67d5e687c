// The optimizer keys of [workload] and of a federated strategy.
#include "scenarios/read_hybrid.hpp"
#include "scenarios/reading.hpp"

namespace orrery {
namespace {

const Names<OptimizerKind>& optimizer_names() {
  static const Names<OptimizerKind> names = [] {
    Names<OptimizerKind> made;
    for (const OptimizerKind kind :
         {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::nesterov, OptimizerKind::adam,
          OptimizerKind::adamw, OptimizerKind::lamb, OptimizerKind::adadelta}) {
      made.push_back({std::string(name_of(kind)), kind});
    }
    return made;
  }();
  return names;
}

const Names<ScheduleKind>& schedule_names() {
  static const Names<ScheduleKind> names = {
      {"constant", ScheduleKind::constant}, {"step", ScheduleKind::step}, {"cosine", ScheduleKind::cosine}};
  return names;
}

/// Adam's default is that of its paper (Kingma and Ba 2015), which PyTorch keeps for AdamW; for LAMB as assumed; 0.1 is
/// assumed, the usual start for small networks.
double usual_learning_rate(OptimizerKind kind) {
  if (kind == OptimizerKind::adadelta) return 1.0;  // the paper has none; PyTorch's default
  return optimizer_states(kind) == 2 ? 0.001 : 0.1;
}

/// AdamW: PyTorch's default; LAMB: You et al. 2020, as for BERT.
double usual_weight_decay(OptimizerKind kind) {
  return kind == OptimizerKind::adamw || kind == OptimizerKind::lamb ? 0.01 : 0.0;
}

LearningRateSchedule read_schedule(TomlTable& table, const LearningRateSchedule& fallback) {
  TomlTable keys = table.table_or_defaults("learning_rate_schedule");
  LearningRateSchedule schedule = fallback;
  schedule.kind = choose(keys, "kind", schedule_names(), fallback.kind);
  schedule.warm_up = keys.integer("warm_up", fallback.warm_up, non_negative);
  const std::string why = fmt::format("the schedule here is {}", name_of(schedule.kind));
  if (schedule.kind == ScheduleKind::step) {
    schedule.every = keys.required_integer("every", at_least_one);
    schedule.factor = keys.number("factor", fallback.factor, positive);
  } else {
    refuse(keys, "every", ValueType::number, "kind = step", why);
    refuse(keys, "factor", ValueType::number, "kind = step", why);
  }
  if (schedule.kind == ScheduleKind::cosine) {
    schedule.final_fraction = keys.number("final_fraction", fallback.final_fraction, fraction);
  } else {
    refuse(keys, "final_fraction", ValueType::number, "kind = cosine", why);
  }
  keys.finish();
  return schedule;
}

}  // namespace

OptimizerOptions read_optimizer(TomlTable& table, const OptimizerOptions& fallback, std::string_view owner) {
  OptimizerOptions options = fallback;
  options.kind = choose(table, "optimizer", optimizer_names(), fallback.kind, origin_in(owner, "optimizer"));
  std::string_view owner_of_rates = owner;
  if (options.kind != fallback.kind) {
    options.learning_rate = usual_learning_rate(options.kind);
    options.weight_decay = usual_weight_decay(options.kind);
    owner_of_rates = {};
  }
  options.learning_rate =
      table.number("learning_rate", options.learning_rate, positive, origin_in(owner_of_rates, "learning_rate"));
  if (optimizer_states(options.kind) == 1) {
    const std::string_view said_by = optimizer_states(fallback.kind) == 1 ? owner : std::string_view();
    options.momentum = table.number("momentum", fallback.momentum, fraction, origin_in(said_by, "momentum"));
  } else {
    refuse(table, "momentum", ValueType::number, "optimizer = momentum | nesterov",
           fmt::format("the optimizer here is {}", name_of(options.kind)));
  }
  options.weight_decay =
      table.number("weight_decay", options.weight_decay, non_negative, origin_in(owner_of_rates, "weight_decay"));
  options.clip_norm = table.number("clip_norm", fallback.clip_norm, non_negative, origin_in(owner, "clip_norm"));
  options.schedule = read_schedule(table, fallback.schedule);
  return options;
}

void check_warm_up(TomlTable& table, const LearningRateSchedule& schedule, std::int64_t length, std::string_view unit) {
  if (length == 0 || schedule.warm_up < length) return;
  table.problem("learning_rate_schedule", fmt::format("a warm-up of {} {} leaves no others", schedule.warm_up, unit),
                fmt::format("there are {} in all", length), "use a shorter warm_up");
}

namespace {

/// Names that kind = "hybrid" knows and `names` has not. True: told as a problem.
bool refuse_of_hybrid(TomlTable& table, const Names<Recompute>& names) {
  const auto has = [](const Names<Recompute>& all, const std::string& text) {
    return std::any_of(all.begin(), all.end(), [&](const auto& named) { return named.name == text; });
  };
  const auto given = table.text("recompute");
  if (!given || has(names, *given) || !has(hybrid_recomputes(), *given)) return false;
  table.problem(
      "recompute", fmt::format("\"{}\" is known to kind = \"hybrid\" alone", *given),
      "the other kinds compute whole segments again, or nothing",
      fmt::format("use \"none\" or \"full\" here, or recompute = \"{}\" in a [[strategy]] of kind = \"hybrid\"",
                  *given));
  return true;
}

}  // namespace

Recompute read_recompute(TomlTable& table, Recompute fallback, const LayerGraph& network, std::string_view owner) {
  static const Names<Recompute> names = {{"none", Recompute::none}, {"full", Recompute::full}};
  if (refuse_of_hybrid(table, names)) return fallback;
  const Recompute recompute = choose(table, "recompute", names, fallback, origin_in(owner, "recompute"));
  if (recompute == Recompute::full && table.has("recompute") && !network.layers.empty() &&
      recompute_segments(network).size() == 1) {
    table.problem("recompute", network.name + " is too small to be cut into segments", "nothing would be recomputed",
                  "use recompute = \"none\"");
  }
  return recompute;
}

}  // namespace orrery
