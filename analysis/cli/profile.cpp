// `orrery profile`: really executes training steps and records them; with --device it measures the machine itself.
#include <fmt/format.h>

#include <boost/program_options/value_semantic.hpp>
#include <filesystem>
#include <iostream>

#include "analysis/cli/command.hpp"
#include "analysis/cli/progress_bar.hpp"
#include "models/training/profiler.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;

CommandSpec profile_spec() {
  CommandSpec spec;
  spec.name = "profile";
  spec.summary = "execute real training steps, or measure this machine, and record them";
  spec.examples = {"orrery profile 2nn -o 2nn.csv",
                   "orrery profile fedavg-cnn --batch 1,10,64 --threads 1,2 --repeats 30 -o cnn.csv",
                   "orrery profile --device -o host.csv"};
  spec.positional = {"[NETWORK]"};
  spec.options.add_options()("batch", po::value<std::string>()->default_value("1,8,32,64")->value_name("LIST"),
                             "batches to execute")(
      "threads", po::value<std::string>()->default_value("1")->value_name("LIST"), "threads to execute with")(
      "repeats", po::value<int>()->default_value(20)->value_name("N"),
      "steps measured per batch and thread count; the median is recorded")(
      "warm-up", po::value<int>()->default_value(3)->value_name("N"), "steps executed before measuring")(
      "seed", po::value<std::uint64_t>()->default_value(1), "seed of weights and inputs")(
      "device", "measure this machine instead: peak arithmetic, matrix product, memory bandwidth")(
      "output,o", po::value<std::string>()->value_name("FILE"), "where to write; default: standard output")(
      "force", "overwrite FILE")("quiet,q", "no progress bar");
  return spec;
}

std::vector<int> counts(const std::string& option, const std::string& text) {
  std::vector<int> numbers;
  for (const std::string& part : split(text, ',')) {
    const auto number = parse_number(trim(part));
    const bool whole = number && *number >= 1 && *number <= 1e6 && *number == static_cast<int>(*number);
    if (!whole)
      throw UsageError(
          fmt::format("orrery profile: --{} wants whole numbers from 1 separated by commas, got \"{}\"", option, text));
    numbers.push_back(static_cast<int>(*number));
  }
  return numbers;
}

int positive_count(const po::variables_map& values, const std::string& option) {
  const int count = values[option].as<int>();
  if (count < 1) throw UsageError(fmt::format("orrery profile: --{} must be at least 1, got {}", option, count));
  return count;
}

std::string measured(const po::variables_map& values, ProgressBar& bar) {
  if (values.count("device") != 0) {
    bar.show("measuring this machine", 0.0, {});
    return host_csv(measure_host(1));
  }
  ProfileOptions options;
  options.batches = counts("batch", values["batch"].as<std::string>());
  options.threads = counts("threads", values["threads"].as<std::string>());
  options.repeats = positive_count(values, "repeats");
  options.warm_up = positive_count(values, "warm-up");
  options.seed = values["seed"].as<std::uint64_t>();
  options.progress = [&bar](double share) { bar.show("profiling", share, {}); };
  const LayerGraph network = load_network(values["NETWORK"].as<std::string>());
  return to_csv(measure_profile(network, options));
}

}  // namespace

ExitCode profile_command(const Arguments& arguments) {
  const auto values = parse(profile_spec(), arguments);
  if (!values) return ExitCode::ok;
  if ((values->count("device") != 0) == (values->count("NETWORK") != 0)) {
    throw UsageError("orrery profile: give either a NETWORK or --device - see `orrery profile --help`");
  }
  const std::string file = values->count("output") != 0 ? (*values)["output"].as<std::string>() : std::string{};
  if (!file.empty() && values->count("force") == 0 && std::filesystem::exists(file)) {
    throw UsageError("orrery profile: " + file + " exists - choose another -o or add --force");
  }
  std::string csv;
  {
    ProgressBar bar(values->count("quiet") != 0 ? Verbosity::quiet : Verbosity::normal);
    csv = measured(*values, bar);
  }
  if (file.empty()) {
    std::cout << csv;
  } else {
    write_file(file, csv);
  }
  return ExitCode::ok;
}

}  // namespace orrery
