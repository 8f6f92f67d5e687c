#include "models/cost/measured_times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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

MeasuredTimes::MeasuredTimes(const StepProfile& profile, int threads) : network_(profile.network), threads_(threads) {
  for (const ProfileRow& row : profile.rows) {
    if (row.threads != threads) continue;
    points_[{row.layer, row.pass}].push_back({static_cast<double>(row.batch), row.seconds});
  }
  if (points_.empty()) {
    refuse(fmt::format("the profile of network \"{}\" has no rows with {} threads", network_, threads),
           fmt::format("recorded threads: {}", recorded_threads(profile)),
           fmt::format("choose one of them, or record with `orrery profile {} --threads {}`", network_, threads));
  }
  for (auto& [key, points] : points_) {
    std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.batch < b.batch; });
  }
}

const std::vector<MeasuredTimes::Point>& MeasuredTimes::points(const std::string& layer, Pass pass) const {
  const auto found = points_.find({layer, pass});
  if (found == points_.end()) {
    refuse(fmt::format("the profile of network \"{}\" lacks the {} pass of layer \"{}\" with {} threads", network_,
                       name_of(pass), layer, threads_),
           "replay needs the time of every layer",
           fmt::format("record it again with `orrery profile {}`, or use compute = \"roofline\"", network_));
  }
  return found->second;
}

double MeasuredTimes::seconds(const std::string& layer, Pass pass, double samples) const {
  const std::vector<Point>& measured = points(layer, pass);
  const Point& smallest = measured.front();
  const Point& largest = measured.back();
  if (pass == Pass::optimizer) {
    std::vector<double> values;
    for (const Point& point : measured) values.push_back(point.seconds);
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
  }
  if (measured.size() == 1) return smallest.seconds * samples / smallest.batch;
  auto upper = std::lower_bound(measured.begin() + 1, measured.end() - 1, samples,
                                [](const Point& point, double value) { return point.batch < value; });
  const Point& a = *(upper - 1);
  const Point& b = *upper;
  const double line = a.seconds + (b.seconds - a.seconds) * (samples - a.batch) / (b.batch - a.batch);
  if (samples < smallest.batch) return std::max(line, smallest.seconds * samples / smallest.batch);
  return samples > largest.batch ? std::max(line, largest.seconds) : line;
}

}  // namespace orrery
