// StepProfile: seconds of really executed training steps, per layer and pass, at given batch and threads; as a CSV it
// can be kept, shared, replayed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "models/cost/layer_cost.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

struct ProfileRow {
  std::string layer;  // name in the network
  Pass pass = Pass::forward;
  int batch = 1;
  int threads = 1;
  double seconds = 0;       // median over the repeats, of the whole batch
  double seconds_low = 0;   // 10th percentile
  double seconds_high = 0;  // 90th percentile
  double flops = 0;         // of the whole batch
  double achieved_GFLOPS = 0;
};

struct StepProfile {
  std::string network;
  std::vector<std::string> notes;  // how it was recorded: machine, compiler, repeats (written as # comments)
  std::vector<ProfileRow> rows;
};

/// Strict: an unknown pass, a batch or thread count that is no whole number of at least 1, seconds that are not above 0
/// or outside seconds_low..seconds_high, negative FLOPs, an empty layer, a second network, a doubled (layer, pass,
/// batch, threads) and a file without rows are problems, all recorded at once.
StepProfile read_step_profile(const std::filesystem::path& file, Problems& problems);
/// Same from a text; `file` stands for it in messages.
StepProfile parse_step_profile(std::string_view text, const std::string& file, Problems& problems);

/// Whether a profile can replay a network: it is of that network, every layer has a forward pass, those that need a
/// gradient a backward pass and those with trainable parameters an optimizer pass, and it names no layer that the
/// network lacks. `file` stands for it in messages.
void check_profile(const StepProfile& profile, const LayerGraph& graph, const std::string& file, Problems& problems);

/// Notes as # comments, then the columns
/// network,layer,pass,batch,threads,seconds,seconds_low,seconds_high,flops,achieved_GFLOPS. Reads back bit for bit.
std::string to_csv(const StepProfile& profile);

}  // namespace orrery
