// Which blocks stand in which chunk of a pipeline.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "models/cost/framework_kernels.hpp"
#include "models/layouts/mixed_state.hpp"

namespace orrery {

const LayoutJudge::State::ChunkPlan& LayoutJudge::State::plan_for(const Layout& layout) {
  const int chunks = layout.pp * layout.interleave;
  if (layout.chunks == Chunks::uneven) return uneven_plan_for(layout);
  // Equal blocks are dealt by their number, others by what they weigh in this layout.
  const PriceKey key = has_repeated_blocks(sequence_) ? PriceKey{chunks} : key_of(chunks, layout);
  const auto [at, is_new] = plans_.try_emplace(key);
  if (!is_new) return at->second;
  std::vector<double> weights;
  for (const Block& block : sequence_.blocks) {
    const BlockPrice& price = price_of(block.klass, layout);
    weights.push_back((price.forward + price.backward_input + price.backward_weights).value());
  }
  return at->second = plan_of(deal_blocks(sequence_, static_cast<std::size_t>(chunks), weights));
}

/// By the time that a micro-batch takes on each block, recomputation and what shows of exchanges included.
const LayoutJudge::State::ChunkPlan& LayoutJudge::State::uneven_plan_for(const Layout& layout) {
  constexpr int half = 32;  // as many chunks on other stages are others
  PriceKey key = key_of((std::int64_t{layout.pp} << half) + layout.interleave, layout);
  key.back() = 1 + static_cast<std::int64_t>(layout.recompute);  // which no price depends on
  const auto [at, is_new] = plans_.try_emplace(key);
  if (!is_new) return at->second;
  const std::vector<PassTimes> times = times_of_runs(layout);
  std::vector<double> weights;
  // What sets the pace of all blocks together, devices or their hosts, has to be shared out.
  const PassTimes& all = times.back();
  const auto forward = all.forward < all.host_forward ? &PassTimes::host_forward : &PassTimes::forward;
  const auto backward = all.backward < all.host_backward ? &PassTimes::host_backward : &PassTimes::backward;
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    const Seconds both = times[i + 1].*forward - times[i].*forward + (times[i + 1].*backward - times[i].*backward);
    weights.push_back(both.value());
  }
  const auto stages = static_cast<std::size_t>(layout.pp),
             chunks = stages * static_cast<std::size_t>(layout.interleave);
  return at->second = plan_of(deal_blocks_by_weight(chunks, stages, weights));
}

LayoutJudge::State::ChunkPlan LayoutJudge::State::plan_of(const std::vector<std::size_t>& starts) const {
  const std::size_t classes = sequence_.classes.size();
  ChunkPlan plan;
  plan.starts = starts;
  plan.counts.assign((starts.size() - 1) * classes, 0);
  for (std::size_t chunk = 0; chunk + 1 < starts.size(); ++chunk) {
    for (std::size_t i = starts[chunk]; i < starts[chunk + 1]; ++i) {
      ++plan.counts[chunk * classes + sequence_.blocks[i].klass];
    }
    plan.last.push_back(sequence_.blocks[starts[chunk + 1] - 1].klass);
  }
  return plan;
}

std::vector<PassTimes> LayoutJudge::State::times_of_runs(const Layout& layout) {
  const FrameworkProfile& framework = job_.framework;
  std::vector<std::uint32_t> one(sequence_.classes.size(), 0);
  std::vector<PassTimes> of_class;
  for (std::size_t klass = 0; klass < one.size(); ++klass) {
    one[klass] = 1;
    HostKernels kernels;
    const StageWork work = work_without_host(one.data(), klass, layout, kernels);
    of_class.push_back(
        {work.forward_time(), work.backward_time(), kernels.forward_time(framework), kernels.backward_time(framework)});
    one[klass] = 0;
  }
  std::vector<PassTimes> times(1);
  for (const Block& block : sequence_.blocks) {
    times.push_back(times.back());
    times.back() += of_class[block.klass];
  }
  return times;
}

Seconds LayoutJudge::State::time_of_run(const PassTimes& before, const PassTimes& until) const {
  const auto pass = [this](Seconds device, Seconds calls) {
    return std::max(device, host_pass(device, calls, job_.framework));
  };
  return pass(until.forward - before.forward, until.host_forward - before.host_forward) +
         pass(until.backward - before.backward, until.host_backward - before.host_backward);
}

std::string LayoutJudge::State::layers_of(int stage, const ChunkPlan& plan, const Layout& layout) const {
  const std::size_t classes = sequence_.classes.size(), step = static_cast<std::size_t>(layout.pp) * classes;
  std::string text;
  for (std::size_t klass = 0; klass < classes; ++klass) {
    std::uint32_t count = 0;
    for (std::size_t at = static_cast<std::size_t>(stage) * classes; at < plan.counts.size(); at += step) {
      count += plan.counts[at + klass];
    }
    if (count == 0) continue;
    const Block& block = sequence_.blocks[sequence_.classes[klass]];
    const std::string& first = job_.network.layers[block.first].name;
    const std::string& last = job_.network.layers[block.end - 1].name;
    const bool is_placed = first.find('.') != std::string::npos;
    const std::string name = is_placed       ? first.substr(0, first.find('.'))
                             : first == last ? first
                                             : first + " to " + last;
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", count > 1 ? fmt::format("{} x ", count) : "", name);
  }
  return text;
}

/// By speed, stages on different kinds hold layers for the same time; a stage of which replicas stand on several kinds
/// counts as the slowest of them, because all replicas cut the network alike.
LayoutJudge::State::ChunkPlan LayoutJudge::MixedState::plan_for(const ReplicaPlaces& places, const Layout& layout) {
  State& first = *kinds_.front();
  if (layout.balance == Balance::equal || !places.stages_differ()) return first.plan_for(layout);
  std::vector<NodeKinds> kinds;  // by stage
  std::vector<std::vector<PassTimes>> times(kinds_.size());
  for (std::size_t stage = 0; stage < static_cast<std::size_t>(layout.pp); ++stage) {
    kinds.push_back(places.of_stage(stage));
    for (const std::size_t kind : kinds.back()) {
      if (times[kind].empty()) times[kind] = kinds_[kind]->times_of_runs(layout);
    }
  }
  const auto seconds = [&](std::size_t stage, std::size_t from, std::size_t end) {
    Seconds most;
    for (const std::size_t kind : kinds[stage]) {
      most = std::max(most, kinds_[kind]->time_of_run(times[kind][from], times[kind][end]));
    }
    return most.value();
  };
  return first.plan_of(deal_blocks_by_time(kinds.size(), first.sequence().blocks.size(), seconds));
}

}  // namespace orrery
