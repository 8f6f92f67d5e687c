// Interleaved chunks that are not equal: what the closed form knows of them, and what it leaves to the replay.
#include "models/layouts/pipeline_replay.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using testing::pipeline;

/// Of 1 s forward, 2 s backward.
std::vector<StageTime> equal_chunks(const Layout& layout) {
  return {static_cast<std::size_t>(layout.pp * layout.interleave), {Seconds(1), Seconds(2), {}}};
}

void lengthen(StageTime& chunk, double forward, double backward) {
  chunk.forward += Seconds(forward), chunk.backward += Seconds(backward);
}

double form(const std::vector<StageTime>& chunks, const Layout& layout, int microbatches) {
  const auto stages = static_cast<std::size_t>(layout.pp);
  const PipelineTime time = pipeline_time(chunks, layout, microbatches, {}, 0);
  Seconds slowest;
  for (std::size_t i = time.slowest; i < chunks.size(); i += stages) slowest += chunks[i].total();
  return (slowest * microbatches + time.bubble + time.messages).value();
}

double replay(const std::vector<StageTime>& chunks, const Layout& layout, int microbatches) {
  const std::vector<PipelineHop> free = hops_of_own_ports(layout, {}, {});
  return PipelineReplay(ReplayedRounds::all).time(chunks, free, layout, microbatches, 0).value();
}

}  // namespace

TEST_CASE("a longer first chunk holds up the passes of the first micro-batches, then fills its stage's bubble") {
  const Layout layout = pipeline(2, 2);
  std::vector<StageTime> chunks = equal_chunks(layout);
  lengthen(chunks.front(), 0.1, 0.1);
  // The last stage: m x 2 chunks of 3, one that it waits for, and 0.2 of the first for each of two micro-batches.
  CHECK(form(chunks, layout, 2) == Approx(12 + 3 + 0.4));
  CHECK(form(chunks, layout, 8) == Approx(48 + 3 + 0.4));
  // The first, all 40 of its 6.2: it waits for 2 - 1.1 before its first gradients, for nothing after them.
  CHECK(form(chunks, layout, 40) == Approx(248 + 0.9));
  for (const int microbatches : {2, 8, 40}) {
    CHECK(form(chunks, layout, microbatches) == Approx(replay(chunks, layout, microbatches)).epsilon(1e-12));
  }
}

TEST_CASE("of chunks that are alike enough the closed form is within 1 % of the replay") {
  struct Longer {
    double first, last;
  };
  const Longer ends = GENERATE(values<Longer>({{0, 0},
                                               {0.01, 0},
                                               {0.05, 0.05},
                                               {0.2, 0},
                                               {0.2, 0.4},
                                               {0.2, 2},
                                               {0, 0.4},
                                               {0, -0.25},
                                               {-0.5, -0.25},
                                               {-0.9, 0},
                                               {-0.9, 2},
                                               {-0.2, -0.2},
                                               {-0.9, -0.9}}));
  const double inside = GENERATE(0.0, 0.007);
  for (const int stages : {2, 3, 4, 8, 16}) {
    if (stages == 2 && ends.last < -shorter_last) continue;
    for (const int interleave : {2, 3, 6}) {
      const Layout layout = pipeline(stages, interleave);
      std::vector<StageTime> chunks = equal_chunks(layout);
      for (std::size_t i = 1; i + 1 < chunks.size(); ++i) {
        const double more = i * 7 % 5 < 2 ? inside : -inside;
        lengthen(chunks[i], more, 2 * more);
      }
      const double first = ends.first > 0 ? ends.first * (1 - inside) - inside : ends.first;
      lengthen(chunks.front(), first, 2 * first);
      lengthen(chunks.back(), ends.last, 2 * ends.last);
      REQUIRE_FALSE(has_unlike_chunks(chunks, layout));
      for (const int rounds : {1, 2, 3, 5, 16}) {
        INFO(stages << " x " << interleave << ", " << rounds << " rounds, first " << ends.first << ", last "
                    << ends.last << ", inside +-" << inside);
        CHECK(form(chunks, layout, stages * rounds) == Approx(replay(chunks, layout, stages * rounds)).epsilon(0.01));
      }
    }
  }
}

TEST_CASE("ends of a pipeline that are shorter leave its stages inside waiting") {
  const Layout layout = pipeline(4, 2);
  std::vector<StageTime> chunks = equal_chunks(layout);
  lengthen(chunks.front(), -0.5, -1), lengthen(chunks.back(), -0.25, -0.5);
  // One inside: m x 2 chunks of 3, the two others inside, 2 - 1 - 0.75 longer back, all 1.5 sooner for the first.
  CHECK(form(chunks, layout, 40) == Approx(240 + 6 + 0.25 - 1.5));
  CHECK(form(chunks, layout, 40) == Approx(replay(chunks, layout, 40)).epsilon(1e-12));
}

TEST_CASE("chunks inside that differ, a first much longer, or a last much shorter are replayed") {
  const Layout layout = pipeline(4, 2);
  const auto unlike = [&layout](std::size_t chunk, double forward, double backward) {
    std::vector<StageTime> chunks = equal_chunks(layout);
    lengthen(chunks[chunk], forward, backward);
    return has_unlike_chunks(chunks, layout);
  };
  CHECK_FALSE(unlike(3, 0, 0));
  CHECK(unlike(3, 0.02, 0));
  CHECK(unlike(3, 0, -0.04));
  CHECK(unlike(0, 0.31, 0.3));
  CHECK_FALSE(unlike(0, 0.59, 0));
  CHECK_FALSE(unlike(0, 0.2, 0.4));
  CHECK_FALSE(unlike(0, -0.9, -1.8));
  CHECK_FALSE(unlike(7, -0.2, -0.4));
  CHECK_FALSE(unlike(7, 3, 0));
  std::vector<StageTime> both = equal_chunks(layout);
  lengthen(both.front(), 0.1, 0.2), lengthen(both.back(), -0.1, -0.2);
  CHECK(has_unlike_chunks(both, layout));
  both.front() = both[1];
  CHECK_FALSE(has_unlike_chunks(both, layout));
  std::vector<StageTime> two = equal_chunks(pipeline(2, 2));
  lengthen(two.back(), 0, -0.6);
  CHECK(has_unlike_chunks(two, pipeline(2, 2)));
  CHECK_FALSE(has_unlike_chunks({{Seconds(1), Seconds(2), {}}, {Seconds(5), Seconds(9), {}}}, pipeline(2)));
}

}  // namespace orrery
