// How blocks are dealt to the chunks of a pipeline.
#include <algorithm>
#include <limits>
#include <numeric>

#include "models/layouts/blocks.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

std::vector<std::size_t> deal_repeated(const BlockSequence& sequence, std::size_t chunks) {
  const auto is_dealt = [](const Block& block) { return block.is_dealt; };
  const auto& blocks = sequence.blocks;
  const auto before = static_cast<std::size_t>(std::find_if(blocks.begin(), blocks.end(), is_dealt) - blocks.begin());
  const std::size_t all = dealt_blocks(sequence), each = all / chunks;
  std::size_t left = all % chunks;
  std::vector<std::size_t> counts(chunks, each);
  // One more for chunks that have nothing else, from the second on.
  for (std::size_t chunk = 1; chunk + 1 < chunks && left > 0; ++chunk, --left) ++counts[chunk];
  for (std::size_t chunk = 0; chunk < chunks && left > 0; ++chunk, --left) ++counts[chunk];
  std::vector<std::size_t> starts = {0};
  std::size_t next = before;
  for (std::size_t chunk = 0; chunk + 1 < chunks; ++chunk) {
    std::size_t dealt = 0;
    while (dealt < counts[chunk]) dealt += is_dealt(blocks[next++]) ? 1 : 0;
    starts.push_back(next);
  }
  starts.push_back(blocks.size());
  return starts;
}

/// [chunk][first block]: what the heaviest of this chunk and those behind it weighs at least when they hold the blocks
/// from that one on.
std::vector<std::vector<double>> lightest_rests(std::size_t chunks, std::size_t blocks, const RunWeight& weight) {
  std::vector<std::vector<double>> rest(chunks + 1,
                                        std::vector<double>(blocks + 1, std::numeric_limits<double>::infinity()));
  rest[chunks][blocks] = 0;
  for (std::size_t chunk = chunks; chunk-- > 0;) {
    const std::size_t behind = chunks - chunk - 1;
    for (std::size_t first = chunk; first + behind < blocks; ++first) {
      double& least = rest[chunk][first];
      for (std::size_t end = first + 1; end + behind <= blocks; ++end) {
        const double run = weight(chunk, first, end);
        if (run >= least) break;  // a longer run is no lighter
        least = std::min(least, std::max(run, rest[chunk + 1][end]));
      }
    }
  }
  return rest;
}

std::vector<std::size_t> deal_evenly(std::size_t chunks, std::size_t blocks, const RunWeight& weight) {
  constexpr double rounding = 1e-9;  // equal runs summed in different order
  const std::vector<std::vector<double>> rest = lightest_rests(chunks, blocks, weight);
  const double limit = rest[0][0] * (1 + rounding);
  std::vector<std::size_t> starts = {0};
  for (std::size_t chunk = 0; chunk + 1 < chunks; ++chunk) {
    std::size_t longest = starts.back() + 1;
    for (std::size_t end = longest; end < blocks && weight(chunk, starts.back(), end) <= limit; ++end) {
      if (rest[chunk + 1][end] <= limit) longest = end;
    }
    starts.push_back(longest);
  }
  starts.push_back(blocks);
  return starts;
}

/// Where the weights come nearest to equal chunks of them.
std::vector<std::size_t> nearest_cuts(std::size_t chunks, const std::vector<double>& weights) {
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::size_t> starts = {0};
  std::size_t next = 0;
  double before = 0;  // of the blocks before the next one
  for (std::size_t chunk = 1; chunk < chunks; ++chunk) {
    const double share = all * static_cast<double>(chunk) / static_cast<double>(chunks);
    const std::size_t last = weights.size() - (chunks - chunk);  // a block for each chunk behind
    do {
      before += weights[next++];
    } while (next < last && before + weights[next] / 2 <= share);
    starts.push_back(next);
  }
  starts.push_back(weights.size());
  return starts;
}

/// Moves blocks from chunk to chunk: those between pass one on each.
class BlockMoves {
 public:
  BlockMoves(std::vector<std::size_t>& starts, std::size_t stages, const std::vector<double>& weights)
      : starts_(starts), stages_(stages), before_(1) {
    for (const double weight : weights) before_.push_back(before_.back() + weight);
    now_ = cost();
  }

  /// The first move that is for the better; false: there is none.
  bool improve() {
    for (std::size_t first = 1; first + 1 < starts_.size(); ++first) {
      for (std::size_t last = first; last + 1 < starts_.size(); ++last) {
        if (keeps_blocks(first - 1) && is_better_moved(first, last, -1)) return true;
        if (keeps_blocks(last) && is_better_moved(first, last, 1)) return true;
      }
    }
    return false;
  }

 private:
  /// Sums of squares. unlike: of how far chunks of a round (one of each stage, which work on them at about the same
  /// time: the longest is the pace of all) are from their mean, and of the stages.
  struct Cost {
    double unlike = 0, chunks = 0;
  };

  [[nodiscard]] bool keeps_blocks(std::size_t chunk) const { return starts_[chunk + 1] - starts_[chunk] > 1; }

  [[nodiscard]] Cost cost() const {
    const std::size_t chunks = starts_.size() - 1;
    std::vector<double> stages(stages_), rounds(chunks / stages_);
    Cost cost;
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      const double weight = before_[starts_[chunk + 1]] - before_[starts_[chunk]];
      stages[chunk % stages_] += weight;
      rounds[chunk / stages_] += weight;
      cost.chunks += weight * weight;
    }
    cost.unlike = cost.chunks;
    for (const double round : rounds) cost.unlike -= round * round / static_cast<double>(stages_);
    for (const double stage : stages) cost.unlike += stage * stage;
    return cost;
  }

  /// Cuts `first` to `last`, a block further or back; undone where that is for the worse.
  bool is_better_moved(std::size_t first, std::size_t last, int step) {
    for (std::size_t cut = first; cut <= last; ++cut) starts_[cut] += static_cast<std::size_t>(step);
    const Cost moved = cost();
    constexpr double rounding = 1e-9;
    const bool are_more_alike = moved.unlike < now_.unlike * (1 - rounding);
    const bool are_as_alike = moved.unlike <= now_.unlike * (1 + rounding);
    if (are_more_alike || (are_as_alike && moved.chunks < now_.chunks * (1 - rounding))) {
      now_ = moved;
      return true;
    }
    for (std::size_t cut = first; cut <= last; ++cut) starts_[cut] -= static_cast<std::size_t>(step);
    return false;
  }

  std::vector<std::size_t>& starts_;
  std::size_t stages_;
  std::vector<double> before_;  // weights of the blocks before each
  Cost now_;
};

}  // namespace

std::vector<std::size_t> deal_blocks(const BlockSequence& sequence, std::size_t chunks,
                                     const std::vector<double>& weights) {
  ORRERY_EXPECT(chunks >= 1 && chunks <= dealt_blocks(sequence) + (has_repeated_blocks(sequence) ? 2 : 0));
  if (has_repeated_blocks(sequence)) return deal_repeated(sequence, chunks);
  std::vector<double> before = {0};
  for (const double weight : weights) before.push_back(before.back() + weight);
  return deal_evenly(chunks, weights.size(), [&](std::size_t /*chunk*/, std::size_t first, std::size_t end) {
    return before[end] - before[first];
  });
}

std::vector<std::size_t> deal_blocks_by_weight(std::size_t chunks, std::size_t stages,
                                               const std::vector<double>& weights) {
  ORRERY_EXPECT(stages >= 1 && chunks >= stages && chunks % stages == 0 && weights.size() >= chunks);
  std::vector<std::size_t> starts = nearest_cuts(chunks, weights);
  BlockMoves moves(starts, stages, weights);
  while (moves.improve()) continue;
  return starts;
}

std::vector<std::size_t> deal_blocks_by_time(std::size_t chunks, std::size_t blocks, const RunWeight& seconds) {
  ORRERY_EXPECT(chunks >= 1 && blocks >= chunks);
  return deal_evenly(chunks, blocks, seconds);
}

}  // namespace orrery
