// One strategy in this process: build the cluster, plan, check, run; or hand over to the federated coordinator.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "scenarios/data_transfer.hpp"
#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/coordinator.hpp"
#include "scenarios/planned_way.hpp"
#include "scenarios/way.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string does_not_fit(const Way& way, const std::string& device) {
  return fmt::format(
      "needs {:.2f} GiB on each {} of {:.2f} GiB (weights {:.2f}, gradients {:.2f}, optimizer {:.2f}, activations "
      "{:.2f})",
      way.memory.peak().value() / gibi, device, way.capacity.value() / gibi, way.memory.weights.value() / gibi,
      way.memory.gradients.value() / gibi, way.memory.optimizer.value() / gibi, way.memory.activations.value() / gibi);
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

void simulate_central(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost,
                      const SimulateOptions& options, Way& way) {
  const Cluster cluster = build_cluster(strategy.cluster.description);
  const Plan plan = make_plan({scenario, strategy, cost, cluster});
  fill_from_plan(scenario, cluster, plan, way);
  way.memory = plan.memory;
  way.straggler_share = plan.straggler_share;
  if (!require_memory(way, cluster.device())) return;
  if (const auto defects = check(plan.program); !defects.empty()) {
    throw std::logic_error("the plan of " + strategy.name + " cannot run: " + join(defects, "; "));
  }
  way.records = run_step(plan, cluster.platform, engine_options(scenario, strategy, options.progress), options.engine);
  if (scenario.workload.data_origin == DataOrigin::clients) {
    way.data_transfer = transfer_data(scenario, options.engine);
  }
}

/// The client whose memory is the smallest decides.
bool federated_fits(const Scenario& scenario, const StrategySpec& strategy, const Learner& learner, Way& way) {
  const auto& groups = scenario.federation.groups;
  const auto smallest = std::min_element(groups.begin(), groups.end(), [](const ClientGroup& a, const ClientGroup& b) {
    return a.device.memory < b.device.memory;
  });
  const std::int64_t largest = *std::max_element(learner.samples().begin(), learner.samples().end());
  const auto samples =
      static_cast<double>(strategy.local_batch > 0 ? std::min(strategy.local_batch, largest) : largest);
  const std::vector<Share> whole(scenario.workload.network.layers.size());
  way.memory = estimate_memory(scenario.workload.network, whole, InFlight{samples, 1, strategy.recompute},
                               strategy.precision, strategy.optimizer.kind);
  return require_memory(way, smallest->device);
}

void simulate_federated(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost,
                        const SimulateOptions& options, Way& way) {
  const FederationDescription description = describe_federation(scenario.federation);
  const FederationPlatform federation = build_federation(description);
  way.platform = federation.platform;
  way.link_power = federation.link_power;
  way.devices = devices_of(description);
  way.degrees.dp = strategy.clients_per_round;
  for (std::size_t host = 0; host < way.platform.hosts.size(); ++host) way.placement.emplace_back(host);
  way.notes = {"round = download + local training + upload of the slowest selected client, then the server's average",
               fmt::format("model = {} bytes each way", number_text(model_bytes(scenario, strategy).value()))};
  const auto learner =
      scenario.workload.learn ? make_fedavg_learner(scenario, strategy) : make_counting_learner(scenario);
  if (!federated_fits(scenario, strategy, *learner, way)) return;
  const auto kernel = make_kernel(options.engine, federation.platform);
  run_fedavg({scenario, strategy, cost, *learner, *kernel, federation.server}, way, options.progress);
  if (!strategy.save_weights.empty()) learner->save(strategy.save_weights);
}

}  // namespace

Plan make_plan(const Job& job) {
  for (const StrategyEntry& entry : strategies()) {
    if (entry.kind == job.strategy.kind && entry.plan != nullptr) return entry.plan(job);
  }
  throw std::logic_error("no planner for strategy " + job.strategy.name);
}

Way simulate_way(const Scenario& scenario, std::size_t index, const Catalogue& catalogue,
                 const SimulateOptions& options) {
  const StrategySpec& strategy = scenario.strategies.at(index);
  Way way;
  way.strategy = strategy.name;
  try {
    const CostModel cost = cost_model(scenario, strategy, catalogue);
    if (strategy.kind == StrategyKind::federated) {
      simulate_federated(scenario, strategy, cost, options, way);
    } else {
      simulate_central(scenario, strategy, cost, options, way);
    }
  } catch (const Infeasible& reason) {
    way.status = WayStatus::infeasible;
    way.error = reason.what();
  }
  return way;
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

}  // namespace orrery
