#include "analysis/validation/measured/solved_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "analysis/validation/measured/row_degrees.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr std::int64_t tried_microbatches[] = {1, 2, 4, 8};
constexpr Recompute tried_recomputes[] = {Recompute::none, Recompute::selective, Recompute::full};
constexpr std::int64_t most_chunks = 12;

std::vector<Layout> with_microbatches(const Layout& layout, const RowCase& open) {
  std::vector<Layout> layouts;
  for (const std::int64_t samples : tried_microbatches) {
    Layout tried = layout;
    if (open.open.microbatch) tried.microbatch = samples;
    if (open.job.batch % (tried.microbatch * tried.dp) == 0) layouts.push_back(tried);
    if (!open.open.microbatch) break;
  }
  return layouts;
}

std::vector<Layout> with_interleave(const Layout& layout, const RowCase& open) {
  std::vector<Layout> layouts = {layout};
  if (!open.open.interleave || layout.pp == 1) return layouts;
  const std::int64_t blocks = open.network.shape.layers / layout.pp;
  const bool divides = microbatches(layout, open.job.batch) % layout.pp == 0;
  const BlockSequence sequence = blocks_of(open.job.network);
  for (int chunks = 2; divides && chunks <= std::min(blocks, most_chunks); ++chunks) {
    layouts.push_back(layout);
    layouts.back().interleave = chunks;
    layouts.back().chunks = chunks_of(sequence, layouts.back());
  }
  return layouts;
}

std::vector<Layout> with_sharding(const Layout& layout, const RowCase& open) {
  if (!open.open.sharding) return {layout};
  std::vector<Layout> layouts = {layout, layout};
  layouts.back().zero_stage = 1;
  return layouts;
}

std::vector<Layout> with_recompute(const Layout& layout, const RowCase& open) {
  if (!open.open.recompute) return {layout};
  std::vector<Layout> layouts;
  for (const Recompute recompute : tried_recomputes) {
    layouts.push_back(layout);
    layouts.back().recompute = recompute;
  }
  return layouts;
}

std::vector<Layout> candidates(const RowCase& open) {
  std::vector<Layout> all = with_degrees(open);
  for (const auto widen : {with_microbatches, with_interleave, with_sharding, with_recompute}) {
    std::vector<Layout> wider;
    for (const Layout& layout : all) {
      const std::vector<Layout> more = widen(layout, open);
      wider.insert(wider.end(), more.begin(), more.end());
    }
    all = std::move(wider);
  }
  return all;
}

void add_degrees(std::vector<std::string>& parts, const OpenSettings& open, const Layout& layout) {
  if (!open.degrees()) return;
  parts.push_back(fmt::format("tp {}, pp {}, dp {}", layout.tp, layout.pp, layout.dp));
  if (layout.etp == 1) parts.emplace_back("etp 1");
  const bool is_sequence_parallel = layout.sequence_parallel == SequenceParallel::on;
  if (open.tensor && layout.tp > 1) {
    parts.emplace_back(is_sequence_parallel ? "sequence parallel" : "no sequence parallelism");
  }
  if (open.pipeline && !open.interleave && layout.pp > 1) {
    parts.push_back(fmt::format("interleave {}", layout.interleave));
  }
}

/// What was open and is now settled, and by what; empty when that was the batch alone.
std::string settled(const OpenSettings& open, const ChosenLayout& chosen) {
  const Layout& layout = chosen.layout;
  std::vector<std::string> parts;
  add_degrees(parts, open, layout);
  if (open.microbatch) parts.push_back(fmt::format("micro-batch {}", layout.microbatch));
  if (open.sharding) parts.push_back(fmt::format("zero_stage {}", layout.zero_stage));
  if (open.interleave) parts.push_back(fmt::format("interleave {}", layout.interleave));
  if ((open.interleave || open.pipeline) && layout.chunks == Chunks::uneven) parts.emplace_back("uneven chunks");
  if (open.recompute) parts.push_back(fmt::format("recompute {}", name_of(layout.recompute)));
  if (parts.empty()) return {};
  return join(parts, ", ") + (chosen.fits ? " (the fastest that fits)" : " (needs least memory: nothing fits)");
}

/// The largest micro-batch of a power of two that fits, one per replica and step; 1 when none does.
void set_largest_batch(RowCase& open) {
  constexpr std::int64_t most = 256;
  const char* why = "nothing fits";
  for (std::int64_t samples = most; samples >= 1; samples /= 2) {
    open.job.batch = samples * open.layout.dp;
    open.layout.microbatch = samples;
    LayoutJudge judge(open.job);
    if (!judge.obstacles(open.layout).empty()) continue;
    if (judge.memory(open.layout).peak() > open.job.cluster.device.memory) continue;
    why = "the largest that fits";
    break;
  }
  open.assumed.push_back(fmt::format("micro-batch {}, one per step ({})", open.layout.microbatch, why));
}

/// Published runs did fit: the model, or the row, is wrong about the memory.
void add_need(SolvedCase& solved) {
  const ClusterDescription& cluster = solved.row.job.cluster;
  if (solved.step.fits(cluster)) return;
  const LayoutMemory& memory = solved.step.memory;
  solved.row.assumed.push_back(fmt::format("needs {:.1f} of {:g} GiB", memory.peak().value() / gibi,
                                           cluster.group(memory.group).device.memory.value() / gibi));
}

SolvedCase solved_case(const MeasuredRow& row, const ValidationTables& tables) {
  SolvedCase solved;
  solved.row = case_of(row, tables);
  if (solved.row.open.batch) set_largest_batch(solved.row);
  if (solved.row.open.any()) {
    const ChosenLayout chosen = chosen_layout(solved.row);
    solved.row.layout = chosen.layout;
    if (solved.row.open.tensor) solved.row.job.network = solved.row.network.graph(chosen.layout.tp);
    const std::string words = settled(solved.row.open, chosen);
    if (!words.empty()) solved.row.assumed.push_back(words);
  }
  LayoutJudge judge(solved.row.job);
  const std::vector<std::string> obstacles = judge.obstacles(solved.row.layout);
  if (!obstacles.empty()) throw RowSkipped("cannot run: " + join(obstacles, "; "));
  solved.step = judge.predict(solved.row.layout);
  add_need(solved);
  const auto seconds = [](const StepPrediction& step) { return step.time().value(); };
  solved.seconds = predicted_range(solved.row.job, solved.row.layout, seconds, time_error(solved.row.job));
  solved.flops = counted_flops(solved.row.job.network);
  return solved;
}

}  // namespace

ChosenLayout chosen_layout(const RowCase& open) {
  LayoutJudge judge(open.job);
  std::optional<Layout> fastest, smallest;
  Seconds least_time;
  Bytes least_memory;
  std::string obstacle = "batch " + std::to_string(open.job.batch) + " does not divide";
  for (const Layout& layout : candidates(open)) {
    const std::vector<std::string> obstacles = judge.obstacles(layout);
    if (!obstacles.empty()) {
      obstacle = obstacles.front();
      continue;
    }
    const StepPrediction step = judge.predict(layout);
    if (step.fits(open.job.cluster) && (!fastest || step.time() < least_time)) {
      fastest = layout;
      least_time = step.time();
    }
    if (!smallest || step.memory.peak() < least_memory) {
      smallest = layout;
      least_memory = step.memory.peak();
    }
  }
  if (!smallest) throw RowSkipped("no setting of what the row leaves open can run: " + obstacle);
  return {fastest ? *fastest : *smallest, fastest.has_value()};
}

const SolvedCase& CaseSolver::solve(const MeasuredRow& row) {
  const auto [at, is_new] = kept_.try_emplace(case_key(row));
  Kept& kept = at->second;
  if (is_new) {
    try {
      kept.solved = std::make_shared<const SolvedCase>(solved_case(row, *tables_));
    } catch (const RowSkipped& skipped) {
      kept.skipped = skipped.what();
    } catch (const Infeasible& infeasible) {
      kept.skipped = infeasible.what();
    }
  }
  if (kept.solved == nullptr) throw RowSkipped(kept.skipped);
  return *kept.solved;
}

}  // namespace orrery
