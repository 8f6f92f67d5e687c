// `orrery profile`: really executes training steps and records them; with --device it measures the machine itself.
#include <fmt/format.h>

#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "analysis/cli/command.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/cli/profile_memory.hpp"
#include "analysis/cli/profile_report.hpp"
#include "analysis/cli/progress_bar.hpp"
#include "models/cost/kind_fit.hpp"
#include "models/cost/kineto.hpp"
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
                   "orrery profile lenet5 --fits fits.csv -o lenet5.csv",
                   "orrery profile lenet5 --trace trace.json.gz --batch 64 --threads 1 -o lenet5-pytorch.csv",
                   "orrery profile --device -o host.csv"};
  spec.positional = {"[NETWORK]"};
  spec.options.add_options()("batch", po::value<std::string>()->default_value("1,8,32,64")->value_name("LIST"),
                             "batches to execute")(
      "threads", po::value<std::string>()->default_value("1")->value_name("LIST"), "threads to execute with")(
      "repeats", po::value<int>()->default_value(20)->value_name("N"),
      "steps measured per batch and thread count; the median is recorded")(
      "warm-up", po::value<int>()->default_value(3)->value_name("N"), "steps executed before measuring")(
      "seed", po::value<std::uint64_t>()->default_value(1)->value_name("N"), "seed of weights and inputs")(
      "trace", po::value<std::string>()->value_name("FILE"),
      "import a torch.profiler trace (.json or .json.gz) instead; --batch and --threads say how it was recorded")(
      "fits", po::value<std::string>()->value_name("FILE"),
      "also write the law of every kind of layer: overhead, rate, their standard errors")(
      "device", "measure this machine instead: peak arithmetic, matrix product, memory bandwidth")(
      "output,o", po::value<std::string>()->value_name("FILE"), "where to write; default: standard output")(
      "force", "overwrite files")("quiet,q", "no progress bar, no report");
  spec.notes =
      "The report on standard error says what the profile is worth: every batch left out and foretold from the "
      "others,\nsteps of several threads foretold from one, and a law for every kind of layer. The profile's notes "
      "hold the energy of\na step: by RAPL where the processor's counters can be read, else by the device model.";
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

/// The files that were asked for; empty: none.
struct Files {
  std::string profile, fits;
};

void check_choice(const po::variables_map& values) {
  if ((values.count("device") != 0) == (values.count("NETWORK") != 0)) {
    throw UsageError("orrery profile: give either a NETWORK or --device - see `orrery profile --help`");
  }
  for (const std::string option : {"trace", "fits"}) {
    if (values.count("device") == 0 || values.count(option) == 0) continue;
    throw UsageError(fmt::format("orrery profile: --{} needs a NETWORK, not --device", option));
  }
}

StepProfile imported(const po::variables_map& values, const LayerGraph& network) {
  const auto one = [&](const std::string& option) {
    const std::vector<int> numbers = counts(option, values[option].as<std::string>());
    if (numbers.size() == 1) return numbers.front();
    throw UsageError(fmt::format("orrery profile: --trace wants one --{}, that of the trace", option));
  };
  Problems problems;
  StepProfile profile =
      import_trace(values["trace"].as<std::string>(), network, {one("batch"), one("threads")}, problems);
  problems.throw_if_any();
  return profile;
}

StepProfile recorded(const po::variables_map& values, const LayerGraph& network) {
  ProgressBar bar(verbosity_of(values));
  ProfileOptions options;
  options.batches = counts("batch", values["batch"].as<std::string>());
  options.threads = counts("threads", values["threads"].as<std::string>());
  options.repeats = positive_count(values, "repeats");
  options.warm_up = positive_count(values, "warm-up");
  options.seed = values["seed"].as<std::uint64_t>();
  options.progress = [&bar](double share) { bar.show("profiling", share, {}); };
  return measure_within_memory(network, options);
}

void put(const std::string& file, const std::string& csv) {
  if (file.empty()) {
    std::cout << csv;
  } else {
    write_file(file, csv);
  }
}

void profile_network(const po::variables_map& values, const Files& files) {
  const LayerGraph network = load_network(values["NETWORK"].as<std::string>());
  const StepProfile profile = values.count("trace") != 0 ? imported(values, network) : recorded(values, network);
  put(files.profile, to_csv(profile));
  if (!files.fits.empty()) write_file(files.fits, to_csv(fit_kinds(profile, network)));
  if (values.count("quiet") == 0) std::cerr << profile_report(profile, network);
}

void profile_device(const po::variables_map& values, const Files& files) {
  ProgressBar bar(verbosity_of(values));
  bar.show("measuring this machine", 0.0, {});
  put(files.profile, host_csv(measure_host(1)));
}

}  // namespace

ExitCode profile_command(const Arguments& arguments) {
  const auto values = parse(profile_spec(), arguments);
  if (!values) return ExitCode::ok;
  check_choice(*values);
  std::vector<std::string> inputs = {text_of(*values, "trace")};
  if (const std::string name = text_of(*values, "NETWORK"); is_network_path(name)) inputs.push_back(name);
  refuse_inputs("profile", text_of(*values, "output"), inputs);
  refuse_inputs("profile", text_of(*values, "fits"), inputs, "--fits");
  const Files files{new_file("profile", *values), new_file("profile", *values, "fits", "--fits")};
  if (values->count("device") != 0) {
    profile_device(*values, files);
  } else {
    profile_network(*values, files);
  }
  return ExitCode::ok;
}

}  // namespace orrery
