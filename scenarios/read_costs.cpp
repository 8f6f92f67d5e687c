// [energy], [cost] and [[assert]]: what is charged, and what must come out.
#include "scenarios/reading.hpp"

namespace orrery {
namespace {

// Far above what anybody pays or draws: what lies beyond is a slip, and would fill the table with digits.
constexpr Range pue_range{1.0, 10.0};       // 1: nothing but the machines; old server rooms are near 3
constexpr Range price_range{0.0, 1e9};      // of a device-hour or a kWh; 10 dollars are 10 million in some currencies
constexpr Range carbon_range{0.0, 1e4};     // g/kWh; lignite is near 1,200
constexpr Range power_range{0.0, 1e6};      // W of a gateway or an access line
constexpr Range devices_range{1.0, 1e6};    // that share a gateway
constexpr Range intensity_range{0.0, 1e3};  // kWh per GB; estimates for the year 2000 are near 140
constexpr Range joules_range{0.0, 3.6e9};   // the same in J per GB

void read_network_energy(TomlTable& table, EnergySpec& energy) {
  static const Names<NetworkEnergy> names = {{"power", NetworkEnergy::power}, {"intensity", NetworkEnergy::intensity}};
  energy.network = choose(table, "network", names, energy.network);
  const auto figure = [&](const char* key, NetworkEnergy model, double usual, Range range) {
    if (energy.network == model) return table.number(key, usual, range);
    refuse(table, key, ValueType::number, "network = " + text_of(names, model),
           "the network here is counted by " + text_of(names, energy.network) + ", and the two are never mixed");
    return usual;
  };
  using enum NetworkEnergy;
  energy.wan_J_per_GB = figure("wan_J_per_GB", power, energy.wan_J_per_GB, joules_range);
  energy.gateway = Watts(figure("gateway_W", power, energy.gateway.value(), power_range));
  energy.gateway_devices = figure("gateway_devices", power, energy.gateway_devices, devices_range);
  energy.access_line = Watts(figure("access_line_W", power, energy.access_line.value(), power_range));
  energy.fixed_kWh_per_GB = figure("fixed_kWh_per_GB", intensity, energy.fixed_kWh_per_GB, intensity_range);
  energy.mobile_kWh_per_GB = figure("mobile_kWh_per_GB", intensity, energy.mobile_kWh_per_GB, intensity_range);
}

void check_metric(TomlTable& table, const std::string& metric, const MetricNames& metrics) {
  const auto is_in = [&metric](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), metric) != names.end();
  };
  if (metrics.numbers.empty() || is_in(metrics.numbers)) return;
  if (is_in(metrics.texts)) {
    table.problem("metric", "\"" + metric + "\" is text, not a number", "min and max are bounds of numbers",
                  "see `orrery list columns` for those with a unit");
  } else {
    table.problem("metric", "unknown metric \"" + metric + "\"", "it must be a column of results.csv",
                  did_you_mean(metric, metrics.numbers, "orrery list columns"));
  }
}

}  // namespace

EnergySpec read_energy(TomlTable table, const Reading& reading) {
  EnergySpec energy;
  energy.pue = table.number("pue", energy.pue, pue_range);
  energy.blocked_fraction = table.number("blocked_fraction", energy.blocked_fraction, fraction);
  read_network_energy(table, energy);
  if (const auto grid = table.text("grid")) {
    energy.grid = *grid;
    if (const GridIntensity* row = row_named(table, "grid", *grid, reading.catalogue.grids, "grid")) {
      energy.gCO2e_per_kWh = row->gCO2e_per_kWh;
    }
    refuse(table, "gCO2e_per_kWh", ValueType::number, "[energy] without grid", "the grid " + *grid + " has its own");
  } else {
    energy.gCO2e_per_kWh = table.number("gCO2e_per_kWh", energy.gCO2e_per_kWh, carbon_range);
  }
  table.finish();
  return energy;
}

CostSpec read_cost(TomlTable table) {
  CostSpec cost;
  cost.electricity_per_kWh = table.number("electricity_per_kWh", cost.electricity_per_kWh, price_range);
  cost.price_per_device_hour = table.number("price_per_device_hour", cost.price_per_device_hour, price_range);
  cost.currency = table.text("currency", cost.currency);
  const bool is_no_name = !cost.currency.empty() && !check_name(table, "currency", cost.currency);
  if (is_no_name) cost.currency.clear();
  if (cost.currency.empty() && !is_no_name && (cost.electricity_per_kWh > 0 || cost.price_per_device_hour > 0)) {
    table.problem("currency", "is missing", "a price without a currency says nothing", "add currency = \"EUR\"");
  }
  table.finish();
  return cost;
}

std::vector<AssertSpec> read_asserts(std::vector<TomlTable> tables, const std::vector<StrategySpec>& strategies,
                                     const MetricNames& metrics) {
  std::vector<std::string> names;
  for (const StrategySpec& strategy : strategies) names.push_back(strategy.name);
  std::vector<AssertSpec> asserts;
  for (TomlTable& table : tables) {
    AssertSpec assertion;
    if (!table.has("metric")) table.required_text("metric");
    const std::optional<std::string> metric = table.text("metric");
    assertion.metric = metric.value_or("");
    assertion.at = table.where("metric");
    if (metric) check_metric(table, *metric, metrics);
    assertion.strategy = table.choice("strategy", names, "");
    assertion.min = table.number("min");
    assertion.max = table.number("max");
    if (!table.has("min") && !table.has("max")) {
      table.problem("min", "is missing", "nothing is asserted", "add min, max or both");
    } else if (assertion.min && assertion.max && *assertion.min > *assertion.max) {
      table.problem("min", "is above max", "no value is between them");
    }
    table.finish();
    asserts.push_back(std::move(assertion));
  }
  return asserts;
}

}  // namespace orrery
