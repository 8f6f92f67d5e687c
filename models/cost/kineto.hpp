// Profiles out of PyTorch: a trace of torch.profiler becomes a StepProfile.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "models/cost/step_profile.hpp"
#include "models/networks/layer_graph.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

struct TraceOptions {
  int batch = 1;    // as it was recorded: a trace does not say
  int threads = 1;  // likewise
};

/// Walks the operators of every ProfilerStep along the layers of the network, forward in the order of execution and
/// backward in the reverse (by the sequence numbers that tie a gradient function to its operator where the trace has
/// them, which Kineto's do). What lies between two layers counts to the one that follows it, to a view that stands
/// there, or to the attention before it. The optimizer's time is shared out by trained parameters. Seconds are the
/// median, 10th and 90th percentile over the steps; of the host's operators, or of their kernels where there are any.
/// The format wants times above 0: what a trace shows nothing of (views) takes 1 ns. FLOPs are those of layer_cost();
/// an update's are not known and 0.
/// Problems: read_trace()'s; no ProfilerStep; no optimizer step; an operator that does not fit the network, with its
/// time and the layer that was expected. Then the profile is empty. Otherwise it passes check_profile().
StepProfile import_trace(const std::filesystem::path& file, const LayerGraph& graph, const TraceOptions& options,
                         Problems& problems);
/// Same from a text; `file` stands for it in messages.
StepProfile import_trace_text(std::string_view text, const std::string& file, const LayerGraph& graph,
                              const TraceOptions& options, Problems& problems);

}  // namespace orrery
