// Ranks that more tokens visit than others.
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;
using Told = std::vector<std::string>;

/// Of eight experts, two per token.
TrainingJob visited(double imbalance, double capacity = 0) {
  TrainingJob job = experts_job(8);
  job.expert_imbalance = imbalance, job.capacity_factor = capacity;
  job.framework.node_dispatch = Ranged(0);  // a copy for every expert
  return job;
}

Layout spread(int ep) {
  Layout layout;
  layout.dp = 8, layout.ep = ep;
  return layout;
}

ChunkPrice price(const TrainingJob& job, const Layout& layout) {
  return LayoutJudge(job).prices(layout).stages[0].chunks[0];
}

}  // namespace

TEST_CASE("ranks that have all experts are visited alike, whatever the imbalance, and slots are filled up there, too") {
  Layout slices = spread(1);
  slices.dp = 4, slices.tp = 2, slices.sequence_parallel = SequenceParallel::on;
  Layout whole = slices;
  whole.etp = 1;
  for (const Layout& layout : {spread(1), slices, whole}) {
    const StepPrediction even = LayoutJudge(visited(1)).predict(layout);
    const StepPrediction uneven = LayoutJudge(visited(4)).predict(layout);
    CHECK(uneven.time() == even.time());
    CHECK(uneven.memory.peak() == even.memory.peak());
    CHECK(price(visited(1, 2), layout).forward > price(visited(1), layout).forward);
  }
  whole.ep = 2;  // dealt over the two slices
  CHECK(price(visited(2), whole).forward > price(visited(1), whole).forward);
}

TEST_CASE("imbalance moves visits from rank to rank: the busiest takes longer, all together send as much") {
  const ChunkPrice even = price(visited(1), spread(8)), twice = price(visited(2), spread(8));
  const ChunkPrice slots = price(visited(1, 2), spread(8)), few = price(visited(1, 0.5), spread(8));
  // Four blocks send each of 2048 tokens of 1024 numbers to two experts and back, seven of eight of these elsewhere.
  const double sent = 4.0 * 2 * 2048 * 1024 * 2 * 2 * 7 / 8;
  CHECK(even.expert_sent.forward.total().value() == Approx(sent));
  CHECK(twice.expert_sent.forward.total().value() == Approx(sent));
  CHECK(twice.expert_sent.backward.total().value() == Approx(sent));
  CHECK(slots.expert_sent.forward.total().value() == Approx(2 * sent));
  CHECK(few.expert_sent.forward.total().value() == Approx(sent / 2));
  CHECK(twice.expert_forward.value() == Approx(slots.expert_forward.value()));
  CHECK(twice.expert_forward > even.expert_forward * 1.5);
  CHECK(twice.forward == slots.forward);
}

TEST_CASE("no rank has more than every token's visits to as many experts as it holds") {
  const auto obstacles = [](double imbalance, int ep) { return LayoutJudge(visited(imbalance)).obstacles(spread(ep)); };
  // Two visits a token: with two ranks of four experts both may go to one, twice the mean; an expert alone has one of
  // them, 8 / 2 times the mean.
  CHECK(obstacles(2, 2).empty());
  CHECK(obstacles(4, 4).empty());
  CHECK(obstacles(4, 8).empty());
  CHECK(obstacles(4.5, 1).empty());
  CHECK(obstacles(4.5, 8) == Told{"expert_imbalance 4.5: a token visits no expert twice, so of ep 8 ranks the busiest "
                                  "has up to 4 times the mean - use expert_imbalance 4"});
  CHECK(obstacles(4, 2) == Told{"expert_imbalance 4: a token visits no expert twice, so of ep 2 ranks the busiest has "
                                "up to 2 times the mean - use expert_imbalance 2"});
  CHECK(LayoutJudge(visited(4.5, 6)).obstacles(spread(8)).empty());  // slots alone count
}

}  // namespace orrery
