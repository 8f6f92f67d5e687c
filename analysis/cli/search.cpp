// `orrery search`: every layout of a scenario's search space in closed form, the best of them simulated.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include "analysis/cli/command.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/cli/output_folder.hpp"
#include "analysis/cli/progress_bar.hpp"
#include "analysis/cli/search_options.hpp"
#include "analysis/cli/search_prices.hpp"
#include "analysis/metrics/spending.hpp"
#include "analysis/reports/columns.hpp"
#include "analysis/reports/search_report.hpp"
#include "scenarios/read_hybrid.hpp"
#include "scenarios/search/search_space.hpp"
#include "scenarios/search/unusable_values.hpp"
#include "scenarios/strategies/hybrid_notes.hpp"
#include "scenarios/training_job.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;

std::size_t base_index(const Scenario& scenario, const SearchSpec& spec) {
  for (std::size_t i = 0; i < scenario.strategies.size(); ++i) {
    const StrategySpec& strategy = scenario.strategies[i];
    const bool is_meant = spec.strategy.empty() || strategy.name == spec.strategy;
    if (strategy.kind == StrategyKind::hybrid && is_meant) return i;
  }
  throw UsageError("orrery search: " + scenario.name +
                   " has no strategy of kind = \"hybrid\" to vary - add one with its cluster");
}

/// What the search is asked to rank or limit by must be known. Throws UsageError.
void require_figures(const SearchSpec& spec, const DevicePrices& prices) {
  const bool is_charged = prices.per_hour > 0 || (prices.per_kWh > 0 && prices.computing > Watts());
  if (!is_charged && (spec.objective == Objective::cost || spec.limits.cost)) {
    throw UsageError(
        "orrery search: layouts are to be judged by their cost, but nothing says what a device costs - add "
        "cost.price_per_device_hour, cost.electricity_per_kWh, or a system with a price (orrery show system NAME)");
  }
  if (prices.computing <= Watts() && (spec.objective == Objective::energy || spec.limits.energy_J)) {
    throw UsageError(
        "orrery search: layouts are to be judged by their energy, but the catalogue does not know what the device "
        "draws "
        "- choose a device with typical_W or maximum_W (orrery show device NAME)");
  }
}

/// The best by the objective, then what else is on the front, each once.
std::vector<FoundLayout> shown_layouts(const SearchResult& result, int top) {
  std::vector<FoundLayout> found;
  for (std::size_t i = 0; i < result.candidates.size(); ++i) {
    if (i >= static_cast<std::size_t>(top) && !result.candidates[i].on_front) continue;
    FoundLayout one;
    one.closed_form = result.candidates[i];
    one.rank = i + 1;
    found.push_back(std::move(one));
  }
  return found;
}

/// What makes the base strategy this layout.
std::vector<std::string> layout_overrides(const Layout& layout, std::size_t index, const LayerGraph& network) {
  std::vector<std::string> overrides;
  const auto add = [&](std::string_view key, const std::string& value) {
    overrides.push_back(fmt::format("strategy.{}.{}={}", index, key, value));
  };
  const auto number = [&](std::string_view key, std::int64_t value) { add(key, std::to_string(value)); };
  number("devices", layout.devices()), number("dp", layout.dp), number("tp", layout.tp), number("pp", layout.pp);
  number("cp", layout.cp), number("ep", layout.ep), number("zero_stage", layout.zero_stage);
  if (may_have_experts(network)) number("etp", expert_tensor_degree(layout));
  number("zero_group", layout.zero_group);
  number("microbatch", layout.microbatch), number("interleave", layout.interleave);
  add("recompute", fmt::format("\"{}\"", name_of(layout.recompute)));
  add("schedule", fmt::format("\"{}\"", name_of(layout.schedule)));
  add("sequence_parallel", layout.sequence_parallel == SequenceParallel::on ? "true" : "false");
  return overrides;
}

struct Request {
  std::string file;
  std::vector<std::string> overrides;
  Catalogue catalogue;
  Scenario scenario;
  SearchSpec spec;
  std::size_t index = 0;  // of the hybrid strategy that is varied
  [[nodiscard]] const StrategySpec& base() const { return scenario.strategies[index]; }
};

Request read_request(const po::variables_map& values) {
  Request request{scenario_file(values), {}, load_catalogue(), {}, {}};
  require_free("search", values);
  request.overrides = search_overrides(values);
  request.scenario = read_scenario(request.file, request.overrides, request.catalogue, metric_names());
  request.spec = request.scenario.search.value_or(SearchSpec{});
  if (const auto folder = output_folder(values)) {
    refuse_inputs_in("search", *folder, {"search.csv"}, request.scenario);
  }
  request.index = base_index(request.scenario, request.spec);
  request.spec.devices = asked_devices(request.scenario, request.index);
  return request;
}

/// What else the scenario says need not go with every layout: a straggler's rank may lie beyond its devices.
std::optional<Scenario> scenario_with(const Request& request, const std::vector<std::string>& overrides,
                                      FoundLayout& found) {
  try {
    return read_scenario(request.file, overrides, request.catalogue);
  } catch (const InvalidInput& invalid) {
    found.status = "invalid";
    found.problem = invalid.what();
    return std::nullopt;
  }
}

/// What limits are held against once it is simulated.
Candidate simulated_figures(const FoundLayout& found) {
  Candidate figures = found.closed_form;
  figures.step_s = found.simulated_step_s.value_or(figures.step_s);
  figures.cost = found.simulated_cost.value_or(figures.cost);
  figures.energy_J = found.simulated_energy_J.value_or(figures.energy_J);
  return figures;
}

void simulate_layout(const Request& request, const Progress& progress, FoundLayout& found) {
  std::vector<std::string> overrides = request.overrides;
  const LayerGraph& network = request.scenario.workload.network;
  for (std::string& text : layout_overrides(found.closed_form.layout, request.index, network)) {
    overrides.push_back(std::move(text));
  }
  const std::optional<Scenario> scenario = scenario_with(request, overrides, found);
  if (!scenario) return;
  const std::vector<Way> ways = {simulate_in_child(*scenario, request.index, overrides, {scenario->engine, progress})};
  const ResultRow row = result_rows(*scenario, ways).front();
  found.status = std::string(name_of(row.way->status));
  if (!row.simulated()) return;
  found.simulated_step_s = row.time.step.value();
  if (row.step_energy) found.simulated_energy_J = row.step_energy->total().value();
  found.simulated_cost = row.step_cost;
  if (row.way->layout) found.step_range = row.way->layout->step_time;
  found.over_limit = over_limit(simulated_figures(found), request.spec.limits);
}

int threads_of(const po::variables_map& values) {
  if (values.count("threads") != 0) {
    const int threads = values["threads"].as<int>();
    if (threads < 1) throw UsageError(fmt::format("orrery search: --threads {} must be at least 1", threads));
    return threads;
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

struct Findings {
  SearchResult result;
  std::vector<FoundLayout> shown;
  std::vector<std::string> unusable;  // values of [search] that no layout can have
  std::string left_out;               // of the closed form, by which layouts are ranked
};

/// Judges all layouts, then simulates the best.
Findings search(const Request& request, const po::variables_map& values) {
  ProgressBar bar(verbosity_of(values));
  const SearchSpec& spec = request.spec;
  const TrainingJob job = training_job(request.scenario, request.base());
  const std::vector<Layout> layouts = search_space(spec, job, request.base().hybrid.layout);
  const PricesByDevices prices = prices_for(request.scenario, request.base(), layouts);
  require_figures(spec, prices.at(job.cluster.devices()));
  Findings findings;
  findings.left_out = left_out_of_closed_form(request.base().hybrid);
  findings.unusable = unusable_values(spec, spec.devices.value_or(job.cluster.devices()), layouts);
  findings.result = search_layouts(job, layouts, spec, prices, threads_of(values),
                                   [&bar](double share) { bar.show("judging layouts", share, {}); });
  make_folder("search", values);
  findings.shown = shown_layouts(findings.result, spec.top);
  for (std::size_t i = 0; i < findings.shown.size() && i < static_cast<std::size_t>(spec.top); ++i) {
    simulate_layout(request, bar.callback(), findings.shown[i]);
  }
  return findings;
}

ExitCode report(const Findings& findings, const Request& request, SearchFile file) {
  for (const std::string& value : findings.unusable) std::cout << "not tried: " << value << '\n';
  if (!findings.left_out.empty()) std::cout << findings.left_out << '\n';
  std::cout << rejections_text(findings.result);
  if (findings.result.judged == 0) {
    std::cerr << "orrery: there is no layout to judge: "
              << (findings.unusable.empty() ? "a list is empty" : findings.unusable.front()) << '\n';
    return ExitCode::infeasible;
  }
  if (findings.result.candidates.empty()) {
    std::cerr << "orrery: no layout is feasible; nearest to it is " << nearest_constraint(findings.result) << '\n';
    return ExitCode::infeasible;
  }
  const std::string currency = prices_of(request.scenario, request.base()).currency;
  std::cout << '\n' << search_table(findings.shown, currency, request.spec.top, file);
  const auto failed = [](const FoundLayout& one) { return one.status == "failed"; };
  return std::any_of(findings.shown.begin(), findings.shown.end(), failed) ? ExitCode::bug : ExitCode::ok;
}

}  // namespace

ExitCode search_command(const Arguments& arguments) {
  const auto values = parse(search_spec(), arguments);
  if (!values) return ExitCode::ok;
  const Request request = read_request(*values);
  const Findings findings = search(request, *values);
  const auto folder = output_folder(*values);
  if (folder) write_file(*folder / "search.csv", search_csv(findings.shown));
  return report(findings, request, folder ? SearchFile::written : SearchFile::none);
}

}  // namespace orrery
