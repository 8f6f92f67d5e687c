#include "analysis/cli/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>
#include <utility>

#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

bool optional_name(const std::string& name) {
  return name.front() == '[';
}
std::string plain_name(const std::string& name) {
  return optional_name(name) ? name.substr(1, name.size() - 2) : name;
}

std::string help_text(const CommandSpec& spec) {
  std::ostringstream text;
  text << "orrery " << spec.name << ": " << spec.summary << "\n\nExamples:\n";
  for (const std::string& example : spec.examples) text << "  " << example << '\n';
  text << "\nUsage: orrery " << spec.name;
  for (const std::string& name : spec.positional) text << ' ' << name;
  text << " [options]\n";
  const auto& names = spec.positional;
  if (std::find(names.begin(), names.end(), "SCENARIO") != names.end()) {
    text << "\nSCENARIO is a file, or the name of one that ships with Orrery (`orrery list scenarios`).\n";
  }
  text << '\n' << spec.options;
  if (!spec.notes.empty()) text << '\n' << spec.notes << '\n';
  text << "\nExit codes: 0 ok, 1 a defect of Orrery or a failed simulation, 2 usage, 3 invalid input, 4 nothing asked "
          "for is feasible,\n"
          "            5 an assertion of the scenario failed, 128 + N ended by signal N (130: interrupted)\n";
  return text.str();
}

std::vector<std::string> option_names(const CommandSpec& spec) {
  std::vector<std::string> names;
  for (const auto& option : spec.options.options()) names.push_back("--" + option->long_name());
  return names;
}

[[noreturn]] void usage_error(const CommandSpec& spec, const std::string& problem) {
  throw UsageError(fmt::format("orrery {}: {} - see `orrery {} --help`", spec.name, problem, spec.name));
}

/// Boost's own parsing, its exceptions in our words.
po::parsed_options parse_strictly(const CommandSpec& spec, const Arguments& arguments,
                                  const po::options_description& all, const po::positional_options_description& order) {
  namespace style = po::command_line_style;
  try {
    return po::command_line_parser(arguments)
        .options(all)
        .positional(order)
        .style(style::unix_style & ~style::allow_guessing)
        .run();
  } catch (const po::unknown_option& error) {
    const std::string name = error.get_option_name();
    usage_error(spec, fmt::format("unknown option {} ({})", name, did_you_mean(name, option_names(spec))));
  } catch (const po::too_many_positional_options_error&) {
    usage_error(spec, fmt::format("too many arguments ({} wanted)", spec.positional.size()));
  } catch (const po::error& error) {
    usage_error(spec, error.what());
  }
}

}  // namespace

std::optional<po::variables_map> parse(const CommandSpec& spec, const Arguments& arguments) {
  po::options_description all;
  po::options_description hidden;
  po::positional_options_description order;
  for (const std::string& name : spec.positional) {
    hidden.add_options()(plain_name(name).c_str(), po::value<std::string>());
    order.add(plain_name(name).c_str(), 1);
  }
  po::options_description help;
  help.add_options()("help,h", "this text");
  CommandSpec shown = spec;
  shown.options.add(help);
  all.add(spec.options).add(help).add(hidden);

  po::variables_map values;
  try {
    po::store(parse_strictly(shown, arguments, all, order), values);
    po::notify(values);
  } catch (const po::error& error) {
    usage_error(spec, error.what());
  }
  if (values.count("help") != 0) {
    std::fputs(help_text(shown).c_str(), stdout);
    return std::nullopt;
  }
  for (const std::string& name : spec.positional) {
    if (!optional_name(name) && values.count(name) == 0) usage_error(spec, name + " is missing");
  }
  return values;
}

std::string text_of(const po::variables_map& values, const std::string& name) {
  return values.count(name) != 0 ? values[name].as<std::string>() : std::string{};
}

Colour colour_of_terminal() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0') ? Colour::on : Colour::off;
}

std::size_t list_width() {
  constexpr std::size_t terminal = 120;
  return ::isatty(STDOUT_FILENO) != 0 ? terminal : std::numeric_limits<std::size_t>::max();
}

std::vector<std::string> shipped_scenarios() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(data_directory() / "scenarios")) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string shipped_scenario_file(const std::string& name) {
  return (data_directory() / "scenarios" / (name + ".toml")).string();
}

std::string scenario_file(const po::variables_map& values) {
  std::string given = text_of(values, "SCENARIO");
  const fs::path path(given);
  const bool is_name = !path.has_parent_path() && !path.has_extension();
  if (!is_name || (fs::exists(path) && !fs::is_directory(path))) return given;
  const std::vector<std::string> names = shipped_scenarios();
  if (std::find(names.begin(), names.end(), given) != names.end()) return shipped_scenario_file(given);
  Problem problem;
  problem.at.file = given;
  problem.what = "is neither a file nor a scenario that ships with Orrery";
  problem.suggestion = did_you_mean(given, names, "orrery list scenarios");
  throw InvalidInput(std::vector<Problem>{std::move(problem)});
}

Catalogue load_catalogue() {
  Problems problems;
  Catalogue catalogue = read_catalogue(data_directory() / "topologies" / "catalogue", problems);
  problems.throw_if_any();
  return catalogue;
}

void add_scenario_options(po::options_description& options) {
  options.add_options()(
      "set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "override a value of the scenario, for example workload.batch=128 or strategy.ring.devices=4; may be repeated");
}

std::vector<std::string> overrides_of(const po::variables_map& values) {
  return values.count("set") != 0 ? values["set"].as<std::vector<std::string>>() : std::vector<std::string>{};
}

}  // namespace orrery
