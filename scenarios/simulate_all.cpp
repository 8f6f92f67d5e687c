// Every strategy of a scenario for every seed, each in its own spawned process, and the centralised learning.
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "scenarios/central_learning.hpp"
#include "scenarios/way.hpp"
#include "sim/base/files.hpp"
#include "sim/base/process.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

namespace fs = std::filesystem;

/// For one Way (to_bytes) of this process, in the system's folder for temporary files.
std::string way_file(std::size_t index) {
  std::error_code none;
  const fs::path folder = fs::temp_directory_path(none);
  if (none) throw std::runtime_error("no folder for temporary files: the one that TMPDIR names is none");
  return (folder / fmt::format("orrery-{}-{}.way", ::getpid(), index)).string();
}

/// Progress lines of a child: "progress<TAB>stage<TAB>share<TAB>detail".
bool forward_progress(const std::string& line, const Progress& progress) {
  const std::vector<std::string> parts = split(line, '\t');
  if (parts.size() != 4 || parts[0] != "progress") return false;
  if (progress) progress(parts[1], parse_number(parts[2]).value_or(0.0), parts[3]);
  return true;
}

std::string last_line(const std::string& text) {
  const std::vector<std::string> lines = split(trim(text), '\n');
  return lines.empty() ? std::string{} : lines.back();
}

Way failed_way(const Scenario& scenario, const std::string& strategy, const ChildResult& child) {
  Way way;
  way.strategy = strategy;
  way.status = WayStatus::failed;
  const std::string cause = child.signal != 0 ? fmt::format("its process was ended by signal {} ({})", child.signal,
                                                            ::strsignal(child.signal))
                                              : fmt::format("its process ended with code {}", child.exit_code);
  const std::string said = last_line(child.errors);
  way.error =
      fmt::format("scenario {}, strategy {}: {}{}{}", scenario.name, strategy, cause, said.empty() ? "" : ": ", said);
  return way;
}

/// What makes a child of a scenario with several seeds one of a single seed.
std::vector<std::string> with_seed(const Scenario& scenario, std::uint64_t seed, std::vector<std::string> overrides) {
  if (scenario.seeds == 1) return overrides;
  overrides.push_back(fmt::format("scenario.seed={}", seed));
  overrides.emplace_back("scenario.seeds=1");
  return overrides;
}

}  // namespace

Way simulate_in_child(const Scenario& scenario, std::size_t index, const std::vector<std::string>& overrides,
                      const SimulateOptions& options) {
  const TemporaryFile result(way_file(index));
  std::vector<std::string> command = {executable_path().string(),
                                      "simulate-way",
                                      scenario.file,
                                      std::to_string(index),
                                      result.path().string(),
                                      "--engine",
                                      std::string(name_of(options.engine))};
  for (const std::string& override_text : overrides) {
    command.emplace_back("--set");
    command.push_back(override_text);
  }
  const ChildResult child =
      run_child(command, [&](const std::string& line) { return forward_progress(line, options.progress); });
  if (child.signal != 0 || child.exit_code != 0) return failed_way(scenario, scenario.strategies[index].name, child);
  return way_from_bytes(read_file(result.path()));
}

std::vector<Way> simulate(const Scenario& scenario, const std::vector<std::string>& overrides,
                          const SimulateOptions& options) {
  std::vector<Way> ways;
  for (std::size_t index = 0; index < scenario.strategies.size(); ++index) {
    if (options.only.value_or(index) != index) continue;
    const std::string& strategy = scenario.strategies[index].name;
    for (int repetition = 0; repetition < scenario.seeds; ++repetition) {
      const std::uint64_t seed = scenario.seed + static_cast<std::uint64_t>(repetition);
      const std::string detail = scenario.seeds > 1 ? fmt::format("seed {}", seed) : std::string{};
      if (options.progress) options.progress("simulating " + strategy, 0.0, detail);
      ways.push_back(simulate_in_child(scenario, index, with_seed(scenario, seed, overrides), options));
      ways.back().seed = seed;
    }
  }
  learn_centrally(scenario, ways, options.progress);
  return ways;
}

}  // namespace orrery
