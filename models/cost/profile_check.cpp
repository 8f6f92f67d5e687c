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

double foretell(const StepProfile& known, const StepProfile& asked, int threads, const BatchCut& cut) {
  const MeasuredTimes times(known, threads, cut);
  double sum = 0;
  for (const ProfileRow& row : asked.rows) sum += times.seconds(row.layer, row.pass, row.batch);
  return sum;
}

const Layer* layer_of(const LayerGraph& graph, const std::string& name) {
  const auto found =
      std::find_if(graph.layers.begin(), graph.layers.end(), [&](const Layer& layer) { return layer.name == name; });
  return found == graph.layers.end() ? nullptr : &*found;
}

/// What a step on several threads costs beside the shared-out work.
class ThreadCosts {
 public:
  ThreadCosts(const LayerGraph& graph, int threads) : graph_(graph), threads_(threads) {
    for (const Layer& layer : graph.layers) trained_ += static_cast<double>(trainable_parameters(layer));
  }

  [[nodiscard]] double share(const ProfileRow& row) const {
    return row.pass == Pass::optimizer ? optimizer_share(row) : busiest_share(graph_, row.batch, threads_);
  }

  /// Seconds of the layer's weights and gradients on their way between the cores: forward reads the weights that other
  /// threads updated, backward takes the memory of gradients back from them, the optimizer reads gradients that they
  /// made and takes the weights back. What does not fit into a core's cache comes from the shared one in any case.
  [[nodiscard]] double moving(const ProfileRow& row) const {
    if (batch_shards(graph_, row.batch) == 1) return 0;
    constexpr double bytes_per_second = 22e9, bytes = 4;
    const double fits = std::min(1.0, core_cache_bytes / (2 * bytes * trained_));
    const double crossings = row.pass == Pass::optimizer ? 2 : 1;
    return crossings * bytes * parameters_of(row) * fits * (1 - 1.0 / threads_) / bytes_per_second;
  }

 private:
  [[nodiscard]] double parameters_of(const ProfileRow& row) const {
    const Layer* layer = layer_of(graph_, row.layer);
    return layer == nullptr ? 0.0 : static_cast<double>(trainable_parameters(*layer));
  }
  [[nodiscard]] double optimizer_share(const ProfileRow& row) const {
    const std::int64_t sharing =
        update_threads(static_cast<std::int64_t>(trained_), batch_shards(graph_, row.batch), threads_);
    const double blocks = std::max(1.0, std::ceil(trained_ / static_cast<double>(weights_per_update)));
    return std::ceil(blocks / static_cast<double>(sharing)) / blocks;
  }

  const LayerGraph& graph_;
  int threads_;
  double trained_ = 0;
};

}  // namespace

std::vector<Foretold> leave_one_out(const StepProfile& profile, const BatchCut& cut) {
  std::vector<Foretold> results;
  std::map<int, int> batches;
  const std::map<Case, double> measured = step_seconds(profile);
  for (const auto& [at, seconds] : measured) ++batches[at.first];
  for (const auto& [at, seconds] : measured) {
    const int threads = at.first, batch = at.second;
    if (batches[threads] < 3) continue;
    const auto is_case = [&](const ProfileRow& row) { return row.threads == threads && row.batch == batch; };
    const auto is_other = [&](const ProfileRow& row) { return row.threads == threads && row.batch != batch; };
    results.push_back(
        {batch, threads, seconds, foretell(only(profile, is_other), only(profile, is_case), threads, cut)});
  }
  return results;
}

StepProfile derive_threads(const StepProfile& profile, const LayerGraph& graph, int threads) {
  StepProfile derived = only(profile, [](const ProfileRow& row) { return row.threads == 1; });
  derived.notes.push_back(fmt::format("rows for {} threads derived from those for one", threads));
  const ThreadCosts costs(graph, threads);
  for (ProfileRow& row : derived.rows) {
    const double alone = row.seconds;
    row.seconds = alone * costs.share(row) + costs.moving(row);
    if (alone > 0) {
      row.seconds_low *= row.seconds / alone;
      row.seconds_high *= row.seconds / alone;
      row.achieved_GFLOPS *= alone / row.seconds;
    }
    row.threads = threads;
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
