#include "scenarios/search/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/layouts/blocks.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<std::int64_t>;

class Space {
 public:
  Space(const SearchSpec& spec, const TrainingJob& job, const Layout& base)
      : spec_(spec),
        job_(job),
        base_(base),
        sequence_(blocks_of(job.network)),
        devices_(spec.devices.value_or(job.cluster.devices())),
        blocks_(static_cast<std::int64_t>(dealt_blocks(sequence_))) {
    for (const Layer& layer : job.network.layers) {
      if (layer.kind == LayerKind::attention) heads_ = std::max(heads_, layer.heads);
      experts_ = std::max(experts_, layer.experts);
    }
  }

  std::vector<Layout> layouts() {
    for (const std::int64_t tp : degrees(spec_.tp, heads_)) {
      for (const std::int64_t pp : degrees(spec_.pp, blocks_)) {
        for (const std::int64_t cp : spec_.cp.empty() ? Numbers{1} : spec_.cp) add_replicas(tp, pp, cp);
      }
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] Numbers degrees(const Numbers& given, std::int64_t most) const {
    if (!given.empty()) return given;
    Numbers all;
    for (const std::int64_t divisor : divisors(devices_)) {
      if (divisor <= std::max<std::int64_t>(1, most)) all.push_back(divisor);
    }
    return all;
  }

  void add_replicas(std::int64_t tp, std::int64_t pp, std::int64_t cp) {
    const std::int64_t rest = tp * pp * cp;
    Numbers replicas = spec_.dp;
    if (replicas.empty() && rest <= devices_ && devices_ % rest == 0) replicas = {devices_ / rest};
    for (const std::int64_t dp : replicas) {
      if (dp * rest > devices_ || (spec_.devices && dp * rest != devices_)) continue;
      Layout layout = base_;
      layout.tp = static_cast<int>(tp), layout.pp = static_cast<int>(pp);
      layout.cp = static_cast<int>(cp), layout.dp = static_cast<int>(dp);
      add_expert_splits(layout);
    }
  }

  void add_expert_splits(Layout layout) {
    if (spec_.etp.empty() || layout.tp == 1) {
      add_experts(layout);
      return;
    }
    for (const ExpertSplit split : spec_.etp) {
      layout.etp = split == ExpertSplit::whole ? 1 : 0;
      add_experts(layout);
    }
  }

  void add_experts(Layout layout) {
    Numbers parts = spec_.ep;
    if (parts.empty()) parts = experts_ > 0 ? divisors(experts_) : Numbers{1};
    for (const std::int64_t ep : parts) {
      if (spec_.ep.empty() && ep > expert_ranks_in_step(layout)) continue;
      layout.ep = static_cast<int>(ep);
      add_pieces(layout);
    }
  }

  [[nodiscard]] Numbers microbatches_of(const Layout& layout) const {
    if (!spec_.microbatch.empty()) return spec_.microbatch;
    const std::int64_t share = job_.batch / layout.dp;
    Numbers sizes;
    for (std::int64_t size = 1; size <= 16; size *= 2) {
      if (size == 1 || (share > 0 && share % size == 0)) sizes.push_back(size);
    }
    return sizes;
  }

  [[nodiscard]] Numbers interleaves_of(const Layout& layout) const {
    if (layout.pp == 1) return {1};
    if (!spec_.interleave.empty()) return spec_.interleave;
    Numbers all;
    for (std::int64_t chunks = 1; chunks <= 8; ++chunks) {
      const bool may =
          base_.chunks == Chunks::uneven || divides_into(sequence_, static_cast<std::size_t>(chunks * layout.pp));
      if (chunks == 1 || may) all.push_back(chunks);
    }
    return all;
  }

  void add_pieces(Layout layout) {
    for (const std::int64_t size : microbatches_of(layout)) {
      layout.microbatch = size;
      for (const std::int64_t chunks : interleaves_of(layout)) {
        layout.interleave = static_cast<int>(chunks);
        add_states(layout);
      }
    }
  }

  void add_states(Layout layout) {
    Numbers stages = spec_.zero_stage;
    if (stages.empty()) stages = layout.pp == 1 ? Numbers{0, 1, 3} : Numbers{0, 1};
    if (spec_.zero_stage.empty() && layout.dp * layout.cp == 1) stages = {0};
    for (const std::int64_t stage : stages) {
      layout.zero_stage = static_cast<int>(stage);
      layout.zero_group = stage == 0 ? 0 : base_.zero_group;
      add_choices(layout);
    }
  }

  void add_choices(Layout layout) {
    using enum Recompute;
    const auto recomputes = spec_.recompute.empty() ? std::vector<Recompute>{none, selective, full} : spec_.recompute;
    auto schedules =
        spec_.schedule.empty() ? std::vector<PipelineSchedule>{PipelineSchedule::one_f_one_b} : spec_.schedule;
    if (layout.pp == 1) schedules = {PipelineSchedule::one_f_one_b};  // there is none to have
    auto sequences =
        spec_.sequence_parallel.empty() ? std::vector<SequenceParallel>{SequenceParallel::on} : spec_.sequence_parallel;
    if (layout.tp == 1) sequences = {SequenceParallel::off};
    for (const Recompute recompute : recomputes) {
      for (const PipelineSchedule schedule : schedules) {
        for (const SequenceParallel sequence : sequences) {
          layout.recompute = recompute, layout.schedule = schedule, layout.sequence_parallel = sequence;
          found_.push_back(layout);
        }
      }
    }
  }

  const SearchSpec& spec_;
  const TrainingJob& job_;
  const Layout& base_;
  BlockSequence sequence_;
  std::int64_t devices_, heads_ = 1, experts_ = 0, blocks_;
  std::vector<Layout> found_;
};

}  // namespace

std::vector<std::int64_t> divisors(std::int64_t number) {
  std::vector<std::int64_t> low, high;
  for (std::int64_t candidate = 1; candidate * candidate <= number; ++candidate) {
    if (number % candidate != 0) continue;
    low.push_back(candidate);
    if (candidate * candidate != number) high.push_back(number / candidate);
  }
  low.insert(low.end(), high.rbegin(), high.rend());
  return low;
}

std::optional<std::int64_t> asked_devices(const Scenario& scenario, std::size_t strategy) {
  const std::string path = fmt::format("strategy[{}].devices", strategy);
  const auto is_it = [&](const ResolvedValue& value) { return value.path == path && value.origin != "default"; };
  if (std::none_of(scenario.resolved.begin(), scenario.resolved.end(), is_it)) return std::nullopt;
  return scenario.strategies[strategy].devices;
}

std::vector<Layout> search_space(const SearchSpec& spec, const TrainingJob& job, const Layout& base) {
  return Space(spec, job, base).layouts();
}

}  // namespace orrery
