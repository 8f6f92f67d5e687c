// The optimizer's part of a step.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/cost/cost_model.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/layouts/judge_state.hpp"

namespace orrery {
namespace {

/// An outer step in fp32, every number read or written once: before the exchange the shared and the own parameters are
/// read and their difference written; after it the summed difference, the momentum and the shared parameters are read,
/// and momentum, shared and own parameters written.
constexpr double outer_update_bytes = 9 * 4;

/// The lowest chunk that goes back: below it nothing trains.
std::size_t first_to_train(const std::vector<StageWork>& chunks) {
  std::size_t chunk = 0;
  while (chunk + 1 < chunks.size() && chunks[chunk].returned <= 0) ++chunk;
  return chunk;
}

/// After a stage's last gradients of inputs (ZB-H1: the gradients of weights of as many micro-batches are left, or
/// all).
Seconds work_left(const StageWork& chunk, std::size_t stage, std::int64_t count, PipelineSchedule schedule) {
  const auto passes = static_cast<double>(std::min(static_cast<std::int64_t>(stage) + 1, count));
  return weights_apart(chunk, schedule) * passes;
}

/// What of an update is left so much later.
UpdateTime begun_before(const UpdateTime& update, Seconds early) {
  if (update.total() <= early) return {};
  const double left = 1.0 - early / update.total();
  return {update.working * left, update.waiting * left};
}

}  // namespace

Seconds LayoutJudge::State::update_time(const StageWork& stage, double bytes_each, const Layout& layout) const {
  const double held = stage.parameters / state_shares(layout) + stage.expert_parameters / expert_state_shares(layout);
  if (layout.offload == Offload::optimizer) {
    return Seconds(held * job_.framework.offload_ns_per_parameter.value * 1e-9);
  }
  return Seconds(streamed(held * bytes_each));
}

Seconds LayoutJudge::State::gradient_sums(const StageWork& stage) const {
  const double numbers = stage.parameters + stage.expert_parameters;
  return Seconds(streamed(numbers * gradient_sum_bytes(job_.framework, job_.precision)));
}

double LayoutJudge::State::streamed(double bytes) const {
  const double bandwidth = job_.cluster.device.memory_bandwidth.value() * job_.device_law.memory_share.value;
  return bandwidth > 0 ? bytes / bandwidth : 0.0;
}

double LayoutJudge::State::update_bytes() const {
  return orrery::update_bytes(job_.framework, job_.optimizer, job_.precision);
}

UpdateTime LayoutJudge::State::optimizer_time(const StageWork& stage, const Layout& layout) const {
  const FrameworkProfile& software = job_.framework;
  UpdateTime update{update_time(stage, update_bytes(), layout), Seconds()};
  if (layout.outer.islands > 1) {
    update.working += update_time(stage, outer_update_bytes, layout) / layout.outer.every;
  }
  Seconds host(static_cast<double>(job_.batch) / layout.dp * software.host_sample_us.value * micro);
  if (layout.offload == Offload::optimizer) {
    std::swap(update.working, update.waiting);
  } else if (software.host_update_us.value > 0) {
    const double tensors =
        stage.weight_tensors / state_shares(layout) + stage.expert_weight_tensors / expert_state_shares(layout);
    const double kernels = tensors * unfused_update(job_.optimizer).operations;
    update.waiting += Seconds(kernels * job_.device_law.kernel_launch_us.value * micro);
    host += Seconds(kernels * software.host_update_us.value * micro);
  }
  update.waiting += std::max(Seconds(), host - stage.lead - update.total());
  update.waiting += Seconds(software.host_iteration_ms.value * 1e-3);
  return update;
}

UpdateTime LayoutJudge::State::update_of_step(const std::vector<StageWork>& chunks,
                                              const std::vector<StageWork>& stages,
                                              const std::vector<PipelineHop>& hops, const Layout& layout) const {
  const std::size_t count = stages.size(), first = first_to_train(chunks), end = std::min(first + count, chunks.size());
  const std::int64_t passes = microbatches(layout, job_.batch);
  std::vector<Seconds> done;  // against the last gradients of inputs of all
  Seconds sent, latest;
  for (std::size_t chunk = first; chunk < end; ++chunk) {
    done.push_back(sent + work_left(chunks[chunk], chunk % count, passes, layout.schedule));
    latest = chunk == first ? done.back() : std::max(latest, done.back());
    if (chunk + 1 == end) break;
    sent -= chunks[chunk].backward_time() - weights_apart(chunks[chunk], layout.schedule) + hops[chunk % count].total();
  }
  UpdateTime last;
  for (std::size_t chunk = first; chunk < end; ++chunk) {
    const std::size_t stage = chunk % count;
    const bool meets_other_end = tied_numbers_ > 0 && (stage == 0 || stage + 1 == count);
    const Seconds early = meets_other_end ? Seconds() : latest - done[chunk - first];
    last = longer(last, begun_before(optimizer_time(stages[stage], layout), early));
  }
  return last;
}

}  // namespace orrery
