// The steps of a PyTorch trace: their outermost operators in the order of time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/cost/kineto_events.hpp"

namespace orrery {

/// What every node of the backward pass begins with.
inline constexpr std::string_view backward_prefix = "autograd::engine::evaluate_function: ";

/// An operator that no other one called, with all that it called.
struct TraceOp {
  std::string name;
  double start_us = 0;
  double seconds = 0;
  std::vector<std::int64_t> sequences;  // its own and those of the operators it called, in order; the first is its own
};

struct TraceStep {
  std::string name;                        // ProfilerStep#3
  std::vector<TraceOp> forward, backward;  // backward: its nodes, and operators between them
  double optimizer_seconds = 0;
};

/// Whether times are those of the host's operators, or of the kernels they started on an accelerator.
enum class TraceClock : std::uint8_t { host, kernels };
TraceClock clock_of(const Trace& trace);

/// Steps as ProfilerStep#N marks them, an operator being of the step in which it starts. Forward: what precedes the
/// first backward node, without what the data loader does. Optimizer: Optimizer.zero_grad and Optimizer.step, and what
/// lies between the last backward node and the latter (clipping, scaling). What follows Optimizer.step is left out.
/// When the trace has kernels, an operator's time is the sum of those that it or an operator it called started.
std::vector<TraceStep> steps_of(const Trace& trace);

}  // namespace orrery
