#include "scenarios/search/layout_examiner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "scenarios/search/step_use.hpp"

namespace orrery {
namespace {

struct Scale {
  double size;
  const char* unit;
};
using Scales = std::vector<Scale>;  // ascending

/// Without an exponent, whatever its size.
std::string decimal(double value, int digits) {
  const int before_point = value > 0 ? static_cast<int>(std::floor(std::log10(value))) + 1 : 1;
  std::string text = fmt::format("{:.{}f}", value, std::max(0, digits - before_point));
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

/// The measured figure and the allowed one in the unit of the allowed one, with as many digits as tell them apart:
/// "43.6 of 20 kJ".
std::string figures_text(double value, double limit, const Scales& scales) {
  Scale unit = scales.front();
  for (const Scale& scale : scales) {
    if (limit >= scale.size) unit = scale;
  }
  constexpr int fewest = 3, most = 17;
  std::string measured, allowed;
  for (int digits = fewest; measured == allowed && digits <= most; ++digits) {
    measured = decimal(value / unit.size, digits), allowed = decimal(limit / unit.size, digits);
  }
  return fmt::format("{} of {}{}", measured, allowed, unit.unit);
}

/// All limits that it is beyond, by the most that it is beyond one.
std::optional<Broken> broken_limits(const Candidate& candidate, const SearchLimits& limits) {
  static const Scales gibibytes = {{1, " GiB"}}, money = {{1, ""}};
  static const Scales seconds = {{1e-6, " us"}, {1e-3, " ms"}, {1, " s"}};
  static const Scales joules = {{1e-3, " mJ"}, {1, " J"}, {1e3, " kJ"}, {1e6, " MJ"}, {1e9, " GJ"}, {1e12, " TJ"}};
  struct Check {
    double value;
    const std::optional<double>& limit;
    const char* what;
    const Scales& scales;
  };
  const Check checks[] = {{candidate.memory_GiB, limits.memory_GiB, "memory", gibibytes},
                          {candidate.step_s, limits.step_s, "step", seconds},
                          {candidate.cost, limits.cost, "cost of a step", money},
                          {candidate.energy_J, limits.energy_J, "energy of a step", joules}};
  Broken broken;
  broken.kind = ConstraintKind::limit;
  for (const Check& check : checks) {
    if (!check.limit || check.value <= *check.limit) continue;
    broken.text += fmt::format("{}{} {}", broken.text.empty() ? "over the limit: " : " and ", check.what,
                               figures_text(check.value, *check.limit, check.scales));
    broken.excess = std::max(broken.excess, check.value / *check.limit);
  }
  if (broken.text.empty()) return std::nullopt;
  return broken;
}

}  // namespace

std::string over_limit(const Candidate& candidate, const SearchLimits& limits) {
  const auto broken = broken_limits(candidate, limits);
  return broken ? broken->text : std::string();
}

std::optional<Candidate> LayoutExaminer::examine(const Layout& layout, Broken& broken) {
  const std::vector<std::string> obstacles = judge_.obstacles(layout);
  if (!obstacles.empty()) {
    broken.text = obstacles.front();
    return std::nullopt;
  }
  // Most layouts fail here, and the time of a pipeline may have to be replayed.
  if (over_memory(judge_.memory(layout), broken)) return std::nullopt;
  const StepPrediction step = judge_.predict(layout);
  Candidate candidate = figures_of(layout, step);
  add_costs(step, candidate);
  if (auto beyond = broken_limits(candidate, spec_.limits)) {
    broken = std::move(*beyond);
    return std::nullopt;
  }
  return candidate;
}

Candidate LayoutExaminer::figures_of(const Layout& layout, const StepPrediction& step) const {
  Candidate candidate;
  candidate.layout = layout;
  candidate.step_s = step.time().value();
  candidate.memory_GiB = step.memory.peak().value() / gibi;
  const double peak = peak_of(layout.devices()) * candidate.step_s;
  candidate.mfu = peak > 0 ? step.model_flops.value() / peak : 0.0;
  return candidate;
}

void LayoutExaminer::add_costs(const StepPrediction& step, Candidate& candidate) {
  const auto found = prices_.find(candidate.layout.devices());
  if (found == prices_.end()) return;
  const DevicePrices& prices = found->second;
  if (prices.computing > Watts()) candidate.energy_J = energy(step, candidate.layout, prices).value();
  if (prices.per_kWh > 0 && candidate.energy_J <= 0) return;
  const auto devices = static_cast<double>(candidate.layout.devices());
  candidate.cost = devices * prices.per_hour * candidate.step_s / seconds_per_hour +
                   prices.per_kWh * candidate.energy_J / joules_per_kWh;
}

/// Of the devices, the rest of their nodes and their links.
Joules LayoutExaminer::energy(const StepPrediction& step, const Layout& layout, const DevicePrices& prices) {
  const StepUse use = step_use(judge_.prices(layout), step, layout, cluster_.devices_per_node);
  const auto devices = static_cast<double>(layout.devices());
  const Seconds kept = step.time() * devices;
  const Bytes messages = std::max(Bytes(), step.sent_per_device - step.exchanged_per_device.total());
  const bool stay_in_node = stride(layout, Dimension::pp) < cluster_.devices_per_node;
  WireBytes sent = step.exchanged_per_device;
  (stay_in_node ? sent.node : sent.network) += messages;
  return prices.computing * use.computing + prices.blocked * use.blocked + prices.idle * use.idle +
         prices.node_computing * use.node_computing + prices.node_idle * (kept - use.node_computing) +
         prices.links * step.time() +
         Joules(devices * (prices.node_byte * sent.node.value() + prices.network_byte * sent.network.value()));
}

/// Of the first `devices` devices together.
double LayoutExaminer::peak_of(std::int64_t devices) const {
  double sum = 0;
  for (std::size_t group = 0; group < cluster_.groups() && devices > 0; ++group) {
    const NodeGroup& nodes = cluster_.group(group);
    const std::int64_t here = std::min(devices, std::int64_t{nodes.nodes} * nodes.devices_per_node);
    sum += nodes.device.peak_for(precision_).value() * static_cast<double>(here);
    devices -= here;
  }
  return sum;
}

bool LayoutExaminer::over_memory(const LayoutMemory& memory, Broken& broken) const {
  const Bytes capacity = cluster_.group(memory.group).device.memory;
  if (memory.peak() <= capacity) return false;
  broken = {judge_.memory_obstacle(memory), memory.peak() / capacity, ConstraintKind::memory};
  return true;
}

}  // namespace orrery
