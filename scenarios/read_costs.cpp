// [energy], [cost] and [[assert]]: what is charged, and what must come out.
#include "scenarios/reading.hpp"

namespace orrery {

EnergySpec read_energy(TomlTable table, const Reading& reading) {
  EnergySpec energy;
  energy.pue = table.number("pue", energy.pue, at_least_one);
  energy.blocked_fraction = table.number("blocked_fraction", energy.blocked_fraction, fraction);
  energy.wan_J_per_GB = table.number("wan_J_per_GB", energy.wan_J_per_GB, non_negative);
  if (const auto grid = table.text("grid")) {
    energy.grid = *grid;
    if (const GridIntensity* row = row_named(table, "grid", *grid, reading.catalogue.grids, "grid")) {
      energy.gCO2e_per_kWh = row->gCO2e_per_kWh;
    }
    refuse(table, "gCO2e_per_kWh", ValueType::number, "[energy] without grid", "the grid " + *grid + " has its own");
  } else {
    energy.gCO2e_per_kWh = table.number("gCO2e_per_kWh", energy.gCO2e_per_kWh, non_negative);
  }
  table.finish();
  return energy;
}

CostSpec read_cost(TomlTable table) {
  CostSpec cost;
  cost.electricity_per_kWh = table.number("electricity_per_kWh", cost.electricity_per_kWh, non_negative);
  cost.price_per_device_hour = table.number("price_per_device_hour", cost.price_per_device_hour, non_negative);
  cost.currency = table.text("currency", cost.currency);
  if (cost.currency.empty() && (cost.electricity_per_kWh > 0 || cost.price_per_device_hour > 0)) {
    table.problem("currency", "is missing", "a price without a currency says nothing", "add currency = \"EUR\"");
  }
  table.finish();
  return cost;
}

std::vector<AssertSpec> read_asserts(std::vector<TomlTable> tables, const std::vector<StrategySpec>& strategies) {
  std::vector<std::string> names;
  for (const StrategySpec& strategy : strategies) names.push_back(strategy.name);
  std::vector<AssertSpec> asserts;
  for (TomlTable& table : tables) {
    AssertSpec assertion;
    assertion.metric = table.required_text("metric");
    assertion.at = table.where("metric");
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
