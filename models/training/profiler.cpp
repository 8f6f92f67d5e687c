#include "models/training/profiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>

#include "models/cost/profile_rows.hpp"
#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/gemm.hpp"
#include "models/training/host.hpp"
#include "models/training/random_samples.hpp"
#include "models/training/rapl.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"
#include "models/training/training_step.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

constexpr std::size_t passes = 3;

std::size_t index_of(Pass pass) {
  return static_cast<std::size_t>(pass);
}

// One batch size on one number of threads.
class ProfiledCase {
 public:
  ProfiledCase(const std::shared_ptr<const ExecutionPlan>& plan, int batch, int threads, const ProfileOptions& options)
      : samples_(random_samples(*plan, static_cast<std::size_t>(batch), options.seed)),
        step_(plan, {.optimizer = {.kind = options.optimizer, .learning_rate = 1e-3},
                     .workers = static_cast<std::size_t>(threads),
                     .update = UpdateStyle::separate}),
        times_(static_cast<std::size_t>(threads), Times(plan->graph().layers.size())),
        seconds_(plan->graph().layers.size()) {
    const std::vector<float> start = initial_weights(*plan, options.seed);
    weights_.assign(start.begin(), start.end());
    step_.set_timer([this](std::size_t worker, std::size_t layer, Pass pass, double seconds) {
      times_[worker][layer][index_of(pass)] += seconds;
    });
  }

  void step() {
    for (Times& times : times_) std::fill(times.begin(), times.end(), std::array<double, passes>{});
    const auto start = std::chrono::steady_clock::now();
    step_.run(weights_, whole(samples_));
    step_seconds_.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    keep_shares(step_seconds_.back());
  }
  void forget() {
    seconds_.assign(seconds_.size(), {});
    step_seconds_.clear();
  }
  /// Of whole steps.
  [[nodiscard]] const std::vector<double>& step_seconds() const { return step_seconds_; }
  [[nodiscard]] const StepSeconds& seconds() const { return seconds_; }

 private:
  using Times = std::vector<std::array<double, passes>>;  // by layer

  /// The threads' work on each pass of each layer. What the passes of the layers do not account for, waiting for each
  /// other above all, is spread over the forward and backward work, so that the rows add up to the step.
  void keep_shares(double step) {
    Times work(seconds_.size());
    std::array<double, passes> sums{};
    for (std::size_t layer = 0; layer < work.size(); ++layer) {
      for (std::size_t pass = 0; pass < passes; ++pass) {
        for (const Times& times : times_) work[layer][pass] += times[layer][pass];
        sums[pass] += work[layer][pass];
      }
    }
    const double update = sums[index_of(Pass::optimizer)];  // measured as it passes, not as work
    const double stretch = (step - update) / (sums[index_of(Pass::forward)] + sums[index_of(Pass::backward)]);
    for (std::size_t layer = 0; layer < work.size(); ++layer) {
      for (std::size_t pass = 0; pass < passes; ++pass) {
        const bool shared_out = pass != index_of(Pass::optimizer);
        seconds_[layer][pass].push_back(work[layer][pass] * (shared_out ? stretch : 1.0));
      }
    }
  }

  Samples samples_;
  AlignedVector weights_;  // as training holds them: unaligned, the optimizer alone takes several times as long
  TrainingStep step_;
  std::vector<Times> times_;  // by thread, of this step
  StepSeconds seconds_;
  std::vector<double> step_seconds_;
};

std::vector<std::string> notes_of(const ProfileOptions& options) {
  return {
      fmt::format("machine: {}, {} logical cores", processor_name(), logical_cores()),
      fmt::format("build: gcc-compatible compiler {}, {}; products by {}", __VERSION__, simd_level(), gemm_backend()),
      fmt::format("each row: median, 10th and 90th percentile of {} steps after {} for warming up", options.repeats,
                  options.warm_up),
      fmt::format("optimizer: {}", name_of(options.optimizer))};
}

std::string energy_note(const std::optional<Joules>& counted, const std::vector<double>& seconds, int batch,
                        int threads) {
  const std::string at = fmt::format("energy: batch {}, {} thread{}:", batch, threads, threads == 1 ? "" : "s");
  if (counted) {
    return fmt::format("{} {:.4g} J per step by RAPL (whole processor packages, {} steps)", at,
                       counted->value() / static_cast<double>(seconds.size()), seconds.size());
  }
  const Watts power = assumed_host_power(threads).typical;
  const Seconds step(quantile(seconds, 0.5));
  return fmt::format("{} {:.4g} J per step by device model ({:.4g} W assumed x {:.4g} s)", at, (power * step).value(),
                     power.value(), step.value());
}

}  // namespace

StepProfile measure_profile(const LayerGraph& graph, const ProfileOptions& options) {
  ORRERY_EXPECT(options.repeats > 0 && options.warm_up >= 0);
  StepProfile profile{.network = graph.name, .notes = notes_of(options), .rows = {}};
  const auto plan = std::make_shared<const ExecutionPlan>(graph);
  const int steps = options.warm_up + options.repeats;
  const double all = static_cast<double>(options.batches.size() * options.threads.size()) * steps;
  std::optional<PackageEnergy> packages = PackageEnergy::open(options.powercap);
  double done = 0;
  for (const int threads : options.threads) {
    for (const int batch : options.batches) {
      ORRERY_EXPECT(batch > 0 && threads > 0);
      ProfiledCase measured(plan, batch, threads, options);
      for (int step = 0; step < steps; ++step) {
        if (step == options.warm_up) {
          measured.forget();
          if (packages) (void)packages->since_last();
        }
        measured.step();
        if (options.progress) options.progress(++done / all);
      }
      const std::optional<Joules> energy = packages ? packages->since_last() : std::nullopt;
      profile.notes.push_back(energy_note(energy, measured.step_seconds(), batch, threads));
      const std::vector<ProfileRow> rows =
          profile_rows(graph, measured.seconds(), {batch, threads, optimizer_flops(options.optimizer)});
      profile.rows.insert(profile.rows.end(), rows.begin(), rows.end());
    }
  }
  return profile;
}

}  // namespace orrery
