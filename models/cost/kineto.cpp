#include "models/cost/kineto.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/cost/kineto_layers.hpp"
#include "models/cost/kineto_steps.hpp"
#include "models/cost/measured_times.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

constexpr double shortest = 1e-9;  // seconds

/// Seconds of every step, by layer and pass.
using Times = std::vector<std::array<std::vector<double>, 3>>;

void refuse(const std::string& file, const std::string& what, const std::string& why, const std::string& suggestion,
            Problems& problems) {
  Problem problem;
  problem.at.file = file;
  problem.what = what;
  problem.why = why;
  problem.suggestion = suggestion;
  problems.add(std::move(problem));
}

void add_step(const TraceStep& step, const LayerGraph& graph, Times& times) {
  const std::vector<std::size_t> forward = forward_layers(step.forward, graph);
  const std::vector<std::size_t> backward = backward_layers(step.backward, graph, step.forward, forward);
  const auto trained = static_cast<double>(trainable_parameters(graph));
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const double share = trained > 0 ? static_cast<double>(trainable_parameters(graph.layers[i])) / trained : 0.0;
    times[i][0].push_back(0);
    times[i][1].push_back(0);
    times[i][2].push_back(step.optimizer_seconds * share);
  }
  for (std::size_t i = 0; i < forward.size(); ++i) times[forward[i]][0].back() += step.forward[i].seconds;
  for (std::size_t i = 0; i < backward.size(); ++i) times[backward[i]][1].back() += step.backward[i].seconds;
}

ProfileRow make_row(const Layer& layer, Pass pass, const TraceOptions& options, const std::vector<double>& seconds) {
  const LayerCost cost = layer_cost(layer);
  const auto at = [&](double fraction) { return std::max(shortest, quantile(seconds, fraction)); };
  ProfileRow row{.layer = layer.name, .pass = pass, .batch = options.batch, .threads = options.threads};
  row.seconds = at(0.5);
  row.seconds_low = at(0.1);
  row.seconds_high = at(0.9);
  if (pass != Pass::optimizer) {
    row.flops = (pass == Pass::forward ? cost.forward : cost.backward).value() * options.batch;
  }
  row.achieved_GFLOPS = row.flops / row.seconds / giga;
  return row;
}

StepProfile make_profile(const LayerGraph& graph, const TraceOptions& options, const Times& times) {
  StepProfile profile;
  profile.network = graph.name;
  const std::vector<bool> has_backward = needs_gradient(graph);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
      if (pass == Pass::backward && !has_backward[i]) continue;
      if (pass == Pass::optimizer && trainable_parameters(layer) == 0) continue;
      profile.rows.push_back(make_row(layer, pass, options, times[i][static_cast<std::size_t>(pass)]));
    }
  }
  return profile;
}

std::vector<std::string> notes_of(const Trace& trace, const std::string& file, std::size_t steps) {
  const std::string name = std::filesystem::path(file).filename().string();
  const bool kernels = clock_of(trace) == TraceClock::kernels;
  std::vector<std::string> notes = {fmt::format("{} the PyTorch trace {}: times of {}", imported_from, name,
                                                kernels ? "the kernels on the accelerator" : "the host's operators"),
                                    fmt::format("each row: median, 10th and 90th percentile of {} steps", steps)};
  if (!trace.accelerator.empty()) notes.push_back("machine: " + trace.accelerator);
  return notes;
}

/// What must be there before a walk makes sense.
bool check_steps(const std::vector<TraceStep>& steps, const std::string& file, Problems& problems) {
  const std::string record =
      "trace with torch.profiler.profile(schedule=torch.profiler.schedule(wait=1, warmup=1, active=10)), call its "
      "step() after every training step, and export_chrome_trace()";
  if (steps.empty()) {
    refuse(file, "has no ProfilerStep", "it marks where a step begins and ends", record, problems);
    return false;
  }
  for (const TraceStep& step : steps) {
    const std::string what = step.backward.empty()           ? "has no backward pass"
                             : step.optimizer_seconds <= 0.0 ? "has no Optimizer.step"
                                                             : "";
    if (what.empty()) continue;
    refuse(file, step.name + " " + what, "a step is a forward pass, a backward pass and an update", record, problems);
    return false;
  }
  return true;
}

StepProfile import(const Trace& trace, const std::string& file, const LayerGraph& graph, const TraceOptions& options,
                   Problems& problems) {
  const std::vector<TraceStep> steps = steps_of(trace);
  if (!check_steps(steps, file, problems)) return {};
  Times times(graph.layers.size());
  for (const TraceStep& step : steps) {
    try {
      add_step(step, graph, times);
    } catch (const TraceMismatch& mismatch) {
      refuse(file, fmt::format("{} does not fit network \"{}\"", step.name, graph.name), mismatch.what(),
             "give the network that was traced, its layers executed in their order", problems);
      return {};
    }
  }
  StepProfile profile = make_profile(graph, options, times);
  profile.notes = notes_of(trace, file, steps.size());
  return profile;
}

}  // namespace

StepProfile import_trace(const std::filesystem::path& file, const LayerGraph& graph, const TraceOptions& options,
                         Problems& problems) {
  const std::size_t before = problems.all().size();
  const Trace trace = read_trace(file, problems);
  return problems.all().size() == before ? import(trace, file.string(), graph, options, problems) : StepProfile{};
}

StepProfile import_trace_text(std::string_view text, const std::string& file, const LayerGraph& graph,
                              const TraceOptions& options, Problems& problems) {
  const std::size_t before = problems.all().size();
  const Trace trace = parse_trace(text, file, problems);
  return problems.all().size() == before ? import(trace, file, graph, options, problems) : StepProfile{};
}

}  // namespace orrery
