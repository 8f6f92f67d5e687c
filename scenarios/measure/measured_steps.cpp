#include "scenarios/measure/measured_steps.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/quantile.hpp"

namespace orrery {

std::vector<MeasuredStep> steps_of_all(const ByRank& seconds, const ByRank& losses, const ByRank& predictions) {
  std::vector<MeasuredStep> steps(seconds.front().size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    double slowest = 0, loss = 0, count = 0;
    for (std::size_t rank = 0; rank < seconds.size(); ++rank) {
      slowest = std::max(slowest, seconds[rank][i]);
      loss += losses[rank][i];
      count += predictions[rank][i];
    }
    steps[i] = {static_cast<std::int64_t>(i + 1), Seconds(slowest), count > 0 ? loss / count : 0.0};
  }
  return steps;
}

std::size_t median_step(const std::vector<MeasuredStep>& steps, std::int64_t warm_up) {
  std::vector<std::size_t> order(steps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto left_out = std::min(static_cast<std::size_t>(warm_up), order.size() - 1);
  order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(left_out));
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return steps[a].time < steps[b].time; });
  return order[(order.size() - 1) / 2];
}

MeasuredSteps spread(const std::vector<MeasuredStep>& steps, std::int64_t warm_up) {
  std::vector<double> counted;
  for (const MeasuredStep& step : steps) {
    if (step.step > warm_up) counted.push_back(step.time.value());
  }
  if (counted.empty()) counted.push_back(steps.back().time.value());
  return {counted.size(), Seconds(quantile(counted, 0.1)), Seconds(quantile(counted, 0.5)),
          Seconds(quantile(counted, 0.9))};
}

}  // namespace orrery
