#include "models/cost/measured_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "sim/base/quantile.hpp"
#include "sim/base/text.hpp"

namespace orrery {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& why, const std::string& suggestion) {
  Problem problem;
  problem.key = "workload.profile";
  problem.what = what;
  problem.why = why;
  problem.suggestion = suggestion;
  throw InvalidInput({problem});
}

std::string recorded_threads(const StepProfile& profile) {
  std::set<int> threads;
  for (const ProfileRow& row : profile.rows) threads.insert(row.threads);
  std::vector<std::string> texts;
  for (const int count : threads) texts.push_back(std::to_string(count));
  return join(texts, ", ");
}

}  // namespace

BatchCut cut_of(const StepProfile& profile, const LayerGraph& graph) {
  const bool imported = std::any_of(profile.notes.begin(), profile.notes.end(),
                                    [](const std::string& note) { return note.starts_with(imported_from); });
  return imported ? BatchCut{} : batch_cut(graph);
}

MeasuredTimes::MeasuredTimes(const StepProfile& profile, int threads, const BatchCut& cut)
    : network_(profile.network), threads_(threads), cut_(cut) {
  for (const ProfileRow& row : profile.rows) {
    if (row.threads != threads) continue;
    measured_[{row.layer, row.pass}].batches.push_back({static_cast<double>(row.batch), row.seconds});
  }
  if (measured_.empty()) {
    refuse(fmt::format("the profile of network \"{}\" has no rows with {} threads", network_, threads),
           fmt::format("recorded threads: {}", recorded_threads(profile)),
           fmt::format("choose one of them, or record with `orrery profile {} --threads {}`", network_, threads));
  }
  for (auto& [key, times] : measured_) times.shards = shards_of(times.batches);
}

/// In order; shards of as many samples become their mean.
std::vector<MeasuredTimes::Point> MeasuredTimes::shards_of(const std::vector<Point>& batches) const {
  std::map<double, std::vector<double>> by_samples;
  for (const Point& batch : batches) {
    by_samples[batch.samples / cut_.shards(batch.samples)].push_back(batch.seconds / turns(batch.samples));
  }
  std::vector<Point> shards;
  for (const auto& [samples, seconds] : by_samples) {
    const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
    shards.push_back({samples, sum / static_cast<double>(seconds.size())});
  }
  return shards;
}

double MeasuredTimes::turns(double samples) const {
  return std::ceil(cut_.shards(samples) / threads_);
}

const MeasuredTimes::Measured& MeasuredTimes::measured(const std::string& layer, Pass pass) const {
  const auto found = measured_.find({layer, pass});
  if (found == measured_.end()) {
    refuse(fmt::format("the profile of network \"{}\" lacks the {} pass of layer \"{}\" with {} threads", network_,
                       name_of(pass), layer, threads_),
           "replay needs the time of every layer",
           fmt::format("record it again with `orrery profile {}`, or use compute = \"roofline\"", network_));
  }
  return found->second;
}

double MeasuredTimes::seconds(const std::string& layer, Pass pass, double samples) const {
  const auto& [batches, shards] = measured(layer, pass);
  if (pass == Pass::optimizer) {
    std::vector<double> values;
    for (const Point& batch : batches) values.push_back(batch.seconds);
    return quantile(values, 0.5);
  }
  const auto same =
      std::find_if(batches.begin(), batches.end(), [&](const Point& batch) { return batch.samples == samples; });
  if (same != batches.end()) return same->seconds;
  return turns(samples) * shard_seconds(shards, samples / cut_.shards(samples));
}

double MeasuredTimes::shard_seconds(const std::vector<Point>& shards, double samples) {
  const Point& smallest = shards.front();
  const Point& largest = shards.back();
  if (shards.size() == 1) return smallest.seconds * samples / smallest.samples;
  const auto upper = std::lower_bound(shards.begin() + 1, shards.end() - 1, samples,
                                      [](const Point& point, double value) { return point.samples < value; });
  const Point& a = *(upper - 1);
  const Point& b = *upper;
  const double line = a.seconds + (b.seconds - a.seconds) * (samples - a.samples) / (b.samples - a.samples);
  if (samples < smallest.samples) return std::max(line, smallest.seconds * samples / smallest.samples);
  return samples > largest.samples ? std::max(line, largest.seconds) : line;
}

}  // namespace orrery
