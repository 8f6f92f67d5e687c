// `orrery run`: the whole way from a scenario file to the comparison.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>

#include "analysis/cli/assertions.hpp"
#include "analysis/cli/command.hpp"
#include "analysis/cli/dump.hpp"
#include "analysis/cli/live_profile.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/cli/output_folder.hpp"
#include "analysis/cli/version.hpp"
#include "analysis/reports/columns.hpp"
#include "analysis/reports/reports.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

CommandSpec run_spec() {
  CommandSpec spec;
  spec.name = "run";
  spec.summary = "simulate every strategy of a scenario; print and write the comparison";
  spec.examples = {"orrery run scenarios/quickstart.toml",
                   "orrery run scenarios/quickstart.toml -o out/quickstart --profile live",
                   "orrery run scenarios/data.toml --set strategy.ring.devices=4 --json", "orrery run my.toml --check"};
  spec.positional = {"SCENARIO"};
  spec.options.add_options()(
      "output,o", po::value<std::string>()->value_name("DIR"),
      "folder for results.csv, layers.csv, links.csv, curve.csv, timeline.csv, resolved.toml, provenance.json and, of "
      "co-simulated strategies, clients.csv")("events", "write events.csv, too: every trip's, in the order of time")(
      "force", "overwrite the results that DIR already holds")(
      "engine", po::value<std::string>()->value_name("NAME"),
      "flow (contended network, SimGrid) or closed-form; default: the scenario's")(
      "profile", po::value<std::string>()->value_name("WHICH")->default_value("stored"),
      "stored: the profile that the scenario names; live: execute and record anew on this machine")(
      "check", "read and check the scenario, and say which of its ways cannot be; run nothing")(
      "dump", po::value<std::string>()->value_name("STAGE"),
      "print one stage and stop: scenario, workload, cluster, program, records")(
      "strategy", po::value<std::string>()->value_name("NAME"),
      "this strategy alone, also of --check and --dump; default: all, of --dump the first")(
      "json", "print the rows as JSON instead of the table")("quiet,q", "no progress bar");
  add_scenario_options(spec.options);
  return spec;
}

EngineKind engine_of(const std::string& name) {
  const std::vector<std::string> names = {"flow", "closed-form"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw UsageError(fmt::format("orrery run: unknown engine \"{}\" ({})", name, did_you_mean(name, names)));
  return found == names.begin() ? EngineKind::flow : EngineKind::closed_form;
}

struct Request {
  Scenario scenario;
  std::vector<std::string> overrides;
  std::optional<std::size_t> only{};  // the strategy that is named

  /// Its name; empty: all run.
  [[nodiscard]] std::string only_name() const { return only ? scenario.strategies[*only].name : std::string{}; }
};

void write_trips(const fs::path& folder, const std::vector<ResultRow>& rows, const po::variables_map& values) {
  const auto cosimulated = [](const ResultRow& row) { return row.cosimulated(); };
  if (std::any_of(rows.begin(), rows.end(), cosimulated)) write_file(folder / "clients.csv", clients_csv(rows));
  if (values.count("events") != 0) write_file(folder / "events.csv", events_csv(rows));
  for (const std::string& name : left_out_of_timeline(rows)) {
    std::cerr << "orrery: " << name << " has too many trips for timeline.csv and is left out of it\n";
  }
}

/// Of an earlier run, what the next one may not write again; results.csv first, as it says that all are there.
void remove_results(const fs::path& folder) {
  if (!fs::is_regular_file(folder / "results.csv")) return;
  for (const char* const file : {"results.csv", "clients.csv", "events.csv"}) fs::remove(folder / file);
}

void write_results(const po::variables_map& values, const Request& request, const std::vector<ResultRow>& rows,
                   const Catalogue& catalogue, double wall_seconds) {
  const fs::path folder = values["output"].as<std::string>();
  remove_results(folder);
  write_file(folder / "layers.csv", layers_csv(rows, catalogue));
  write_file(folder / "links.csv", links_csv(rows));
  write_file(folder / "curve.csv", curve_csv(rows));
  write_file(folder / "timeline.csv", timeline_csv(rows));
  write_trips(folder, rows, values);
  write_file(folder / "resolved.toml", resolved_toml(request.scenario));
  write_file(folder / "provenance.json",
             provenance_json(request.scenario, wall_seconds, version_text(), request.only_name()));
  write_file(folder / "results.csv", results_csv(rows));  // last: its presence says that all are there
}

ExitCode outcome(const Request& request, const std::vector<Way>& ways, const std::vector<ResultRow>& rows) {
  const auto count = [&](WayStatus status) {
    return std::count_if(ways.begin(), ways.end(), [&](const Way& way) { return way.status == status; });
  };
  if (count(WayStatus::failed) > 0) return ExitCode::bug;
  if (count(WayStatus::ok) == 0) {
    const std::string& name = request.scenario.name;
    std::cerr << (request.only ? fmt::format("orrery: strategy {} of {} is not feasible\n", request.only_name(), name)
                               : fmt::format("orrery: no strategy of {} is feasible\n", name));
    return ExitCode::infeasible;
  }
  if (request.only) {
    for (const std::string& text : unjudged_assertions(request.scenario, request.only_name()))
      std::cerr << text << '\n';
  }
  const std::vector<std::string> broken = broken_assertions(request.scenario, rows);
  for (const std::string& text : broken) std::cerr << text << '\n';
  return broken.empty() ? ExitCode::ok : ExitCode::assertion_failed;
}

/// The file is right, and which of its ways (or of the `only` one) cannot be or fail, as a run would say.
ExitCode print_check(const Scenario& scenario, std::optional<std::size_t> only, const Catalogue& catalogue) {
  std::string broken;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < scenario.strategies.size(); ++i) {
    if (only.value_or(i) != i) continue;
    const Way way = check_way(scenario, i, catalogue);
    if (way.status == WayStatus::ok) continue;
    broken += fmt::format("{}: {}: {}\n", way.strategy, name_of(way.status), way.error);
    failed += way.status == WayStatus::failed ? 1 : 0;
  }
  const std::size_t count = only ? 1 : scenario.strategies.size();
  const std::string strategies = fmt::format("{} {}", count, count == 1 ? "strategy" : "strategies");
  std::cout << scenario.file << ": ";
  std::cout << (failed == 0 ? fmt::format("ok, {}\n", strategies)
                            : fmt::format("{} of {} {}\n", failed, strategies, failed == 1 ? "fails" : "fail"));
  std::cout << broken;
  return failed == 0 ? ExitCode::ok : ExitCode::bug;
}

/// The folder that a live profile is written to: the output's, or one of its own.
fs::path profile_folder(const po::variables_map& values) {
  return values.count("output") != 0 ? fs::path(values["output"].as<std::string>())
                                     : fs::temp_directory_path() / fmt::format("orrery-profile-{}", ::getpid());
}

/// The strategy that is named; nothing: none is. Throws UsageError when it is unknown.
std::optional<std::size_t> named_strategy(const po::variables_map& values, const Scenario& scenario) {
  if (values.count("strategy") == 0) return std::nullopt;
  const std::string name = text_of(values, "strategy");
  std::vector<std::string> names;
  for (const StrategySpec& strategy : scenario.strategies) names.push_back(strategy.name);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw UsageError(fmt::format("orrery run: unknown strategy \"{}\" ({})", name, did_you_mean(name, names)));
  return static_cast<std::size_t>(found - names.begin());
}

/// Files of an earlier run may be replaced, but none that this one reads (its scenario may be a resolved.toml).
void refuse_to_replace_inputs(const po::variables_map& values, const Scenario& scenario) {
  if (values.count("output") == 0) return;
  std::vector<std::string> names = {"results.csv",  "layers.csv",    "links.csv",       "curve.csv", "clients.csv",
                                    "timeline.csv", "resolved.toml", "provenance.json", "events.csv"};
  if (values["profile"].as<std::string>() == "live") names.insert(names.end(), {"profile.csv", "host.csv"});
  refuse_inputs_in("run", values["output"].as<std::string>(), names, scenario);
}

Request read_request(const po::variables_map& values, const Catalogue& catalogue, ProgressBar& bar) {
  const std::string file = scenario_file(values);
  Request request{{}, overrides_of(values)};
  if (values.count("engine") != 0)
    request.overrides.push_back("scenario.engine=\"" +
                                std::string(name_of(engine_of(values["engine"].as<std::string>()))) + "\"");
  request.scenario = read_scenario(file, request.overrides, catalogue, metric_names());
  request.only = named_strategy(values, request.scenario);
  refuse_to_replace_inputs(values, request.scenario);
  const std::string profile = values["profile"].as<std::string>();
  if (profile != "stored" && profile != "live") {
    throw UsageError(fmt::format("orrery run: unknown --profile \"{}\" ({})", profile,
                                 did_you_mean(profile, std::vector<std::string>{"stored", "live"})));
  }
  if (profile == "live" && values.count("check") == 0) {
    for (std::string& text : record_live_profile(request.scenario, profile_folder(values), bar))
      request.overrides.push_back(std::move(text));
    request.scenario = read_scenario(file, request.overrides, catalogue, metric_names());
  }
  return request;
}

/// A profile that cannot be replayed is told here, once, and not by the process of each way. Throws InvalidInput.
void require_profile(const Request& request, const Catalogue& catalogue) {
  const Scenario& scenario = request.scenario;
  for (const StrategySpec& strategy : scenario.strategies) {
    if (priced_by(scenario, strategy.kind) != ComputeChoice::replay) continue;
    (void)cost_model(scenario, strategy, catalogue);
    return;
  }
}

}  // namespace

ExitCode run_command(const Arguments& arguments) {
  const auto values = parse(run_spec(), arguments);
  if (!values) return ExitCode::ok;
  const auto begin = std::chrono::steady_clock::now();
  const Catalogue catalogue = load_catalogue();
  require_free("run", *values);
  if (values->count("events") != 0 && values->count("output") == 0) {
    throw UsageError("orrery run: --events asks for a file, but there is no folder for it - add -o DIR");
  }
  std::vector<Way> ways;
  Request request;
  {
    ProgressBar bar(verbosity_of(*values));
    request = read_request(*values, catalogue, bar);
    if (values->count("check") != 0) {
      return print_check(request.scenario, request.only, catalogue);
    }
    if (values->count("dump") != 0) {
      std::cout << dump_stage(text_of(*values, "dump"), request.scenario, request.only.value_or(0), catalogue);
      return ExitCode::ok;
    }
    require_profile(request, catalogue);
    make_folder("run", *values);
    ways = simulate(request.scenario, request.overrides, {request.scenario.engine, bar.callback(), request.only});
  }
  const std::vector<ResultRow> rows = result_rows(request.scenario, ways);
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (values->count("output") != 0) write_results(*values, request, rows, catalogue, wall);
  std::cout << (values->count("json") != 0 ? results_json(rows) : comparison_table(rows, colour_of_terminal()));
  return outcome(request, ways, rows);
}

}  // namespace orrery
