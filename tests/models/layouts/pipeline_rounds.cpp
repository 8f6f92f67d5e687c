// Rounds of micro-batches that repeat, and are left out of a replay, against replays of all of them.
#include <cstdint>
#include <vector>

#include "models/layouts/pipeline_replay.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using testing::pipeline;

struct Drawn {
  Layout layout;
  std::vector<StageTime> chunks;
  std::vector<PipelineHop> hops;
  int microbatches = 0;
};

double time_of(const Drawn& drawn, double waiting, ReplayedRounds rounds) {
  return PipelineReplay(rounds).time(drawn.chunks, drawn.hops, drawn.layout, drawn.microbatches, waiting).value();
}

/// Messages of up to twice a forward pass; stages that share ports with the one after the next.
Drawn draw(Random& random) {
  Drawn drawn;
  const int stages = 2 + static_cast<int>(random.below(9));
  const auto schedule = static_cast<PipelineSchedule>(random.below(3));
  const int chunks = schedule == PipelineSchedule::one_f_one_b ? 1 + static_cast<int>(random.below(4)) : 1;
  drawn.layout = pipeline(stages, chunks, schedule);
  const double weights = schedule == PipelineSchedule::zero_bubble ? 0.9 : 0.0;
  drawn.chunks.assign(static_cast<std::size_t>(stages * chunks), {Seconds(1), Seconds(2 - weights), Seconds(weights)});
  drawn.chunks.back().forward *= random.uniform(1, 1.4);
  drawn.hops = hops_of_own_ports(drawn.layout, Seconds(random.uniform(0, 0.2)), Seconds(random.uniform(0, 1.8)));
  if (random.below(2) == 0) {
    for (PipelineHop& hop : drawn.hops) hop.port = hop.port / 2 * 2;
  }
  drawn.microbatches = stages * (4 + static_cast<int>(random.below(60)));
  return drawn;
}

}  // namespace

TEST_CASE("rounds that repeat are left out without a trace") {
  for (const PipelineSchedule schedule :
       {PipelineSchedule::gpipe, PipelineSchedule::one_f_one_b, PipelineSchedule::zero_bubble}) {
    Drawn drawn;
    drawn.layout = pipeline(4, 1, schedule);
    drawn.chunks.assign(4, {Seconds(1), Seconds(1.5), Seconds(0.5)});
    drawn.hops = hops_of_own_ports(drawn.layout, Seconds(0.1), Seconds(0.4));
    drawn.microbatches = 400;
    for (const double waiting : {0.0, 0.5, 1.0}) {
      INFO(name_of(schedule) << ", waiting " << waiting);
      PipelineReplay all(ReplayedRounds::all), unlike;
      const auto ask = [&](PipelineReplay& replay) {
        return replay.time(drawn.chunks, drawn.hops, drawn.layout, drawn.microbatches, waiting).value();
      };
      CHECK(ask(unlike) == Approx(ask(all)).epsilon(1e-9));
      CHECK(unlike.tasks_replayed() < all.tasks_replayed() / 5);
    }
  }
}

TEST_CASE("a replay without the rounds that repeat is the whole one, whatever the pipeline") {
  Random random(11);
  int exact = 0;
  for (int i = 0; i < 400; ++i) {
    const Drawn drawn = draw(random);
    const double waiting = static_cast<double>(random.below(3)) / 2.0;
    INFO(i << ": " << name_of(drawn.layout.schedule) << " " << drawn.layout.pp << " x " << drawn.layout.interleave
           << ", " << drawn.microbatches << " micro-batches, hops of " << slowest_of(drawn.hops).value() << ", waiting "
           << waiting);
    const double whole = time_of(drawn, waiting, ReplayedRounds::all);
    const double part = time_of(drawn, waiting, ReplayedRounds::unlike);
    CHECK(part == Approx(whole).epsilon(0.01));
    if (part == Approx(whole).epsilon(1e-9)) ++exact;
  }
  CHECK(exact >= 390);  // the others do not come to repeat themselves before most_tasks are done
}

TEST_CASE("of unequal stages a replay without the rounds that repeat is the whole one to 3 %") {
  Random random(5);
  for (int i = 0; i < 200; ++i) {
    Drawn drawn = draw(random);
    for (StageTime& chunk : drawn.chunks) {
      chunk.forward *= random.uniform(0.5, 2), chunk.backward *= random.uniform(0.5, 2);
    }
    drawn.hops = hops_of_own_ports(drawn.layout, Seconds(random.uniform(0, 0.2)), Seconds(random.uniform(0, 1.8)));
    const auto waiting = static_cast<double>(random.below(2));
    INFO(i << ": " << name_of(drawn.layout.schedule) << " " << drawn.layout.pp << " x " << drawn.layout.interleave);
    CHECK(time_of(drawn, waiting, ReplayedRounds::unlike) ==
          Approx(time_of(drawn, waiting, ReplayedRounds::all)).epsilon(0.03));
  }
}

TEST_CASE("a replay remembers an answer, and takes every part of the question for another one") {
  const Layout layout = pipeline(4);
  const std::vector<StageTime> chunks(4, {Seconds(1), Seconds(2), Seconds()});
  const std::vector<PipelineHop> hops = hops_of_own_ports(layout, Seconds(0.1), Seconds(1));
  PipelineReplay replay;
  const auto is_replayed = [&](const std::vector<StageTime>& of, const std::vector<PipelineHop>& over, const Layout& by,
                               int microbatches, double waiting) {
    const double answer = replay.time(of, over, by, microbatches, waiting).value();
    const bool is_new = replay.tasks_replayed() > 0;
    CHECK(answer == PipelineReplay().time(of, over, by, microbatches, waiting).value());
    return is_new;
  };
  CHECK(is_replayed(chunks, hops, layout, 8, 0));
  CHECK_FALSE(is_replayed(chunks, hops, layout, 8, 0));
  CHECK(is_replayed(chunks, hops, layout, 12, 0));
  CHECK(is_replayed(chunks, hops, layout, 8, 1));
  CHECK(is_replayed(chunks, hops, pipeline(4, 1, PipelineSchedule::gpipe), 8, 0));
  std::vector<StageTime> longer = chunks;
  longer[2].backward = Seconds(2.5);
  CHECK(is_replayed(longer, hops, layout, 8, 0));
  std::vector<PipelineHop> shared = hops;
  shared[1].port = 0;
  CHECK(is_replayed(chunks, shared, layout, 8, 0));
  CHECK_FALSE(is_replayed(chunks, hops, layout, 8, 0));
  for (int others = 0; others < 20; ++others) is_replayed(chunks, hops, layout, 16 + others, 0);
  CHECK(is_replayed(chunks, hops, layout, 8, 0));  // long ago
}

}  // namespace orrery
