#include "models/cost/kineto_steps.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "sim/base/units.hpp"

namespace orrery {
namespace {

bool is_step(const TraceEvent& event) {
  return event.kind == TraceEvent::Kind::on_host && event.name.starts_with("ProfilerStep#");
}

using Kernels = std::unordered_map<std::int64_t, double>;  // seconds by 'External id'

Kernels kernels_of(const Trace& trace) {
  Kernels kernels;
  for (const TraceEvent& event : trace.events) {
    if (event.kind == TraceEvent::Kind::kernel) kernels[event.external] += event.duration_us * micro;
  }
  return kernels;
}

/// On the host, callers before what they call.
std::vector<const TraceEvent*> in_order(const Trace& trace) {
  std::vector<const TraceEvent*> events;
  for (const TraceEvent& event : trace.events) {
    if (event.kind == TraceEvent::Kind::on_host && !is_step(event)) events.push_back(&event);
  }
  std::stable_sort(events.begin(), events.end(), [](const TraceEvent* a, const TraceEvent* b) {
    return a->start_us != b->start_us ? a->start_us < b->start_us : a->duration_us > b->duration_us;
  });
  return events;
}

/// Outermost per thread: an operator that starts before another one of its thread has ended was called by it. Traces
/// without Kineto cut times to whole microseconds: what starts in the last one was called, too.
std::vector<TraceOp> outermost(const Trace& trace) {
  const TraceClock clock = clock_of(trace);
  const Kernels kernels = kernels_of(trace);
  struct Open {
    std::size_t op = 0;
    double end_us = 0;
  };
  std::map<std::string, Open> open;  // by thread
  std::vector<TraceOp> ops;
  for (const TraceEvent* event : in_order(trace)) {
    const auto caller = open.find(event->thread);
    if (caller == open.end() || event->start_us > caller->second.end_us) {
      open[event->thread] = {ops.size(), event->end_us()};
      ops.push_back({event->name, event->start_us, clock == TraceClock::host ? event->duration_us * micro : 0.0, {}});
    }
    TraceOp& op = ops[open.at(event->thread).op];
    op.sequences.push_back(event->sequence);
    const auto kernel = kernels.find(event->external);
    if (clock == TraceClock::kernels && event->external >= 0 && kernel != kernels.end()) op.seconds += kernel->second;
  }
  return ops;
}

bool is_backward(const TraceOp& op) {
  return op.name.starts_with(backward_prefix);
}

/// Puts the operators of one step where they belong.
void sort_into(TraceStep& step, std::vector<TraceOp> ops) {
  const auto first = std::find_if(ops.begin(), ops.end(), is_backward);
  const auto last = std::find_if(ops.rbegin(), ops.rend(), is_backward).base();
  const auto update =
      std::find_if(ops.begin(), ops.end(), [](const TraceOp& op) { return op.name.starts_with("Optimizer.step#"); });
  for (auto op = ops.begin(); op != ops.end(); ++op) {
    if (op->name.starts_with("enumerate(DataLoader)#")) continue;
    const bool between = first != ops.end() && op >= last && op < update && update != ops.end();
    if (op->name.starts_with("Optimizer.") || between) {
      step.optimizer_seconds += op->seconds;
    } else if (op < first) {
      if (op < update) step.forward.push_back(std::move(*op));
    } else if (op < last) {
      step.backward.push_back(std::move(*op));
    }
  }
}

}  // namespace

TraceClock clock_of(const Trace& trace) {
  const bool has_kernels = std::any_of(trace.events.begin(), trace.events.end(),
                                       [](const TraceEvent& event) { return event.kind == TraceEvent::Kind::kernel; });
  return has_kernels ? TraceClock::kernels : TraceClock::host;
}

std::vector<TraceStep> steps_of(const Trace& trace) {
  const std::vector<TraceOp> ops = outermost(trace);
  std::vector<TraceStep> steps;
  for (const TraceEvent& event : trace.events) {
    if (!is_step(event)) continue;
    std::vector<TraceOp> own;
    std::copy_if(ops.begin(), ops.end(), std::back_inserter(own),
                 [&](const TraceOp& op) { return op.start_us >= event.start_us && op.start_us < event.end_us(); });
    TraceStep step{.name = event.name, .forward = {}, .backward = {}};
    sort_into(step, std::move(own));
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace orrery
