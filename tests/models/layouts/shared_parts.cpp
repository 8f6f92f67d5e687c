// What ranks share: heads of keys and values, NICs of a node, switches that add, slots of experts.
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr std::int64_t hidden = 1024, heads = 16, size = hidden / heads;

/// Two blocks whose queries share so many heads of keys and values.
TrainingJob grouped_job(std::int64_t kv_heads, int devices, std::int64_t query_heads = heads, bool has_norm = false) {
  TrainingJob job = megatron_job({2, hidden, heads}, devices, devices, "modern");
  TransformerShape shape;
  shape.name = "grouped";
  shape.layers = 2, shape.hidden = query_heads * size, shape.heads = query_heads, shape.kv_heads = kv_heads;
  shape.vocabulary = 51200, shape.tokens = 2048, shape.query_norm = has_norm;
  job.network = transformer_graph(shape);
  return job;
}

Layout split(int tp) {
  Layout layout;
  layout.tp = tp;
  layout.sequence_parallel = SequenceParallel::on;
  return layout;
}

double parameters_of_rank(const TrainingJob& job, int tp) {
  return LayoutJudge(job).prices(split(tp)).stages[0].chunks[0].parameters;
}

}  // namespace

TEST_CASE("each rank has a head of keys and values where there are fewer than ranks, by hand") {
  // Joined queries, keys and values: hidden x (heads + 2 kv) x size, and as many biases.
  const double of_two = parameters_of_rank(grouped_job(2, 8), 8), of_eight = parameters_of_rank(grouped_job(8, 8), 8);
  CHECK(of_two == Approx(of_eight));
  const double of_one = parameters_of_rank(grouped_job(2, 8), 2),
               of_sixteen = parameters_of_rank(grouped_job(16, 8), 2);
  const double fewer = 2.0 * (hidden + 1) * 2 * size * (16 - 2) / 2;  // two blocks, keys and values, half each
  CHECK(of_sixteen - of_one == Approx(fewer));
}

TEST_CASE("attention of shared heads is split as far as the queries' heads go") {
  const auto compute = [](std::int64_t kv_heads, int tp) {
    TrainingJob job = grouped_job(kv_heads, tp);
    job.batch = 16;
    return LayoutJudge(job).predict(split(tp)).parts.compute.value();
  };
  CHECK(compute(2, 8) == Approx(compute(8, 8)).epsilon(1e-9));
  CHECK(compute(2, 16) < compute(2, 4));
  CHECK(compute(1, 16) == Approx(compute(16, 16)).epsilon(1e-9));
}

TEST_CASE("norms of heads that are shared keep attention split (Qwen3 on more ranks than heads of keys and values)") {
  const auto computing = [](std::int64_t kv_heads, int tp, bool has_norm) {
    return LayoutJudge(grouped_job(kv_heads, tp, heads, has_norm)).predict(split(tp));
  };
  const StepPrediction plain = computing(2, 16, false), normed = computing(2, 16, true);
  CHECK(normed.parts.compute.value() == Approx(plain.parts.compute.value()).epsilon(0.15));
  CHECK(normed.memory.states.activations.value() < 1.3 * plain.memory.states.activations.value());
  CHECK(normed.exchanged_per_device.total().value() == Approx(plain.exchanged_per_device.total().value()));
  // A device has one head of either: its norm does as much as where each has one of sixteen.
  CHECK(normed.parts.compute.value() == Approx(computing(16, 16, true).parts.compute.value()).epsilon(0.005));
}

TEST_CASE("ranks that are no multiple of the heads of keys and values are an obstacle") {
  const TrainingJob job = grouped_job(3, 4, 12);
  const std::string why = "tp 4 neither divides the 3 heads of keys and values of grouped nor is a multiple of them";
  Layout whole_tokens = split(4);
  whole_tokens.sequence_parallel = SequenceParallel::off;
  CHECK(LayoutJudge(job).obstacles(whole_tokens) == std::vector<std::string>{why + " - use tp 3 or 6"});
  CHECK(LayoutJudge(job).obstacles(split(4)) == std::vector<std::string>{why + " - use tp 1"});  // of 2048 tokens
  CHECK(LayoutJudge(grouped_job(2, 4, 12)).obstacles(split(4)).empty());
}

TEST_CASE("a ring over two nodes leaves each by one rank, which has a NIC of its own, or the only one") {
  TrainingJob job = grouped_job(16, 16);
  job.batch = 1;
  Layout ring;
  ring.cp = 16;
  const auto shown = [&](int nics) {
    TrainingJob other = job;
    other.cluster.nics_per_node = nics;
    return LayoutJudge(other).predict(ring).parts.exposed_cp.value();
  };
  CHECK(shown(8) > 0);
  CHECK(shown(1) == Approx(shown(8)));
  CHECK(shown(2) == Approx(shown(8)));
  // Four rings of two ranks in each of two nodes: with two NICs each has half of one.
  ring.cp = 4, ring.tp = 4;
  CHECK(shown(2) > shown(4));
  CHECK(shown(4) == Approx(shown(8)));
}

TEST_CASE("switches that add halve what the NICs carry of gradients, and each rank has its share of a NIC") {
  TrainingJob job = megatron_job({24, 2048, 16}, 64, 64, "modern");
  job.framework.gradient_overlap = Ranged(0);
  Layout layout;
  layout.dp = 64;
  const auto shown = [&](int nics, double in_network) {
    TrainingJob other = job;
    other.cluster.nics_per_node = nics;
    other.network_law.in_network_GBps = Ranged(in_network), other.network_law.in_network_ranks = 2;
    return LayoutJudge(other).predict(layout).parts.exposed_dp.value();
  };
  const double plateau = job.network_law.bus_GBps.value;
  // An eighth of the bytes 2 x 7/8 times at twice the rate, against 2 x 63/64 times.
  CHECK(shown(1, 2 * plateau) == Approx(0.4444 * shown(1, 0)).epsilon(0.02));
  CHECK(shown(2, 2 * plateau) < 0.6 * shown(1, 2 * plateau));
}

TEST_CASE("with a capacity slots are filled up whatever the imbalance, and what finds none is no work done") {
  const auto predict = [](double capacity, double imbalance) {
    TrainingJob job = experts_job(8);
    job.capacity_factor = capacity, job.expert_imbalance = imbalance;
    job.framework.host_forward_us = job.framework.host_backward_us = Ranged(0);  // else the host sets the pace
    Layout layout;
    layout.dp = layout.ep = 8;
    return LayoutJudge(job).predict(layout);
  };
  for (const double imbalance : {1.01, 1.5, 3.0}) {
    CHECK(predict(2, imbalance).time() == predict(2, 1).time());
    CHECK(predict(0, imbalance).time() > predict(0, 1).time());
  }
  CHECK(predict(0, 2).time() == predict(2, 1).time());
  CHECK(predict(1, 1).model_flops == predict(0, 1).model_flops);
  // Of four blocks with two visits a token, each of three products (gated) of 1024 x 2048, forward and twice backward.
  const double visits = 8.0 * 2048 * 2 * 4, each = 2.0 * 2 * 1024 * 2048 * 3;
  CHECK((predict(1, 1).model_flops - predict(0.5, 1).model_flops).value() == Approx(0.5 * visits * each).epsilon(1e-3));
}

}  // namespace orrery
