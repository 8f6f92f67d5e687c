// The program orrery-measure: one process of an MPI run. `orrery measure` starts it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "analysis/cli/measure_spec.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/cli/output_folder.hpp"
#include "analysis/cli/progress_bar.hpp"
#include "analysis/cli/signals.hpp"
#include "analysis/cli/version.hpp"
#include "analysis/reports/columns.hpp"
#include "analysis/reports/reports.hpp"
#include "models/kernels/parallel.hpp"
#include "scenarios/measure/measure.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;

struct Request {
  Catalogue catalogue;
  Scenario scenario;
  std::vector<std::size_t> strategies;
  MeasureOptions options;
};

std::vector<std::size_t> chosen_strategies(const Scenario& scenario, const po::variables_map& values) {
  std::vector<std::string> names;
  for (const StrategySpec& strategy : scenario.strategies) names.push_back(strategy.name);
  std::vector<std::size_t> chosen;
  const auto wanted = values.count("strategy") != 0 ? values["strategy"].as<std::vector<std::string>>() : names;
  for (const std::string& name : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      throw UsageError(fmt::format("orrery measure: {} has no strategy \"{}\" ({})", scenario.name, name,
                                   did_you_mean(name, names)));
    }
    chosen.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return chosen;
}

std::int64_t count_of(const po::variables_map& values, const std::string& option, std::int64_t least) {
  const auto count = values[option].as<std::int64_t>();
  if (count < least) {
    throw UsageError(fmt::format("orrery measure: --{} must be at least {}, got {}", option, least, count));
  }
  return count;
}

Request read_request(const po::variables_map& values) {
  Request request;
  request.catalogue = load_catalogue();
  request.scenario = read_scenario(scenario_file(values), overrides_of(values), request.catalogue, metric_names());
  request.strategies = chosen_strategies(request.scenario, values);
  request.options.warm_up = count_of(values, "warm-up", 0);
  if (values.count("steps") != 0) request.options.steps = count_of(values, "steps", 1);
  return request;
}

/// Where a process ran, as it says itself.
std::string place_of(const Communicator& communicator, int threads) {
  std::string host(256, '\0');
  ::gethostname(host.data(), host.size());
  return fmt::format("{} core {}", host.c_str(), pin_to_core(communicator.rank(), threads));
}

/// The provenance of a run, and what only a measurement has: places of the ranks, spread of the steps.
std::string provenance(const Scenario& scenario, const std::vector<MeasuredWay>& ways,
                       const std::vector<std::string>& places, double wall_seconds) {
  auto json = nlohmann::ordered_json::parse(provenance_json(scenario, wall_seconds, version_text()));
  json["engine"] = {{"kind", "measured"}, {"ranks", places}};
  for (const MeasuredWay& way : ways) {
    if (!way.way.measured) continue;
    const MeasuredSteps& steps = *way.way.measured;
    json["steps"][way.way.strategy] = {{"counted", steps.count},
                                       {"p10_s", steps.low.value()},
                                       {"median_s", steps.median.value()},
                                       {"p90_s", steps.high.value()}};
  }
  return json.dump(2) + "\n";
}

ExitCode report(const Request& request, const std::vector<MeasuredWay>& measured, const po::variables_map& values,
                const std::vector<std::string>& places, double wall_seconds) {
  std::vector<Way> ways;
  for (const MeasuredWay& way : measured) ways.push_back(way.way);
  const std::vector<ResultRow> rows = result_rows(request.scenario, ways);
  if (const auto folder = output_folder(values)) {
    write_file(*folder / "steps.csv", steps_csv(measured));
    write_file(*folder / "curve.csv", curve_csv(rows));
    write_file(*folder / "timeline.csv", timeline_csv(rows));
    write_file(*folder / "resolved.toml", resolved_toml(request.scenario));
    write_file(*folder / "provenance.json", provenance(request.scenario, measured, places, wall_seconds));
    write_file(*folder / "results.csv", results_csv(rows));  // last: its presence says that all are there
  }
  std::cout << comparison_table(rows, colour_of_terminal());
  const auto ok = [](const Way& way) { return way.status == WayStatus::ok; };
  return std::any_of(ways.begin(), ways.end(), ok) ? ExitCode::ok : ExitCode::infeasible;
}

/// What is wrong with -o, for the rank that writes.
void prepare_output(const po::variables_map& values, const Scenario& scenario) {
  const std::vector<std::string> names = {"steps.csv",     "curve.csv",       "timeline.csv",
                                          "resolved.toml", "provenance.json", "results.csv"};
  if (const auto folder = output_folder(values)) refuse_inputs_in("measure", *folder, names, scenario);
  require_free("measure", values);
  make_folder("measure", values);
}

ExitCode measure(const po::variables_map& values, Communicator& communicator) {
  const auto begin = std::chrono::steady_clock::now();
  const bool first = communicator.rank() == 0;
  Request request;
  on_all_ranks(communicator, [&] {
    request = read_request(values);
    if (first) prepare_output(values, request.scenario);
  });
  const auto places = communicator.gather(place_of(communicator, request.scenario.workload.profile_threads));
  std::vector<MeasuredWay> measured;
  {
    ProgressBar bar(first ? verbosity_of(values) : Verbosity::quiet);
    request.options.progress = bar.callback();
    for (const std::size_t strategy : request.strategies) {
      measured.push_back(measure_way(request.scenario, strategy, request.catalogue, communicator, request.options));
    }
  }
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  // Only rank 0 has something to write: what goes wrong there is its alone.
  return first ? report(request, measured, values, places, wall) : ExitCode::ok;
}

ExitCode exit_code(RankError::Kind kind) {
  switch (kind) {
    case RankError::Kind::usage:
      return ExitCode::usage;
    case RankError::Kind::invalid_input:
      return ExitCode::invalid_input;
    case RankError::Kind::infeasible:
      return ExitCode::infeasible;
    case RankError::Kind::other:
      break;
  }
  return ExitCode::bug;
}

/// Errors that every rank knows of are rank 0's to tell; one that a rank has alone ends the others.
int guarded(const Arguments& arguments) {
  const auto values = parse(measure_spec(), arguments);
  if (!values) return static_cast<int>(ExitCode::ok);
  const MpiSession session;
  const FlushDenormals flush;
  Communicator communicator;
  try {
    return static_cast<int>(measure(*values, communicator));
  } catch (const RankError& error) {
    const bool plain = error.kind() == RankError::Kind::usage || error.kind() == RankError::Kind::invalid_input;
    if (communicator.rank() == 0) std::cerr << (plain ? "" : "orrery: ") << error.what() << '\n';
    return static_cast<int>(exit_code(error.kind()));
  } catch (const std::exception& error) {
    std::cerr << fmt::format("orrery: rank {}: {}\n", communicator.rank(), error.what()) << std::flush;
    remove_temporary_files();
    remove_empty_folders();
    abort_all_ranks(static_cast<int>(ExitCode::bug));
  }
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  orrery::clean_up_on_signals();
  try {
    const int code = orrery::guarded({argv + 1, argv + argc});
    orrery::remove_empty_folders();  // after an error; rank 0 alone makes any
    return code;
  } catch (const orrery::UsageError& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(orrery::ExitCode::usage);
  }
}
