// `run --profile live`: executes the scenario's network on this machine first, so that what is replayed was measured a
// moment ago.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/cli/progress_bar.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

/// Measures this machine and the scenario's network at the batches its strategies use, writes profile.csv and host.csv
/// to `folder`, and returns the overrides that make the scenario use them.
std::vector<std::string> record_live_profile(const Scenario& scenario, const std::filesystem::path& folder,
                                             ProgressBar& bar);

/// The batches one device works on at a time in any of the scenario's strategies, ascending.
std::vector<int> batches_used(const Scenario& scenario);

}  // namespace orrery
