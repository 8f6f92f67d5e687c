// Every dimension of parallelism at once: the layout is judged and priced in closed form, and its stages are simulated,
// one rank standing for all devices that do the same.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scenarios/strategies/hybrid_notes.hpp"
#include "scenarios/strategies/hybrid_platform.hpp"
#include "scenarios/strategies/hybrid_step.hpp"
#include "scenarios/strategies/hybrid_traffic.hpp"
#include "scenarios/training_job.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

void require_possible(const LayoutJudge& judge, const Layout& layout) {
  const std::vector<std::string> obstacles = judge.obstacles(layout);
  if (!obstacles.empty()) throw Infeasible(join(obstacles, "; "));
}

/// Of stragglers that are not simulated.
double late_share(const StepPrediction& prediction) {
  const Seconds without = prediction.time() - prediction.parts.straggler;
  return without <= Seconds() ? 0.0 : prediction.parts.straggler / without;
}

LayoutFigures figures_of(const TrainingJob& job, const Layout& layout, const StepPrediction& prediction,
                         const LayoutPrices& prices) {
  LayoutFigures figures;
  figures.text = to_text(layout);
  const auto seconds = [](const StepPrediction& step) { return step.time().value(); };
  figures.step_time = predicted_range(job, layout, seconds, time_error(job));
  figures.sent_per_device = prediction.sent_per_device;
  figures.hardware_flops = prediction.hardware_flops;
  figures.collective = std::string(name_of(prices.gradient_exchange.algorithm));
  if (prices.gradient_exchange.total() > Seconds()) {
    figures.bus = exchange_bus_bandwidth(layout, prices);
  }
  return figures;
}

/// The first whose device is one of these nodes'.
RankId rank_on_group(const ClusterDescription& cluster, const HybridPlatform& platform, std::size_t group) {
  for (std::size_t rank = 0; rank < platform.ranks.count(); ++rank) {
    const DeviceId host = platform.placement[rank];
    if (cluster.group_of_node(platform.own.platform.hosts[host.index()].node) == group) return RankId(rank);
  }
  return RankId(0);
}

}  // namespace

Plan plan_hybrid(const Job& job) {
  const HybridOptions& options = job.strategy.hybrid;
  const Layout& layout = options.layout;
  LayoutJudge judge(training_job(job.scenario, job.strategy));
  require_possible(judge, layout);
  const StepPrediction prediction = judge.predict(layout);
  const LayoutPrices prices = judge.prices(layout);

  Plan plan;
  plan.degrees = {layout.dp, layout.tp, layout.pp, layout.cp, layout.ep};
  plan.microbatches = prediction.microbatches;
  plan.samples = static_cast<double>(job.scenario.workload.batch);
  plan.model_flops = prediction.model_flops;
  plan.memory = prediction.memory.states;
  plan.memory.working = prediction.memory.working + prediction.memory.reserve;
  plan.straggler_share = late_share(prediction);
  plan.gap_share = prediction.parts.gap_share();
  const HybridPlatform platform = hybrid_platform(judge.job(), options, prices, job.scenario.message_budget);
  plan.layout = figures_of(judge.job(), layout, prediction, prices);
  plan.program = Program(platform.ranks.count());
  plan.placement = platform.placement;
  plan.fullest = rank_on_group(job.cluster.description, platform, prediction.memory.group);
  write_hybrid_step(
      {options, prices, judge.job().framework, platform.ranks, prediction.microbatches, job.scenario.seed,
       judge.job().load_of_sample * static_cast<double>(layout.microbatch), platform.transfers_beyond,
       platform.exchanges, platform.outer_exchanges, platform.tied_exchange, platform.wires, platform.wires_of_rank},
      plan.program);
  add_traffic_beside(prediction, plan.program, platform, *plan.layout);
  plan.platform = platform.own;
  plan.notes = hybrid_notes(judge, options, prediction, prices, platform);
  return plan;
}

}  // namespace orrery
