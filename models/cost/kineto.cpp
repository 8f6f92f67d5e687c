#include "models/cost/kineto.hpp"

#include <fmt/format.h>

#include "models/cost/kineto_layers.hpp"
#include "models/cost/kineto_steps.hpp"
#include "models/cost/measured_times.hpp"
#include "models/cost/profile_rows.hpp"

namespace orrery {
namespace {

void add_step(const TraceStep& step, const LayerGraph& graph, StepSeconds& times) {
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
    refuse_trace(file, "has no ProfilerStep", "it marks where a step begins and ends", record, problems);
    return false;
  }
  for (const TraceStep& step : steps) {
    const std::string what = step.backward.empty()           ? "has no backward pass"
                             : step.optimizer_seconds <= 0.0 ? "has no Optimizer.step"
                                                             : "";
    if (what.empty()) continue;
    refuse_trace(file, step.name + " " + what, "a step is a forward pass, a backward pass and an update", record,
                 problems);
    return false;
  }
  return true;
}

StepProfile import(const Trace& trace, const std::string& file, const LayerGraph& graph, const TraceOptions& options,
                   Problems& problems) {
  const std::vector<TraceStep> steps = steps_of(trace);
  if (!check_steps(steps, file, problems)) return {};
  StepSeconds times(graph.layers.size());
  for (const TraceStep& step : steps) {
    try {
      add_step(step, graph, times);
    } catch (const TraceMismatch& mismatch) {
      refuse_trace(file, fmt::format("{} does not fit network \"{}\"", step.name, graph.name), mismatch.what(),
                   "give the network that was traced, its layers executed in their order", problems);
      return {};
    }
  }
  return {.network = graph.name,
          .notes = notes_of(trace, file, steps.size()),
          .rows = profile_rows(graph, times, {options.batch, options.threads})};
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
