// Programs of layouts against the closed forms of pipelines.
#include <algorithm>
#include <map>
#include <tuple>

#include "models/layouts/pipeline_replay.hpp"
#include "scenarios/strategies/hybrid_step.hpp"
#include "sim/engine/engine.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

/// Stages of `chunks` chunks that share their forward and backward time out evenly.
LayoutPrices equal_prices(int stages, int chunks, double forward, double backward, double weights = 0) {
  ChunkPrice chunk;
  chunk.forward = Seconds(forward / chunks);
  chunk.backward_input = Seconds((backward - weights) / chunks);
  chunk.backward_weights = Seconds(weights / chunks);
  LayoutPrices prices;
  StagePrice stage;
  stage.chunks.assign(static_cast<std::size_t>(chunks), chunk);
  prices.stages.assign(static_cast<std::size_t>(stages), stage);
  return prices;
}

HybridOptions pipeline(int stages, int chunks, PipelineSchedule schedule = PipelineSchedule::one_f_one_b) {
  HybridOptions options;
  options.layout.pp = stages;
  options.layout.interleave = chunks;
  options.layout.schedule = schedule;
  return options;
}

/// Devices on a network whose messages take `latency` and no more.
Records run(const HybridOptions& options, const LayoutPrices& prices, int microbatches,
            const FrameworkProfile& framework = {}, Seconds latency = {}, Seconds load = {}) {
  const HybridRanks ranks(options.layout, foldings(options).front());
  ClusterDescription description;
  description.nodes = static_cast<int>(ranks.count());
  Link free;
  free.id = "free";
  free.down = free.up = BytesPerSecond(1e30);
  free.latency = latency;
  description.network_link = free;
  const Cluster cluster = build_cluster(description);
  HybridStep step{options, prices, framework, ranks, microbatches, 1, load, {}, {}};
  Program program(ranks.count());
  write_hybrid_step(step, program);
  REQUIRE(check(program) == std::vector<std::string>{});
  std::vector<DeviceId> hosts;
  for (std::size_t rank = 0; rank < ranks.count(); ++rank) hosts.emplace_back(rank);
  const auto kernel = make_closed_form_kernel(cluster.platform);
  return run_program(program, *kernel, hosts, {});
}

double makespan(int stages, int chunks, int microbatches, double last = 1.0,
                PipelineSchedule schedule = PipelineSchedule::one_f_one_b) {
  LayoutPrices prices = equal_prices(stages, chunks, 1, 2);
  for (ChunkPrice& chunk : prices.stages.back().chunks) chunk.forward *= last, chunk.backward_input *= last;
  return run(pipeline(stages, chunks, schedule), prices, microbatches).makespan.value();
}

/// How many there are in a step of two micro-batches, by pass and bytes.
std::map<std::pair<Phase, double>, int> messages_of(const HybridOptions& options, const LayoutPrices& prices) {
  const HybridRanks ranks(options.layout, foldings(options).front());
  const FrameworkProfile framework;
  const HybridStep step{options, prices, framework, ranks, 2, 1, {}, {}, {}};
  Program program(ranks.count());
  write_hybrid_step(step, program);
  std::map<std::pair<Phase, double>, int> messages;
  for (const Op& op : program.ops()) {
    if (const auto* send = std::get_if<Send>(&op.action)) ++messages[{op.phase, send->bytes.value()}];
  }
  return messages;
}

}  // namespace

TEST_CASE("1F1B takes (m - 1) max + sum, interleaved m max + (sum - max) / v") {
  CHECK(makespan(8, 1, 64) == Approx(213));
  CHECK(makespan(8, 3, 64) == Approx(199));
  CHECK(makespan(8, 1, 64, 1.3) == Approx(270.6));
  CHECK(makespan(8, 3, 64, 1.3) == Approx(256.6));
  CHECK(makespan(35, 3, 280) == Approx(874));
  CHECK(makespan(8, 1, 8) == Approx(45));
  CHECK(makespan(1, 1, 5) == Approx(15));
}

TEST_CASE("GPipe takes as long as 1F1B with equal stages") {
  CHECK(makespan(4, 1, 12, 1.0, PipelineSchedule::gpipe) == Approx(3 * (12 + 3)));
}

TEST_CASE("the bubble of ZB-H1 is (p - 1)(F + B - W)") {
  for (const auto& [forward, backward, weights] :
       {std::array{1.0, 2.0, 1.0}, std::array{1.2, 1.9, 0.8}, std::array{1.0, 2.2, 1.0}}) {
    const LayoutPrices prices = equal_prices(8, 1, forward, backward, weights);
    const Records records = run(pipeline(8, 1, PipelineSchedule::zero_bubble), prices, 32);
    const double input = backward - weights;
    CHECK(records.makespan.value() == Approx(32 * (forward + backward) + 7 * (forward + input - weights)));
  }
}

TEST_CASE("messages show in a step as the closed form says, to a fraction of a per cent") {
  FrameworkProfile blocking;
  blocking.blocking_transfers = Ranged(1.0);
  const double message = 0.001;
  const auto beyond = [&](int chunks, const FrameworkProfile& framework) {
    const LayoutPrices prices = equal_prices(8, chunks, 1, 2);
    const double free = run(pipeline(8, chunks), prices, 64, framework).makespan.value();
    return run(pipeline(8, chunks), prices, 64, framework, Seconds(message)).makespan.value() - free;
  };
  // p - 1 messages there and back, and for stages that wait every crossing in the steady state.
  CHECK(beyond(1, blocking) == Approx((2 * 7 + 2 * 63) * message).margin(0.02));
  CHECK(beyond(3, blocking) == Approx((2 * 7 + 2 * (64 * 3 - 1)) * message).margin(0.08));
  // Without waiting interleaved chunks leave time for them; in plain 1F1B every answer comes later by the way.
  CHECK(beyond(3, {}) < 0.2 * beyond(3, blocking));
  CHECK(beyond(1, {}) > 2 * 7 * message);
  CHECK(beyond(1, {}) <= beyond(1, blocking) + 1e-9);
}

TEST_CASE("pipelines with messages take what pipeline_time() says") {
  const auto [schedule, chunks, tolerance] =
      GENERATE(std::tuple{PipelineSchedule::one_f_one_b, 1, 0.003}, std::tuple{PipelineSchedule::one_f_one_b, 2, 0.003},
               std::tuple{PipelineSchedule::one_f_one_b, 3, 0.003}, std::tuple{PipelineSchedule::gpipe, 1, 1e-9},
               std::tuple{PipelineSchedule::zero_bubble, 1, 0.01});
  FrameworkProfile blocking;
  blocking.blocking_transfers = Ranged(1.0);
  const double weights = schedule == PipelineSchedule::zero_bubble ? 1.0 : 0.0;
  for (const int stages : {2, 4, 8}) {
    for (const int rounds : {1, 2, 8}) {
      for (const double last : {0.0, 0.05, 0.4}) {
        for (const double message : {0.0, 0.005, 0.02}) {
          LayoutPrices prices = equal_prices(stages, chunks, 1, 2, weights);
          prices.stages.back().chunks.back().forward += Seconds(last);  // the head
          prices.stages.back().chunks.back().backward_input += Seconds(last * (2 - weights));
          prices.stages.back().chunks.back().backward_weights += Seconds(last * weights);
          const StageTime chunk{Seconds(1.0 / chunks), Seconds((2 - weights) / chunks), Seconds(weights / chunks)};
          std::vector<StageTime> times(static_cast<std::size_t>(stages * chunks), chunk);
          times.back().forward += Seconds(last), times.back().backward += Seconds((2 - weights) * last);
          times.back().weights += Seconds(weights * last);
          const HybridOptions options = pipeline(stages, chunks, schedule);
          for (const double waiting : {0.0, 1.0}) {
            INFO(stages << " stages, " << rounds * stages << " micro-batches, " << last << ", " << message << ", "
                        << waiting);
            const auto transfers = totals_of(hops_of_own_ports(options.layout, Seconds(message), {}));
            const PipelineTime form = pipeline_time(times, options.layout, rounds * stages, transfers, waiting);
            const Seconds most = Seconds(3 * (1 + last)) * (rounds * stages);
            const Records records =
                run(options, prices, rounds * stages, waiting > 0 ? blocking : FrameworkProfile{}, Seconds(message));
            CHECK((most + form.bubble + form.messages).value() == Approx(records.makespan.value()).epsilon(tolerance));
          }
        }
      }
    }
  }
}

TEST_CASE("exchanges in the group, recomputation and the tail of the step add up") {
  HybridOptions options = pipeline(1, 1);
  options.layout.tp = 2;
  LayoutPrices prices = equal_prices(1, 1, 1, 2);
  ChunkPrice& chunk = prices.stages[0].chunks[0];
  chunk.tensor_forward = Seconds(0.1), chunk.tensor_backward = Seconds(0.2), chunk.tensor_recompute = Seconds(0.05);
  chunk.recompute = Seconds(0.5), chunk.context_forward = Seconds(0.01), chunk.expert_backward = Seconds(0.02);
  prices.stages[0].optimizer = Seconds(0.25);
  const Records records = run(options, prices, 4);
  CHECK(records.ranks == 1);
  CHECK(records.makespan.value() == Approx(4 * (1 + 2 + 0.5 + 0.1 + 0.2 + 0.05 + 0.01 + 0.02) + 0.25));
  options.fold = Folding::never;
  const Records unfolded = run(options, prices, 4);
  CHECK(unfolded.ranks == 2);
  CHECK(unfolded.makespan.value() == Approx(records.makespan.value()));
}

TEST_CASE("backward passes send back what the chunk before sent forward") {
  const HybridOptions options = pipeline(2, 2);
  LayoutPrices prices = equal_prices(2, 2, 1, 2);
  // Chunks 0 and 2 on stage 0, 1 and 3 on stage 1; what leaves the last is the loss, which nobody receives.
  prices.stages[0].chunks[0].boundary = Bytes(10), prices.stages[1].chunks[0].boundary = Bytes(20);
  prices.stages[0].chunks[1].boundary = Bytes(30), prices.stages[1].chunks[1].boundary = Bytes(0.25);
  const std::map<std::pair<Phase, double>, int> wanted = {{{Phase::forward, 10}, 2},  {{Phase::forward, 20}, 2},
                                                          {{Phase::forward, 30}, 2},  {{Phase::backward, 10}, 2},
                                                          {{Phase::backward, 20}, 2}, {{Phase::backward, 30}, 2}};
  CHECK(messages_of(options, prices) == wanted);
}

TEST_CASE("no gradients go back where nothing trains, and of a part of what was sent that part") {
  const HybridOptions options = pipeline(2, 2);
  LayoutPrices prices = equal_prices(2, 2, 1, 2);
  prices.stages[0].chunks[0].boundary = Bytes(10), prices.stages[0].chunks[0].returned = 0;
  prices.stages[1].chunks[0].boundary = Bytes(20), prices.stages[1].chunks[0].returned = 0.25;
  prices.stages[0].chunks[1].boundary = Bytes(30);
  const std::map<std::pair<Phase, double>, int> wanted = {{{Phase::forward, 10}, 2},
                                                          {{Phase::forward, 20}, 2},
                                                          {{Phase::forward, 30}, 2},
                                                          {{Phase::backward, 5}, 2},
                                                          {{Phase::backward, 30}, 2}};
  CHECK(messages_of(options, prices) == wanted);
  run(options, prices, 4);  // every message is received
}

TEST_CASE("a slow device holds its stage up, and a loader the whole pipeline") {
  const LayoutPrices prices = equal_prices(2, 1, 1, 2);
  HybridOptions options = pipeline(2, 1);
  options.straggler = SlowRank{1, 2.0};
  CHECK(run(options, prices, 8).makespan.value() == Approx(7 * 6 + 3 + 6));
  // 4 s per micro-batch against 3 s of computing: the first is there, every other and the next step's first take 4.
  const double loading = run(pipeline(2, 1), prices, 8, {}, {}, Seconds(4)).makespan.value();
  CHECK(loading == Approx(7 * 4 + 3 + 3));
  CHECK(run(pipeline(2, 1), prices, 8, {}, {}, Seconds(1)).makespan.value() == Approx(7 * 3 + 6));
}

TEST_CASE("a pass that waits for its host takes what the host takes, and hides what a slow device is late by") {
  LayoutPrices prices = equal_prices(1, 1, 1, 2);
  ChunkPrice& chunk = prices.stages[0].chunks[0];
  chunk.late = Seconds(0.5), chunk.late_back = Seconds(0.25);
  HybridOptions options = pipeline(1, 1);
  CHECK(run(options, prices, 4).makespan.value() == Approx(4 * (1.5 + 2.25)));
  options.straggler = SlowRank{0, 1.25};
  CHECK(run(options, prices, 4).makespan.value() == Approx(4 * (1.5 + 2.5)));
  // Recomputation and exchanges are in the host's time, the wait for it is behind all of them.
  chunk.recompute = Seconds(1), chunk.tensor_recompute = Seconds(0.5), chunk.tensor_backward = Seconds(0.25);
  CHECK(run(options, prices, 4).makespan.value() == Approx(4 * (1.5 + 1.25 * (1 + 2) + 0.5 + 0.25)));
  options.straggler.reset();
  CHECK(run(options, prices, 4).makespan.value() == Approx(4 * (1.5 + 1 + 2 + 0.5 + 0.25 + 0.25)));
}

TEST_CASE("devices are numbered along the order of the dimensions") {
  Layout layout;
  layout.tp = 2, layout.cp = 3, layout.dp = 4, layout.pp = 5;
  CHECK(coordinates_of(layout, 1) == Coordinates{1, 0, 0, 0});
  CHECK(coordinates_of(layout, 2) == Coordinates{0, 1, 0, 0});
  CHECK(coordinates_of(layout, 24) == Coordinates{0, 0, 0, 1});
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    CHECK(device_at(layout, coordinates_of(layout, device)) == device);
  }
  layout.order = {Dimension::pp, Dimension::tp, Dimension::cp, Dimension::dp};
  CHECK(coordinates_of(layout, 1) == Coordinates{0, 0, 0, 1});
}

}  // namespace orrery
