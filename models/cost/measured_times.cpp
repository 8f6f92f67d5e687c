#include "models/cost/measured_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "sim/base/quantile.hpp"
#include "sim/base/text.hpp"

namespace orrery {

namespace {

// Sizes nearer than this make no slope: two times with noise of 2 % each, at sizes a tenth apart, may give one that is
// wrong by two fifths of the time per sample (the tenth is assumed).
constexpr double one_size = 1.1;

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
  for (auto& [key, times] : measured_) {
    std::sort(times.batches.begin(), times.batches.end(),
              [](const Point& a, const Point& b) { return a.samples < b.samples; });
    times.shards = shards_of(times.batches);
  }
}

/// In order; shards of about as many samples become their mean.
std::vector<MeasuredTimes::Point> MeasuredTimes::shards_of(const std::vector<Point>& batches) const {
  std::vector<Point> all;
  for (const Point& batch : batches) {
    all.push_back({batch.samples / cut_.shards(batch.samples), batch.seconds / turns(batch.samples)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Point& a, const Point& b) { return a.samples < b.samples; });
  std::vector<Point> shards;
  for (auto first = all.begin(); first != all.end();) {
    const double most = first->samples * one_size;
    const auto end = std::find_if(first, all.end(), [&](const Point& shard) { return shard.samples > most; });
    Point sum;
    for (auto shard = first; shard != end; ++shard) sum = {sum.samples + shard->samples, sum.seconds + shard->seconds};
    const auto count = static_cast<double>(end - first);
    shards.push_back({sum.samples / count, sum.seconds / count});
    first = end;
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
  if (shards.size() == 1) return seconds_on_line(batches, samples);
  return turns(samples) * seconds_on_line(shards, samples / cut_.shards(samples));
}

double MeasuredTimes::seconds_on_line(const std::vector<Point>& points, double samples) {
  const Point& smallest = points.front();
  const Point& largest = points.back();
  if (points.size() == 1) return smallest.seconds * samples / smallest.samples;
  const auto upper = std::lower_bound(points.begin() + 1, points.end() - 1, samples,
                                      [](const Point& point, double value) { return point.samples < value; });
  const Point& a = *(upper - 1);
  const Point& b = *upper;
  const double line = a.seconds + (b.seconds - a.seconds) * (samples - a.samples) / (b.samples - a.samples);
  if (samples < smallest.samples) return std::max(line, smallest.seconds * samples / smallest.samples);
  return samples > largest.samples ? std::max(line, largest.seconds) : line;
}

}  // namespace orrery
