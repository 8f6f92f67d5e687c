// One strategy in this process: build the cluster, plan, check, run; or hand over to the federated coordinator.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "scenarios/client_population.hpp"
#include "scenarios/data_transfer.hpp"
#include "scenarios/federated/coordinator.hpp"
#include "scenarios/federated/split_work.hpp"
#include "scenarios/memory_remedy.hpp"
#include "scenarios/number_formats.hpp"
#include "scenarios/planned_way.hpp"
#include "scenarios/strategies/building.hpp"
#include "scenarios/way.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string does_not_fit(const Way& way, const std::string& device) {
  std::string text = fmt::format(
      "needs {:.2f} GiB on each {} of {:.2f} GiB (weights {:.2f}, gradients {:.2f}, optimizer {:.2f}, activations "
      "{:.2f}",
      way.memory.peak().value() / gibi, device, way.capacity.value() / gibi, way.memory.weights.value() / gibi,
      way.memory.gradients.value() / gibi, way.memory.optimizer.value() / gibi, way.memory.activations.value() / gibi);
  if (way.memory.working > Bytes()) {
    text += fmt::format(", buffers and the framework's own {:.2f}", way.memory.working.value() / gibi);
  }
  return text + ")";
}

/// Returns whether the way goes on.
bool require_memory(Way& way, const Device& device) {
  way.capacity = device.memory;
  way.fits = way.memory.peak() <= way.capacity;
  if (way.fits) return true;
  way.status = WayStatus::infeasible;
  way.error = does_not_fit(way, device.id);
  return false;
}

EngineOptions engine_options(const Scenario& scenario, const StrategySpec& strategy, const Progress& progress) {
  EngineOptions options;
  options.fidelity = strategy.fidelity;
  options.segments = strategy.segments;
  options.message_budget = scenario.message_budget;
  if (progress) {
    options.progress = [&progress, &strategy](double share) { progress("simulating " + strategy.name, share, {}); };
  }
  return options;
}

/// The kernel is gone at the end: a process can hold one at a time.
Records run_step(const Plan& plan, const Platform& platform, const EngineOptions& options, EngineKind engine) {
  const auto kernel = make_kernel(engine, platform);
  return run_program(plan.program, *kernel, plan.placement, options);
}

/// Throws logic_error with the first defects of its program: a bug of the strategy, not of the scenario.
void require_runnable(const Plan& plan, const StrategySpec& strategy) {
  std::vector<std::string> defects = check(plan.program);
  if (defects.empty()) return;
  constexpr std::size_t most = 3;
  if (const std::size_t count = defects.size(); count > most) {
    defects.resize(most);
    defects.push_back(fmt::format("{} more", count - most));
  }
  throw std::logic_error("the plan of " + strategy.name + " cannot run: " + join(defects, "; "));
}

/// Of every rank.
std::vector<const Device*> devices_of(const Plan& plan, const Cluster& cluster) {
  const Platform& platform = plan.platform ? plan.platform->platform : cluster.platform;
  const ClusterDescription& description = cluster.description;
  std::vector<const Device*> devices;
  for (const DeviceId host : plan.placement) {
    const std::size_t group = description.group_of_node(platform.hosts[host.index()].node);
    devices.push_back(&description.group(group).device);
  }
  return devices;
}

/// Fills the way with what its plan says; whether that can run stands in it.
Plan plan_central(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost, Way& way) {
  const Cluster cluster = build_cluster(strategy.cluster.description);
  const Job job{scenario, strategy, cost, cluster};
  Plan plan = make_plan(job);
  fill_from_plan(scenario, cluster, plan, way);
  way.memory = plan.memory;
  way.straggler_share = plan.straggler_share;
  way.gap_share = plan.gap_share;
  if (require_memory(way, way.devices[plan.placement[plan.fullest.index()].index()])) {
    require_runnable(plan, strategy);
  } else if (const std::string remedy = memory_remedy(job); !remedy.empty()) {
    way.error += " - use " + remedy;
  }
  return plan;
}

void simulate_central(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost,
                      const SimulateOptions& options, Way& way) {
  const Plan plan = plan_central(scenario, strategy, cost, way);
  if (!way.fits) return;
  way.records = run_step(plan, way.platform, engine_options(scenario, strategy, options.progress), options.engine);
  widen_links(plan, way);
  if (scenario.workload.data_origin == DataOrigin::clients) {
    way.data_transfer = transfer_data(scenario, options.engine);
  }
}

/// The client whose memory is the smallest decides, with the largest local set.
bool federated_fits(const FederatedJob& job, Way& way) {
  const auto& groups = job.population.groups;
  const auto smallest = std::min_element(groups.begin(), groups.end(), [](const ClientGroup& a, const ClientGroup& b) {
    return a.device.memory < b.device.memory;
  });
  const LayerGraph& network = job.scenario.workload.network;
  const std::int64_t largest = *std::max_element(job.learner.samples().begin(), job.learner.samples().end());
  const std::int64_t batch = job.options().local_batch;
  const bool whole_set = batch == 0 || job.options().algorithm.kind == AlgorithmKind::fedsgd;
  const auto samples = static_cast<double>(whole_set ? largest : std::min(batch, largest));
  std::vector<Share> held(network.layers.size());
  if (job.options().algorithm.kind == AlgorithmKind::split) {
    const auto cut = static_cast<std::ptrdiff_t>(first_server_layer(network, job.options().cut_layer));
    std::fill(held.begin() + cut, held.end(), Share{0, 0, 0});
  }
  way.memory = estimate_memory(network, held, in_flight(job.scenario, job.strategy, job.cost, samples),
                               job.strategy.precision, job.strategy.optimizer.kind);
  return require_memory(way, smallest->device);
}

std::unique_ptr<Learner> learner_of(const Scenario& scenario, const StrategySpec& strategy, std::size_t clients) {
  if (!scenario.workload.learn) return make_counting_learner(scenario, strategy, clients);
  return make_learner(scenario, strategy, clients,
                      coordinator_of(strategy.federated).slots(strategy.federated, clients));
}

void describe_federated(const FederatedJob& job, Way& way) {
  const UpdateBytes bytes = update_bytes(job.scenario.workload.network, training_options(job.scenario, job.strategy));
  way.degrees.dp = job.options().participation.clients_per_round;
  way.notes = {coordinator_of(job.options()).formula,
               fmt::format("model down = {} bytes, update up = {} bytes", number_text(bytes.down.value()),
                           number_text(bytes.up.value()))};
  way.samples = job.learner.samples();
  way.histograms = job.learner.histograms();
}

void simulate_federated(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost,
                        const SimulateOptions& options, Way& way) {
  require_training_format(strategy.precision);
  const Population population = client_population(scenario, strategy, scenario.seed);
  const auto learner = learner_of(scenario, strategy, population.clients.size());
  const FederatedJob job{scenario, strategy, cost, population, *learner, options.engine};
  describe_federated(job, way);
  for (std::string& note : format_notes(strategy.precision, population.groups)) {
    way.notes.push_back(std::move(note));
  }
  if (!federated_fits(job, way)) return;
  const bool central = strategy.kind != StrategyKind::federated;
  if (central && scenario.workload.data_origin == DataOrigin::clients) {
    way.data_transfer = transfer_data(scenario, options.engine);
  }
  run_federated(job, way, options.progress);
  if (!strategy.save_weights.empty()) learner->save(strategy.save_weights);
}

}  // namespace

Plan make_plan(const Job& job) {
  const StrategyEntry& entry = entry_of(job.strategy.kind);
  if (entry.plan == nullptr) throw std::logic_error("no planner for strategy " + job.strategy.name);
  require_training_format(job.strategy.precision);
  Plan plan = entry.plan(job);
  for (std::string& note : format_notes(job.strategy.precision, devices_of(plan, job.cluster))) {
    plan.notes.push_back(std::move(note));
  }
  return plan;
}

namespace {

/// A way that `fill` makes; where it throws Infeasible, with that as its error.
template <class Fill>
Way way_of(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue, const Fill& fill) {
  Way way;
  way.strategy = strategy.name;
  way.seed = scenario.seed;
  try {
    fill(cost_model(scenario, strategy, catalogue), way);
  } catch (const Infeasible& reason) {
    way.status = WayStatus::infeasible;
    way.error = reason.what();
  }
  return way;
}

}  // namespace

Way check_way(const Scenario& scenario, std::size_t index, const Catalogue& catalogue) {
  const StrategySpec& strategy = scenario.strategies.at(index);
  return way_of(scenario, strategy, catalogue, [&](const CostModel& cost, Way& way) {
    if (!is_cosimulated(strategy.kind)) plan_central(scenario, strategy, cost, way);
  });
}

Way simulate_way(const Scenario& scenario, std::size_t index, const Catalogue& catalogue,
                 const SimulateOptions& options) {
  const StrategySpec& strategy = scenario.strategies.at(index);
  return way_of(scenario, strategy, catalogue, [&](const CostModel& cost, Way& way) {
    if (is_cosimulated(strategy.kind)) {
      simulate_federated(scenario, strategy, cost, options, way);
    } else {
      simulate_central(scenario, strategy, cost, options, way);
    }
  });
}

std::string_view name_of(CurveSource source) {
  switch (source) {
    case CurveSource::none:
      return "none";
    case CurveSource::own:
      return "own";
    case CurveSource::shared:
      return "shared";
  }
  return "";
}

std::string_view name_of(WayStatus status) {
  switch (status) {
    case WayStatus::ok:
      return "ok";
    case WayStatus::infeasible:
      return "infeasible";
    case WayStatus::failed:
      return "failed";
  }
  return "";
}

std::string_view name_of(TripEnd end) {
  switch (end) {
    case TripEnd::reported:
      return "reported";
    case TripEnd::late:
      return "late";
    case TripEnd::surplus:
      return "surplus";
    case TripEnd::dropped:
      return "dropped";
    case TripEnd::unused:
      return "unused";
  }
  return "";
}

}  // namespace orrery
