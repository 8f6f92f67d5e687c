#include "models/training/profiler.hpp"

#include <cmath>
#include <set>
#include <tuple>

#include "sim/base/quantile.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

TEST_CASE("quantiles lie between neighbours") {
  CHECK(quantile({3, 1, 2}, 0.5) == 2.0);
  CHECK(quantile({4, 1, 2, 3}, 0.5) == 2.5);
  CHECK(quantile({10, 20}, 0.1) == Approx(11.0));
  CHECK(quantile({7}, 0.9) == 7.0);
}

TEST_CASE("a profile has every layer and pass of every batch and number of threads, with the FLOPs of the cost model") {
  const LayerGraph graph = two_hidden_layers(16);
  std::vector<double> shares;
  ProfileOptions options{.batches = {1, 4}, .threads = {1, 2}, .warm_up = 1, .repeats = 3};
  options.progress = [&](double share) { shares.push_back(share); };
  const StepProfile profile = measure_profile(graph, options);
  // Seven layers forward, all but the first (flatten) backward, three with parameters, times four cases.
  CHECK(profile.rows.size() == 4 * (7 + 6 + 3));
  std::set<std::tuple<std::string, Pass, int, int>> keys;
  for (const ProfileRow& row : profile.rows) {
    INFO(row.layer << " " << name_of(row.pass));
    keys.insert({row.layer, row.pass, row.batch, row.threads});
    CHECK(row.seconds >= 0);
    CHECK(row.seconds < 1);
    CHECK(row.seconds_low <= row.seconds);
    CHECK(row.seconds <= row.seconds_high);
    if (row.seconds > 0) CHECK(row.achieved_GFLOPS == Approx(row.flops / row.seconds / 1e9));
    if (row.layer != "dense2") continue;
    CHECK(row.seconds > 0);
    if (row.pass == Pass::forward) CHECK(row.flops == layer_cost(graph.layers[1]).forward.value() * row.batch);
    if (row.pass == Pass::optimizer) CHECK(row.flops == 2.0 * (784 * 16 + 16));
  }
  CHECK(keys.size() == profile.rows.size());
  CHECK(shares.size() == 16);
  CHECK(shares.back() == Approx(1.0));
  CHECK(profile.network == graph.name);
  CHECK(profile.notes.size() == 4 + 4);  // the energy of every case
}

TEST_CASE("a profile of frozen layers has no rows of passes that nobody makes, and reads back") {
  LayerGraph graph = two_hidden_layers(16);
  graph.layers[1].frozen = true;
  const StepProfile profile = measure_profile(graph, {.batches = {8}, .threads = {1}, .warm_up = 1, .repeats = 3});
  CHECK(profile.rows.size() == 7 + 4 + 2);  // what lies above the first hidden layer's ReLU goes backward
  Problems problems;
  check_profile(parse_step_profile(to_csv(profile), "p.csv", problems), graph, "p.csv", problems);
  CHECK(problems.empty());
}

TEST_CASE("a larger batch takes longer, and most of the time of a step goes to the largest layer") {
  const StepProfile profile =
      measure_profile(two_hidden_layers(), {.batches = {1, 64}, .threads = {1}, .warm_up = 2, .repeats = 9});
  const auto seconds = [&](const std::string& layer, int batch) {
    double sum = 0;
    for (const ProfileRow& row : profile.rows) {
      if (row.layer == layer && row.batch == batch && row.pass != Pass::optimizer) sum += row.seconds_low;
    }
    return sum;
  };
  CHECK(seconds("dense2", 64) > 2 * seconds("dense2", 1));
  CHECK(seconds("dense2", 64) > seconds("dense6", 64));
}

TEST_CASE("this machine measures as a plausible device that the catalogue reads back") {
  const Device host = measure_host(1);
  CHECK(host.id == "host");
  const double peak = host.peak_for(Precision::fp32).value();
  CHECK(peak > 1e6);
  CHECK(peak < 1e12);  // one core
  CHECK(host.gemm_fraction > 0.05);
  CHECK(host.gemm_fraction <= 1.0);
  CHECK(host.memory_bandwidth.value() > 1e8);
  CHECK(host.memory.value() > 1e8);
  CHECK(host.idle < host.maximum);
  CHECK(host.assumed == "idle_W;typical_W;maximum_W");
  CHECK(host_csv(host) == device_csv(host));
}

}  // namespace
}  // namespace orrery
