// Pipelines with slow messages by hand; tests/scenarios/slow_pipelines.cpp compares them with simulated ones.
#include "models/layouts/pipeline_replay.hpp"

#include "tests/catch.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using testing::pipeline;

std::vector<StageTime> equal_chunks(const Layout& layout, double forward, double backward) {
  const double weights = layout.schedule == PipelineSchedule::zero_bubble ? 1.0 : 0.0;
  return {static_cast<std::size_t>(layout.pp * layout.interleave),
          {Seconds(forward), Seconds(backward - weights), Seconds(weights)}};
}

void lengthen(StageTime& chunk, double times) {
  chunk.forward *= times, chunk.backward *= times, chunk.weights *= times;
}

std::vector<StageTime> stages_of(const std::vector<StageTime>& chunks, const Layout& layout) {
  std::vector<StageTime> stages(static_cast<std::size_t>(layout.pp));
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    StageTime& stage = stages[i % stages.size()];
    stage.forward += chunks[i].forward, stage.backward += chunks[i].backward, stage.weights += chunks[i].weights;
  }
  return stages;
}

/// In closed form.
double form(const std::vector<StageTime>& chunks, const Layout& layout, int microbatches,
            const std::vector<PipelineHop>& hops, double waiting) {
  const std::vector<StageTime> stages = stages_of(chunks, layout);
  const PipelineTime time = pipeline_time(chunks, layout, microbatches, totals_of(hops), waiting);
  return (stages[time.slowest].total() * microbatches + time.bubble + time.messages).value();
}

double form(const std::vector<StageTime>& chunks, const Layout& layout, int microbatches, double message,
            double waiting) {
  return form(chunks, layout, microbatches, hops_of_own_ports(layout, Seconds(message), {}), waiting);
}

double replay(const std::vector<StageTime>& chunks, const Layout& layout, int microbatches, double beside, double wire,
              double waiting) {
  const std::vector<PipelineHop> hops = hops_of_own_ports(layout, Seconds(beside), Seconds(wire));
  return PipelineReplay().time(chunks, hops, layout, microbatches, waiting).value();
}

struct PipelineKind {
  PipelineSchedule schedule;
  int chunks;
};
constexpr PipelineKind kinds[] = {{PipelineSchedule::one_f_one_b, 1}, {PipelineSchedule::one_f_one_b, 2},
                                  {PipelineSchedule::one_f_one_b, 3}, {PipelineSchedule::one_f_one_b, 6},
                                  {PipelineSchedule::gpipe, 1},       {PipelineSchedule::zero_bubble, 1}};

}  // namespace

TEST_CASE("two stages, two micro-batches, messages as long as a forward pass") {
  const Layout layout = pipeline(2);
  const std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
  // First stage: F0 0-1, F1 1-2, B0 6-8, B1 9-11. Last: F0 2-3, B0 3-5, F1 5-6, B1 6-8.
  CHECK(replay(chunks, layout, 2, 0, 1, 0) == Approx(11));
  CHECK(replay(chunks, layout, 2, 1, 0, 0) == Approx(11));
  CHECK(replay(chunks, layout, 2, 0.25, 0.75, 0) == Approx(11));
  // Waiting, the last stage begins F1 at 6, ends B1 at 9; its gradients are there at 10.
  CHECK(replay(chunks, layout, 2, 0, 1, 1) == Approx(12));
  CHECK(replay(chunks, layout, 2, 0, 1, 0.5) == Approx(11.5));
  // All forward: F0 2-3, F1 3-4 on the last, B1 4-6, B0 6-8; on the first B1 7-9, B0 9-11.
  CHECK(replay(chunks, pipeline(2, 1, PipelineSchedule::gpipe), 2, 0, 1, 0) == Approx(11));
}

TEST_CASE("messages that come to a stage at once share its port") {
  const Layout layout = pipeline(3);
  const std::vector<StageTime> chunks = equal_chunks(layout, 1, 1);
  // The middle stage's third activations come 9-13 alone, its first gradients from 12 on: they end at 14 and 17. From
  // then on messages go one after the other: the first stage's backward passes begin at 22, 30 and 37.
  CHECK(replay(chunks, layout, 3, 0, 4, 0) == Approx(38));
  CHECK(replay(chunks, layout, 3, 4, 0, 0) == Approx(37));  // what is beside the wire shares nothing
}

TEST_CASE("stages on the same NICs share them, each way alone") {
  // Stages 2 and 3 of six share a NIC. What enters and leaves their node then takes up to twice as long.
  const Layout layout = pipeline(6);
  const std::vector<StageTime> chunks = equal_chunks(layout, 1, 1);
  std::vector<PipelineHop> hops = hops_of_own_ports(layout, Seconds(), Seconds(2));
  const double apart = PipelineReplay().time(chunks, hops, layout, 12, 0).value();
  hops[1].next_port = hops[3].port = 8;
  const double together = PipelineReplay().time(chunks, hops, layout, 12, 0).value();
  CHECK(together > apart);
  hops[3].port = 9;
  CHECK(PipelineReplay().time(chunks, hops, layout, 12, 0).value() == Approx(apart));
}

TEST_CASE("with free messages a replay is the closed form") {
  for (const PipelineKind& kind : kinds) {
    for (const int stages : {2, 3, 8}) {
      for (const int rounds : {1, 2, 8}) {
        const Layout layout = pipeline(stages, kind.chunks, kind.schedule);
        const std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
        for (const double waiting : {0.0, 1.0}) {
          CHECK(replay(chunks, layout, stages * rounds, 0, 0, waiting) ==
                Approx(form(chunks, layout, stages * rounds, 0, waiting)).epsilon(1e-12));
        }
      }
    }
  }
}

TEST_CASE("with free messages a replay of unequal stages is the closed form") {
  for (const int stages : {2, 3, 5, 8, 16}) {
    for (const int microbatches : {1, 2, 3, 7, 16, 40}) {
      for (const int every : {2, 3, 5}) {
        for (int first = 0; first < every; ++first) {
          const Layout layout = pipeline(stages);
          std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
          for (int i = first; i < stages; i += every) lengthen(chunks[static_cast<std::size_t>(i)], 2);
          INFO(stages << " stages, " << microbatches << " micro-batches, " << first << " of " << every);
          CHECK(replay(chunks, layout, microbatches, 0, 0, 0) ==
                Approx(form(chunks, layout, microbatches, 0, 0)).epsilon(1e-12));
        }
      }
    }
  }
}

TEST_CASE("slower messages make no pipeline faster, nor does waiting for them") {
  for (const PipelineKind& kind : kinds) {
    for (const int stages : {2, 3, 4, 8}) {
      const Layout layout = pipeline(stages, kind.chunks, kind.schedule);
      std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
      lengthen(chunks.back(), 1.4);
      double before = replay(chunks, layout, 4 * stages, 0, 0, 0);
      for (const double message : {0.1, 0.2, 0.4, 0.8, 1.2, 2.0, 3.0, 10.0}) {
        INFO(name_of(kind.schedule) << " " << stages << " x " << kind.chunks << ", " << message);
        const double beside = replay(chunks, layout, 4 * stages, 0.1 * message, 0.9 * message, 0);
        CHECK(beside >= before);
        CHECK(replay(chunks, layout, 4 * stages, 0.1 * message, 0.9 * message, 1) >= beside);
        before = beside;
      }
    }
  }
}

TEST_CASE("messages up to slow_message() are the closed form's to 1 %") {
  for (const PipelineKind& kind : kinds) {
    for (const int stages : {2, 3, 4, 8, 16}) {
      for (const int rounds : {1, 2, 4, 8}) {
        for (const double last : {1.0, 1.05, 1.4}) {
          const Layout layout = pipeline(stages, kind.chunks, kind.schedule);
          std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
          lengthen(chunks.back(), last);
          for (const double waiting : {0.0, 1.0}) {
            const double message = slow_message(layout, waiting);
            CHECK_FALSE(has_slow_messages(chunks, hops_of_own_ports(layout, {}, Seconds(message)), layout, waiting));
            INFO(name_of(kind.schedule) << " " << stages << " x " << kind.chunks << ", " << rounds << ", " << last
                                        << ", " << waiting);
            CHECK(form(chunks, layout, stages * rounds, message, waiting) ==
                  Approx(replay(chunks, layout, stages * rounds, 0, message, waiting)).epsilon(0.01));
          }
        }
      }
    }
  }
}

TEST_CASE("of short messages, some of which stay in a node, the closed form is within 1 %") {
  for (const PipelineKind& kind : kinds) {
    for (const int stages : {2, 3, 4, 8, 16}) {
      for (const int rounds : {1, 2, 8}) {
        for (const int in_node : {2, 4}) {
          const Layout layout = pipeline(stages, kind.chunks, kind.schedule);
          const std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
          std::vector<PipelineHop> hops = hops_of_own_ports(layout, {}, Seconds(1));
          for (std::size_t i = 0; i < hops.size(); ++i) {
            if ((i + 1) % static_cast<std::size_t>(in_node) != 0) hops[i].wire = Seconds(0.1);
          }
          for (const double waiting : {0.0, 1.0}) {
            const double slow = slow_message(layout, waiting) / slowest_of(hops).value();
            for (PipelineHop& hop : hops) hop.wire *= slow;
            CHECK_FALSE(has_slow_messages(chunks, hops, layout, waiting));
            INFO(name_of(kind.schedule) << " " << stages << " x " << kind.chunks << ", " << rounds << " rounds, "
                                        << in_node << ", " << waiting);
            CHECK(form(chunks, layout, stages * rounds, hops, waiting) ==
                  Approx(PipelineReplay().time(chunks, hops, layout, stages * rounds, waiting).value()).epsilon(0.01));
          }
        }
      }
    }
  }
}

TEST_CASE("the first stage waits for data that come one micro-batch after the other") {
  const auto loaded = [](const Layout& layout, int microbatches, double load, ReplayedRounds rounds) {
    const std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
    const std::vector<PipelineHop> free = hops_of_own_ports(layout, {}, {});
    return PipelineReplay(rounds).time(chunks, free, layout, microbatches, 0, Seconds(load)).value();
  };
  // The first micro-batch's data are there; F1 begins at 4 instead of 1, B1 of the last stage at 6, and ends at 10.
  CHECK(loaded(pipeline(2), 2, 4, ReplayedRounds::all) == Approx(10));
  CHECK(loaded(pipeline(1), 4, 3.5, ReplayedRounds::all) == Approx(3 * 3.5 + 3));
  CHECK(loaded(pipeline(2), 2, 1, ReplayedRounds::all) == Approx(9));
  for (const Layout& layout : {pipeline(4), pipeline(4, 3), pipeline(4, 1, PipelineSchedule::gpipe)}) {
    const double pace = 3.0 * layout.interleave;
    for (const double load : {0.9, 1.5, 0.9 * pace, 1.1 * pace, 3 * pace}) {
      for (const int microbatches : {8, 64}) {
        INFO(name_of(layout.schedule) << " x " << layout.interleave << ", " << load << ", " << microbatches);
        const double all = loaded(layout, microbatches, load, ReplayedRounds::all);
        CHECK(all >= (microbatches - 1) * load + pace);
        CHECK(loaded(layout, microbatches, load, ReplayedRounds::unlike) == Approx(all).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("of many micro-batches a part is replayed, and its pace is that of the others") {
  const Layout layout = pipeline(4);
  std::vector<StageTime> chunks = equal_chunks(layout, 1, 2);
  lengthen(chunks.back(), 1.2);
  constexpr int most = PipelineReplay::most_tasks / (2 * 4);
  for (const double waiting : {0.0, 1.0}) {
    // The four wait for each other's answers, 3 x 3 + 3.6 and three messages there and back for four micro-batches, or
    // a stage inside for what it sends, 3 + 2.
    const double pace = waiting > 0 ? 5 : 4.65;
    const double whole = replay(chunks, layout, most, 0, 1, waiting);
    CHECK(replay(chunks, layout, most + 2, 0, 1, waiting) == Approx(whole + 2 * pace).epsilon(1e-4));
    CHECK(replay(chunks, layout, 10 * most, 0, 1, waiting) == Approx(whole + 9 * most * pace).epsilon(1e-4));
  }
}

}  // namespace orrery
