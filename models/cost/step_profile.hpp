// StepProfile: seconds of really executed training steps, per layer and pass, at given batch and threads; as a CSV it
// can be kept, shared, replayed.
#pragma once

#include <filesystem>
#include <string>
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

StepProfile read_step_profile(const std::filesystem::path& file, Problems& problems);
std::string to_csv(
    const StepProfile&
        profile);  // columns: network,layer,pass,batch,threads,seconds,seconds_low,seconds_high,flops,achieved_GFLOPS

}  // namespace orrery
