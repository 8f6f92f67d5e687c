// Pipelines of networks whose first blocks are frozen: no gradients go back to stages that have nothing to train.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "scenarios/training_job.hpp"
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

constexpr int in_step = 8;  // micro-batches
/// Of 4 sequences of 1,024 tokens, 768 numbers in 16 bits each.
constexpr double message = 4.0 * 1024 * 768 * 2;

const std::string four_stages = "pp = 4\n";  // of three blocks each

/// GPT-2, 12 blocks, of which the embedding and so many blocks do not train.
Scenario frozen_up_to(int blocks, const std::string& layout, const std::string& framework = "ideal",
                      const std::string& network = "ib-hdr") {
  std::string frozen = "\"embedding\"";
  for (int block = 1; block <= blocks; ++block) frozen += fmt::format(", \"block.{}.*\"", block);
  return shipped_lab(fmt::format(
      "[workload]\nnetwork = \"gpt2\"\nbatch = {}\nframework = \"{}\"\nprecision = \"bf16\"\noptimizer = \"adam\"\n"
      "freeze = [{}]\n[cluster]\ndevice = \"a100-sxm-80\"\nnodes = 4\nnetwork_link = \"{}\"\n[[strategy]]\n"
      "name = \"h\"\nkind = \"hybrid\"\nmicrobatch = 4\n{}",
      4 * in_step, framework, frozen, network, layout));
}

/// Of all stages, by what their activities say.
double sent_by_stages(const Way& way) {
  double bytes = 0;
  for (const Activity& activity : way.records.activities) {
    if (activity.dimension == Dimension::pp && activity.stream == Stream::send) bytes += activity.bytes.value();
  }
  return bytes;
}

}  // namespace

TEST_CASE("messages by hand: forward over every boundary, back over those with something to train below") {
  const std::string schedule = GENERATE(as<std::string>(), "gpipe", "1f1b", "zb-h1");
  INFO(schedule);
  const std::string layout = four_stages + "schedule = \"" + schedule + "\"\n";
  const auto [frozen, crossings] =
      GENERATE(values<std::pair<int, int>>({{9, 3 + 0}, {8, 3 + 1}, {6, 3 + 1}, {5, 3 + 2}, {2, 3 + 3}}));
  INFO(frozen << " blocks frozen");
  const Way way = simulated(frozen_up_to(frozen, layout));
  CHECK(sent_by_stages(way) == Approx(crossings * in_step * message).epsilon(1e-12));
  CHECK(way.layout->sent_per_device.value() == Approx(crossings * in_step * message / 4).epsilon(1e-12));
}

TEST_CASE("interleaved chunks without anything to train get no gradients either") {
  // A block in each of twelve chunks: eleven boundaries, of which those behind blocks 10 and 11 are crossed back.
  const Way way = simulated(frozen_up_to(9, four_stages + "interleave = 3\n"));
  CHECK(sent_by_stages(way) == Approx((11 + 2) * in_step * message).epsilon(1e-12));
  CHECK(way.layout->sent_per_device.value() == Approx((11 + 2) * in_step * message / 4).epsilon(1e-12));
}

TEST_CASE("frozen stages run ahead in closed form as in the flow engine, to 1 %") {
  const std::string layout = GENERATE(as<std::string>(), "schedule = \"gpipe\"\n", "schedule = \"1f1b\"\n",
                                      "schedule = \"zb-h1\"\n", "interleave = 3\n");
  const std::string network = GENERATE(as<std::string>(), "ib-hdr", "eth-25g");
  const int frozen = GENERATE(11, 9, 6, 4);
  for (const std::string framework : {"ideal", "modern", "megatron-2021"}) {
    INFO(layout << network << ", " << frozen << " blocks frozen, " << framework);
    const Scenario scenario = frozen_up_to(frozen, four_stages + layout, framework, network);
    CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
  }
}

/// To 1.5 %: messages between stages share their NICs with it in the flow engine.
TEST_CASE("of interleaved chunks those that train exchange their gradients, in closed form as in the flow engine") {
  const std::string layout = GENERATE(as<std::string>(), "interleave = 3\n", "interleave = 2\nzero_stage = 1\n",
                                      "schedule = \"1f1b\"\n", "schedule = \"gpipe\"\nzero_stage = 1\n");
  const int frozen = GENERATE(11, 9, 6);
  for (const std::string framework : {"ideal", "modern", "megatron-2021"}) {
    INFO(layout << frozen << " blocks frozen, " << framework);
    const Scenario scenario = frozen_up_to(frozen, "pp = 2\n" + layout, framework);
    CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.015));
  }
}

TEST_CASE("a stage without a backward pass takes nothing for it, and the one behind it waits for nobody") {
  // The last stage sets the pace: three blocks and the head, of which all but the head's matrix train.
  const Scenario scenario = frozen_up_to(9, four_stages + "schedule = \"gpipe\"\n");
  LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
  const Layout& layout = scenario.strategies[0].hybrid.layout;
  const LayoutPrices prices = judge.prices(layout);
  for (int stage = 0; stage < 3; ++stage) {
    const ChunkPrice& chunk = prices.stages[static_cast<std::size_t>(stage)].chunks[0];
    CHECK(chunk.backward_time() == Seconds());
    CHECK(chunk.returned == 0);
  }
  const ChunkPrice& last = prices.stages[3].chunks[0];
  const Seconds passes = (last.forward_time() + last.backward_time()) * static_cast<double>(in_step);
  Seconds through;
  for (std::size_t stage = 0; stage < 3; ++stage) {
    through += prices.stages[stage].chunks[0].forward_time() + prices.transfers[stage];
  }
  const StepParts parts = judge.predict(layout).parts;
  CHECK((parts.total() - parts.optimizer).value() == Approx((through + passes).value()).epsilon(1e-9));
}

TEST_CASE("stages in which nothing trains exchange no gradients") {
  const Way way = simulated(frozen_up_to(9, "pp = 2\n"));  // replicas of two
  REQUIRE(way.degrees.dp == 2);
  std::set<std::size_t> exchanging;
  for (const Activity& activity : way.records.activities) {
    if (activity.phase == Phase::gradient_exchange) exchanging.insert(activity.rank.index());
  }
  CHECK(exchanging.size() * 2 == way.placement.size());
}

TEST_CASE("stages below which nothing trains are told") {
  const auto tells = [](const Way& way, const std::string& words) {
    return std::any_of(way.notes.begin(), way.notes.end(),
                       [&](const std::string& note) { return note.find(words) != std::string::npos; });
  };
  const std::string words = "no gradients come back to the first 2 chunks: nothing trains there";
  CHECK(tells(simulated(frozen_up_to(6, four_stages)), words));
  CHECK_FALSE(tells(simulated(frozen_up_to(0, four_stages)), "no gradients come back"));
}

}  // namespace orrery
