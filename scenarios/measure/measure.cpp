#include "scenarios/measure/measure.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <vector>

#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"

namespace orrery {

MeasuredWay measure_way(const Scenario& scenario, std::size_t index, const Catalogue& catalogue,
                        Communicator& communicator, const MeasureOptions& options) {
  const StrategySpec& strategy = scenario.strategies.at(index);
  MeasuredWay measured;
  // Every rank comes to the same verdict: it depends on the scenario alone.
  try {
    if (strategy.kind == StrategyKind::async || strategy.kind == StrategyKind::local_sgd) {
      throw Infeasible(fmt::format("kind = \"{}\" is simulated only", name_of(strategy.kind)));
    }
    measured = strategy.kind == StrategyKind::federated
                   ? measure_federated(scenario, strategy, communicator, options)
                   : measure_central(scenario, strategy, catalogue, communicator, options);
  } catch (const Infeasible& reason) {
    measured.way.status = WayStatus::infeasible;
    measured.way.error = reason.what();
  }
  measured.way.strategy = strategy.name;
  return measured;
}

std::string steps_csv(const std::vector<MeasuredWay>& ways) {
  std::string text = csv_line({"strategy", "step", "seconds", "train_loss"});
  for (const MeasuredWay& way : ways) {
    for (const MeasuredStep& step : way.steps) {
      text += csv_line(
          {way.way.strategy, std::to_string(step.step), number_text(step.time.value()), number_text(step.train_loss)});
    }
  }
  return text;
}

std::string pin_to_core(int rank, int threads) {
  cpu_set_t allowed{};
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {};
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) cores.push_back(core);
  }
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (static_cast<long>(cores.size()) == online) {
    cpu_set_t own{};
    for (int thread = 0; thread < threads; ++thread) {
      CPU_SET(cores[static_cast<std::size_t>(rank * threads + thread) % cores.size()], &own);
    }
    ::sched_setaffinity(0, sizeof own, &own);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
  }
  std::vector<std::string> names;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) names.push_back(std::to_string(core));
  }
  return join(names, " ");
}

}  // namespace orrery
