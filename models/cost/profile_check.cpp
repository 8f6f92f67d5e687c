#include "models/cost/profile_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "models/cost/measured_times.hpp"
#include "models/cost/shards.hpp"

namespace orrery {
namespace {

using Case = std::pair<int, int>;  // threads, batch

std::map<Case, double> step_seconds(const StepProfile& profile) {
  std::map<Case, double> seconds;
  for (const ProfileRow& row : profile.rows) seconds[{row.threads, row.batch}] += row.seconds;
  return seconds;
}

StepProfile only(const StepProfile& profile, const auto& wanted) {
  StepProfile part{.network = profile.network, .notes = profile.notes, .rows = {}};
  std::copy_if(profile.rows.begin(), profile.rows.end(), std::back_inserter(part.rows), wanted);
  return part;
}

double foretell(const StepProfile& known, const StepProfile& asked, int threads) {
  const MeasuredTimes times(known, threads);
  double sum = 0;
  for (const ProfileRow& row : asked.rows) sum += times.seconds(row.layer, row.pass, row.batch);
  return sum;
}

const Layer* layer_of(const LayerGraph& graph, const std::string& name) {
  const auto found =
      std::find_if(graph.layers.begin(), graph.layers.end(), [&](const Layer& layer) { return layer.name == name; });
  return found == graph.layers.end() ? nullptr : &*found;
}

double optimizer_share(const Layer* layer, int threads) {
  constexpr double block = 16384;  // weights per task of the optimizer
  const double weights = layer == nullptr ? 0.0 : static_cast<double>(parameters(*layer));
  const double blocks = std::max(1.0, std::ceil(weights / block));
  return std::ceil(blocks / threads) / blocks;
}

}  // namespace

std::vector<Foretold> leave_one_out(const StepProfile& profile) {
  std::vector<Foretold> results;
  std::map<int, int> batches;
  const std::map<Case, double> measured = step_seconds(profile);
  for (const auto& [at, seconds] : measured) ++batches[at.first];
  for (const auto& [at, seconds] : measured) {
    const auto [threads, batch] = at;
    if (batches[threads] < 3) continue;
    const auto is_case = [&](const ProfileRow& row) { return row.threads == threads && row.batch == batch; };
    const auto is_other = [&](const ProfileRow& row) { return row.threads == threads && row.batch != batch; };
    results.push_back({batch, threads, seconds, foretell(only(profile, is_other), only(profile, is_case), threads)});
  }
  return results;
}

StepProfile derive_threads(const StepProfile& profile, const LayerGraph& graph, int threads) {
  StepProfile derived = only(profile, [](const ProfileRow& row) { return row.threads == 1; });
  derived.notes.push_back(fmt::format("rows for {} threads derived from those for one", threads));
  for (ProfileRow& row : derived.rows) {
    const double share = row.pass == Pass::optimizer ? optimizer_share(layer_of(graph, row.layer), threads)
                                                     : busiest_share(graph, row.batch, threads);
    row.threads = threads;
    row.seconds *= share;
    row.seconds_low *= share;
    row.seconds_high *= share;
    row.achieved_GFLOPS /= share;
  }
  return derived;
}

std::vector<Foretold> threads_from_one(const StepProfile& profile, const LayerGraph& graph) {
  std::vector<Foretold> results;
  const std::map<Case, double> measured = step_seconds(profile);
  for (const auto& [at, seconds] : measured) {
    const auto [threads, batch] = at;
    if (threads == 1 || !measured.contains({1, batch})) continue;
    const std::map<Case, double> derived = step_seconds(derive_threads(profile, graph, threads));
    results.push_back({batch, threads, seconds, derived.at({threads, batch})});
  }
  return results;
}

}  // namespace orrery
