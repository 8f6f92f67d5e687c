// Pipelines whose first chunks get no gradients back, by hand.
#include "models/layouts/pipeline_replay.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using testing::pipeline;

/// Of a second forward and two backward, but for the first `frozen`, which go forward alone.
std::vector<StageTime> chunks_of(const Layout& layout, int frozen) {
  std::vector<StageTime> chunks(static_cast<std::size_t>(layout.pp * layout.interleave), {Seconds(1), Seconds(2), {}});
  for (int chunk = 0; chunk < frozen; ++chunk) {
    StageTime& here = chunks[static_cast<std::size_t>(chunk)];
    here.backward = Seconds(), here.returned = 0;
  }
  return chunks;
}

double replay(const std::vector<StageTime>& chunks, const Layout& layout, int microbatches, double wire,
              double waiting = 0, ReplayedRounds rounds = ReplayedRounds::unlike) {
  const std::vector<PipelineHop> hops = hops_of_own_ports(layout, Seconds(), Seconds(wire));
  return PipelineReplay(rounds).time(chunks, hops, layout, microbatches, waiting).value();
}

}  // namespace

TEST_CASE("two stages, the first frozen: its forward passes follow each other, and nothing goes back") {
  const Layout layout = pipeline(2);
  // First stage: F0 0-1, F1 1-2, F2 2-3. Last: F0 2-3, B0 3-5, F1 5-6, B1 6-8, F2 8-9, B2 9-11.
  CHECK(replay(chunks_of(layout, 1), layout, 3, 1) == Approx(11));
  CHECK(replay(chunks_of(layout, 1), layout, 3, 1, 1) == Approx(11));
  // Messages of 5 s, one after the other: F2 is there at 16.
  CHECK(replay(chunks_of(layout, 1), layout, 3, 5) == Approx(16 + 1 + 2));
  const Layout all_forward = pipeline(2, 1, PipelineSchedule::gpipe);
  // F0 2-3, F1 3-4, F2 4-5, then three backward passes.
  CHECK(replay(chunks_of(all_forward, 1), all_forward, 3, 1) == Approx(5 + 3 * 2));
}

TEST_CASE("gradients of a part of what was sent take that part of the wire") {
  const Layout layout = pipeline(2);
  std::vector<StageTime> chunks = chunks_of(layout, 0);
  chunks[0].returned = 0.5;
  // First stage: F0 0-1, F1 1-2, B0 5.5-7.5, B1 8.5-10.5. Last: F0 2-3, B0 3-5, F1 5-6, B1 6-8.
  CHECK(replay(chunks, layout, 2, 1) == Approx(10.5));
}

TEST_CASE("rounds that repeat are left out where the first stages run ahead, too") {
  for (const int stages : {2, 4, 8}) {
    for (const int frozen : {1, stages / 2, stages - 1}) {
      for (const double wire : {0.0, 0.3, 1.5}) {
        for (const double slow : {1.0, 4.0}) {  // the first stage may set the pace
          const Layout layout = pipeline(stages);
          std::vector<StageTime> chunks = chunks_of(layout, frozen);
          chunks.front().forward *= slow;
          INFO(stages << " stages, " << frozen << " frozen, " << wire << ", " << slow);
          CHECK(replay(chunks, layout, 64 * stages, wire) ==
                Approx(replay(chunks, layout, 64 * stages, wire, 0, ReplayedRounds::all)).epsilon(1e-9));
        }
      }
    }
  }
}

TEST_CASE("of very many micro-batches a part is replayed where the first stages run ahead, too") {
  const Layout layout = pipeline(4);
  const std::vector<StageTime> chunks = chunks_of(layout, 2);
  constexpr int most = PipelineReplay::most_tasks / (2 * 4), many = 10 * most;
  CHECK(replay(chunks, layout, many, 0.5) ==
        Approx(replay(chunks, layout, many, 0.5, 0, ReplayedRounds::all)).epsilon(1e-3));
}

}  // namespace orrery
