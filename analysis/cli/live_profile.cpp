#include "analysis/cli/live_profile.hpp"

#include <set>

#include "analysis/cli/profile_memory.hpp"
#include "sim/base/files.hpp"

namespace orrery {

std::vector<int> batches_used(const Scenario& scenario) {
  std::set<int> batches;
  const auto insert = [&](double batch) { batches.insert(std::max(1, static_cast<int>(batch))); };
  for (const StrategySpec& strategy : scenario.strategies) {
    const double step = static_cast<double>(scenario.workload.batch) / strategy.accumulation;
    switch (strategy.kind) {
      case StrategyKind::single:
      case StrategyKind::model:
        insert(step);
        break;
      case StrategyKind::data:
      case StrategyKind::local_sgd:
        insert(step / strategy.devices);
        break;
      case StrategyKind::pipeline:
        insert(step / strategy.microbatches);
        break;
      case StrategyKind::hybrid:  // priced by the laws of the device, not by a profile
        break;
      case StrategyKind::async:
      case StrategyKind::federated:
        insert(strategy.federated.local_batch > 0
                   ? static_cast<double>(strategy.federated.local_batch)
                   : static_cast<double>(scenario.workload.dataset_samples) / scenario.federation.clients());
        break;
    }
  }
  return {batches.begin(), batches.end()};
}

std::vector<std::string> record_live_profile(const Scenario& scenario, const std::filesystem::path& folder,
                                             ProgressBar& bar) {
  const LayerGraph& network = scenario.workload.network;
  ProfileOptions options;
  options.batches = batches_used(scenario);
  options.progress = [&bar](double share) { bar.show("profiling", share, {}); };
  bar.show("measuring this machine", 0.0, {});
  const Device host = measure_host(1);
  const StepProfile profile = measure_within_memory(network, options);
  std::filesystem::create_directories(folder);
  write_file(folder / "profile.csv", to_csv(profile));
  write_file(folder / "host.csv", host_csv(host));
  const auto override_with = [&](const std::string& key, const std::string& file) {
    return key + "=\"" + std::filesystem::absolute(folder / file).string() + "\"";
  };
  return {override_with("workload.profile", "profile.csv"), override_with("workload.profile_host", "host.csv"),
          "workload.profile_threads=1"};
}

}  // namespace orrery
