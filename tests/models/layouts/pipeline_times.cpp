// Stages and messages by hand; tests/scenarios/hybrid_steps.cpp compares them with simulated programs.
#include "models/layouts/pipeline_time.hpp"

#include "models/layouts/pipeline_replay.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using testing::pipeline;

/// Stages of 1 s forward and 2 s backward; the last one is `last` times as long: its last chunk is longer, or all are
/// shorter.
double step(const Layout& layout, double microbatches, double last = 1, double message = 0, double waiting = 0) {
  const double share = 1.0 / layout.interleave;
  const auto stages = static_cast<std::size_t>(layout.pp);
  std::vector<StageTime> chunks(stages * static_cast<std::size_t>(layout.interleave),
                                {Seconds(share), Seconds(2 * share), {}});
  if (last >= 1) chunks.back().forward += Seconds(last - 1), chunks.back().backward += Seconds(2 * (last - 1));
  for (std::size_t i = stages - 1; last < 1 && i < chunks.size(); i += stages) {
    chunks[i].forward *= last, chunks[i].backward *= last;
  }
  const std::vector<Seconds> transfers = totals_of(hops_of_own_ports(layout, Seconds(message), {}));
  const PipelineTime time = pipeline_time(chunks, layout, microbatches, transfers, waiting);
  const double slowest = time.slowest + 1 == stages ? std::max(last, 1.0) : 1.0;
  return 3 * slowest * microbatches + (time.bubble + time.messages).value();
}

}  // namespace

TEST_CASE("stages with free messages take m max and a bubble of the others") {
  CHECK(step(pipeline(8), 64) == Approx(213));     // 64 x 3 + 7 x 3
  CHECK(step(pipeline(8, 3), 64) == Approx(199));  // a third of the bubble
  CHECK(step(pipeline(8), 64, 1.3) == Approx(270.6));
  CHECK(step(pipeline(8, 3), 64, 1.3) == Approx(256.6));
  CHECK(step(pipeline(35, 3), 280) == Approx(874));
  CHECK(step(pipeline(1), 5) == Approx(15));
}

TEST_CASE("a slow stage before fast ones works while they answer") {
  const auto one_f_one_b = [](std::vector<StageTime> stages, double microbatches) {
    const PipelineTime time = pipeline_time(stages, pipeline(static_cast<int>(stages.size())), microbatches, {}, 0);
    return (stages[time.slowest].total() * microbatches + time.bubble).value();
  };
  const StageTime slow{Seconds(2), Seconds(4), {}}, fast{Seconds(1), Seconds(2), {}};
  // The slow one: F0 0-2, F1 2-4, F2 4-6, B0 8-12, then one after the other, F3, B1, B2, B3, until 26.
  CHECK(one_f_one_b({slow, fast, fast}, 4) == Approx(26));
  CHECK(one_f_one_b({fast, slow, fast}, 4) == Approx(3 + 24 + 1));  // waits for 3 - 2 of the last at the beginning
  CHECK(one_f_one_b({fast, fast, slow}, 4) == Approx(6 + 24));      // never
  CHECK(one_f_one_b({slow, fast, fast}, 1) == Approx(6 + 3 + 3));
  CHECK(one_f_one_b({slow, fast, fast}, 2) == Approx(12 + 6 - 2));  // B0 after 2 + 6, when F1 has filled 2 of 6
}

TEST_CASE("a stage alone has no bubble, not even of rounding") {
  for (const double forward : {0.1, 0.3, 0.7}) {
    for (const double microbatches : {3.0, 7.0, 24.0}) {
      const std::vector<StageTime> alone = {{Seconds(forward), Seconds(2 * forward), {}}};
      CHECK(pipeline_time(alone, pipeline(1), microbatches, {}, 1).bubble == Seconds());
    }
  }
}

TEST_CASE("messages of two stages and four micro-batches, step by step") {
  // Each stage sends one message of 0.5 s per micro-batch. Waiting: 3 x 3.5 more than the 6 + 2 x 0.5 of the first.
  CHECK(step(pipeline(2), 4, 1, 0.5, 1) == Approx(17.5));
  // Beside: the stages wait for each other's answers once in two micro-batches, 6 + 2 x 0.5, and 3 of the third.
  CHECK(step(pipeline(2), 4, 1, 0.5, 0) == Approx(17));
  CHECK(step(pipeline(2), 4, 1, 0.5, 0.5) == Approx(17.25));
  const Layout all_first = pipeline(2, 1, PipelineSchedule::gpipe);
  CHECK(step(all_first, 4, 1, 0.5, 0) == Approx(16));  // 4 x 3 + 3, there and back once
  CHECK(step(all_first, 4, 1, 0.5, 1) == Approx(19));  // and 3 more of each
  // Chunks: the first micro-batch goes through four, there and back.
  CHECK(step(pipeline(2, 2), 4, 1, 0.1, 0) == Approx(12 + 1.5 + 6 * 0.1));
}

TEST_CASE("messages only add, more when stages wait for them") {
  for (const PipelineSchedule schedule :
       {PipelineSchedule::one_f_one_b, PipelineSchedule::gpipe, PipelineSchedule::zero_bubble}) {
    for (const int chunks : {1, 2, 4}) {
      if (chunks > 1 && schedule != PipelineSchedule::one_f_one_b) continue;
      for (const int stages : {2, 3, 8}) {
        for (const double last : {0.8, 1.0, 1.2}) {
          double before = step(pipeline(stages, chunks, schedule), 16, last);
          for (const double message : {0.001, 0.1, 1.0, 10.0}) {
            const double beside = step(pipeline(stages, chunks, schedule), 16, last, message, 0);
            CHECK(beside >= before);
            CHECK(step(pipeline(stages, chunks, schedule), 16, last, message, 1) >= beside - 1e-9);
            before = beside;
          }
        }
      }
    }
  }
}

}  // namespace orrery
