// How long the stages of a pipeline take together, messages between them included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/layouts/layout.hpp"

namespace orrery {

/// One micro-batch on all chunks of one stage, or on one of them.
struct StageTime {
  Seconds forward, backward;  // backward: of the inputs and, but for ZB-H1, of the weights
  Seconds weights;            // ZB-H1: their gradients, apart
  double returned = 1;  // of what a chunk sends on, the share whose gradients come back: below it something trains
  [[nodiscard]] Seconds total() const { return forward + backward + weights; }
};

/// Whether a stage goes on while it sends.
enum class Sending : std::uint8_t { beside, waits };

/// The step is microbatches x the slowest stage + bubble + messages.
struct PipelineTime {
  std::size_t slowest = 0;
  Seconds bubble;
  Seconds messages;  // that show
};

/// Without messages, over p stages and m micro-batches: 1F1B (m - 1) max + sum of the stages where they are equal or
/// the last is the slowest. Else of the stages i the one that is done last: its own m micro-batches; the stages before
/// it, once; and what it waits for those behind it, d in all, at the beginning d less its other warm-up passes, w =
/// min(p - i - 1, m - 1) forward, and at the end d less as many backward (where m = w + 1, with no passes between the
/// two, the longer of them). Exact where backward is as many times forward on every stage; else up to 3 % too fast,
/// 5 % with fewer micro-batches than stages (of 1,000 pipelines drawn at random, of stages up to three times as long as
/// others whose forward shares differ by up to a fifth). GPipe the same as 1F1B for forward and backward apart; ZB-H1:
/// the gradients of the weights fill the bubble, (p - 1)(forward + backward of inputs - of weights) (Qi et al. 2023),
/// of equal stages and many micro-batches; predictions replay it.
///
/// Interleaved over v chunks c that are equal inside, the first longer by d, the last by e: the longest of what three
/// stages do in their m micro-batches and wait for beside. The last: (p - 1) c (Narayanan et al. 2021) and p d, as the
/// first micro-batches wait for p passes of the first chunk (d, where that is shorter). The first: (p - 2) c - p d
/// + p e, as its longer chunk fills its bubble; at least (p - 1)(backward of c - forward of its own), until its first
/// gradients are there (less by as much as the last chunk is shorter), and p e. One inside: (p - 2) c, its backward
/// less its forward, and p d. Found by comparison with the replay: has_unlike_chunks() keeps it within 1 % of it.
///
/// `chunks`: of the network, in its order, of a stage every pp-th.
/// `transfers`: of a message from each stage to the next one or back, where chunks are interleaved from the last to the
/// first, too. All of them show twice on the way of the first micro-batch, 2 v times when chunks are interleaved (the
/// last to the first 2 (v - 1) times). A stage that waits for what it sends (`waiting` 1; between 0 and 1 the share of
/// that time) is slower by its messages, 2 v per micro-batch, the first and the last stage one fewer. In 1F1B stages
/// i .. k keep k - i + 1 micro-batches between them, whose messages there and back they wait for, waiting or not: their
/// pace is (sum of the stages i .. k + 2 x sum of the transfers between them) / (k - i + 1). Compared with the flow
/// engine where messages are short (up to 2 % of a pass): exact where the last stage is the slowest, else within 0.3 %;
/// ZB-H1 1 %. Beyond slow_message() of a pass see pipeline_replay.hpp.
PipelineTime pipeline_time(const std::vector<StageTime>& chunks, const Layout& layout, double microbatches,
                           const std::vector<Seconds>& transfers, double waiting);

}  // namespace orrery
