// `orrery simulate-way SCENARIO INDEX RESULT`: one strategy in a process of its own. `run` starts it; people have no
// need to.
#include <fmt/format.h>

#include <boost/program_options/value_semantic.hpp>
#include <chrono>
#include <cstdio>

#include "analysis/cli/command.hpp"
#include "scenarios/way.hpp"
#include "sim/base/files.hpp"
#include "sim/base/process.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// To the parent: see forward_progress in scenarios/simulate_all.cpp. No more often than eyes can follow: a run may
/// have a million steps, and each line wakes the parent.
class ProgressLines {
 public:
  void operator()(const std::string& stage, double share, const std::string& detail) {
    using std::chrono::steady_clock;
    constexpr auto pause = std::chrono::milliseconds(50);
    const auto now = steady_clock::now();
    if (stage == stage_ && share < 1 && now < last_ + pause) return;
    last_ = now, stage_ = stage;
    fmt::print("progress\t{}\t{}\t{}\n", stage, number_text(share), detail);
    std::fflush(stdout);
  }

 private:
  std::string stage_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace

ExitCode simulate_way_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandSpec spec;
  spec.name = "simulate-way";
  spec.summary = "one strategy in a process of its own (used by `orrery run`)";
  spec.positional = {"SCENARIO", "INDEX", "RESULT"};
  spec.options.add_options()("engine", po::value<std::string>()->value_name("NAME"), "flow or closed-form");
  add_scenario_options(spec.options);
  const auto values = parse(spec, arguments);
  if (!values) return ExitCode::ok;
  end_with_parent();
  const Catalogue catalogue = load_catalogue();
  const Scenario scenario = read_scenario((*values)["SCENARIO"].as<std::string>(), overrides_of(*values), catalogue);
  const std::string index_text = (*values)["INDEX"].as<std::string>();
  const auto index = parse_number(index_text);
  if (!index || *index < 0 || *index >= static_cast<double>(scenario.strategies.size())) {
    throw UsageError("orrery simulate-way: INDEX must number a strategy, got " + index_text);
  }
  const EngineKind engine =
      values->count("engine") != 0 && (*values)["engine"].as<std::string>() == name_of(EngineKind::closed_form)
          ? EngineKind::closed_form
          : EngineKind::flow;
  const Way way = simulate_way(scenario, static_cast<std::size_t>(*index), catalogue, {engine, ProgressLines()});
  write_file((*values)["RESULT"].as<std::string>(), to_bytes(way));
  return ExitCode::ok;
}

}  // namespace orrery
