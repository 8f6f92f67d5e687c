#include "analysis/cli/search_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <optional>

#include "sim/base/errors.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;

/// One --limit as a value of [search.limits].
std::string limit_override(const std::string& limit) {
  static const std::vector<std::string> known = {"memory_GiB", "step_s", "cost", "energy_J"};
  const std::size_t equals = limit.find('=');
  const std::string name = limit.substr(0, equals);
  if (equals == std::string::npos || std::find(known.begin(), known.end(), name) == known.end()) {
    throw UsageError(fmt::format("orrery search: --limit {} is no WHAT=NUMBER ({})", limit, did_you_mean(name, known)));
  }
  const std::string text = limit.substr(equals + 1);
  const std::optional<double> number = parse_number(trim(text));
  if (!number || *number <= 0) {
    throw UsageError(fmt::format("orrery search: --limit {} wants a number above 0, got \"{}\"", name, text));
  }
  return fmt::format("search.limits.{}={}", name, number_text(*number));
}

}  // namespace

CommandSpec search_spec() {
  CommandSpec spec;
  spec.name = "search";
  spec.summary = "judge every layout of a scenario's hybrid strategy, simulate the best";
  spec.examples = {"orrery search scenarios/megatron-175b.toml", "orrery search my.toml --top 10 -o out/search",
                   "orrery search my.toml --limit memory_GiB=70 --limit step_s=20 --set search.objective=cost",
                   "orrery search my.toml --set search.tp='[1,2,4,8]' --set search.pp='[1,2,4]'"};
  spec.positional = {"SCENARIO"};
  spec.notes =
      "The hybrid strategy gives the cluster and every key that is not searched; [search] may list values of dp, tp, "
      "pp, cp, ep, etp, zero_stage, microbatch, interleave, recompute, schedule, sequence_parallel, and say strategy, "
      "objective (time, cost, energy), limits and top. Without it all divisors are tried. Layouts have as many devices "
      "as the strategy's `devices`, else as the cluster. Times are the "
      "closed form of `orrery explain`; the best layouts are simulated, and held against the limits again.";
  spec.options.add_options()("top", po::value<int>()->value_name("K"),
                             "layouts to simulate; default: the scenario's, 5")(
      "limit", po::value<std::vector<std::string>>()->composing()->value_name("WHAT=NUMBER"),
      "memory_GiB of a device; step_s, cost, energy_J of a step; may be repeated")(
      "threads", po::value<int>()->value_name("N"), "default: the machine's cores; the result is the same")(
      "output,o", po::value<std::string>()->value_name("DIR"), "folder for search.csv")(
      "force", "overwrite the results that DIR already holds")("quiet,q", "no progress bar");
  add_scenario_options(spec.options);
  return spec;
}

std::vector<std::string> search_overrides(const po::variables_map& values) {
  std::vector<std::string> overrides = overrides_of(values);
  if (values.count("top") != 0) {
    const int top = values["top"].as<int>();
    if (top < 1 || top > 1'000'000) {
      throw UsageError(fmt::format("orrery search: --top must be between 1 and 1000000, got {}", top));
    }
    overrides.push_back(fmt::format("search.top={}", top));
  }
  if (values.count("limit") == 0) return overrides;
  for (const std::string& limit : values["limit"].as<std::vector<std::string>>()) {
    overrides.push_back(limit_override(limit));
  }
  return overrides;
}

}  // namespace orrery
