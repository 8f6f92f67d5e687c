// Islands of replicas whose ranks share experts.
#include <array>

#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

/// 32 ranks on four nodes, of which four share the experts: two islands of 16.
Layout two_islands(int zero_stage = 0, int zero_group = 0) {
  Layout layout;
  layout.dp = 32, layout.ep = 4;
  layout.zero_stage = zero_stage, layout.zero_group = zero_group;
  layout.outer.islands = 2, layout.outer.every = 1;
  return layout;
}

}  // namespace

TEST_CASE("experts of islands are summed with their likes and gathered from the ranks that hold the same ones") {
  LayoutJudge judge(experts_job(32));
  const auto sent = [&](int zero_stage, int zero_group) {
    return judge.prices(two_islands(zero_stage, zero_group)).stages[0].outer.sent();
  };
  const ChunkPrice held = judge.prices(two_islands()).stages[0].chunks[0];
  const double dense = held.parameters, experts = held.expert_parameters;
  REQUIRE(experts > 0);
  // Of an all-reduce by two a rank sends all it has: a 16th of what 16 hold, a quarter of what four hold.
  const double across = 4 * (dense / 16 + experts / 4);
  // Rings of 16 on two nodes leave a node with an eighth of their bytes; of four ranks two stand in a node.
  const double of_16 = 15 / 16.0 * 4 * dense, of_4 = 3 / 4.0 * 4 * experts;
  CHECK(sent(0, 0).network.value() == Approx(across + of_16 / 8 + of_4 / 2));
  CHECK(sent(0, 0).node.value() == Approx(of_16 * 7 / 8 + of_4 / 2));
  // Shared states: the same ways, but of the moved parameters in half precision.
  CHECK(sent(1, 0).network.value() == Approx(across + of_16 / 16 + of_4 / 4));
  CHECK(sent(1, 0).node.value() == Approx(of_16 / 2 * 7 / 8 + of_4 / 4));
  // Groups of eight are a node, with two ranks for each expert. First the two of a group and of its like, which hold
  // the same shard, give each other their halves of its differences, over the network.
  const double halves = 1 / 2.0 * 4 * (dense / 8 + experts / 2);
  CHECK(sent(1, 8).network.value() == Approx(across + halves));
  CHECK(sent(1, 8).node.value() == Approx(7 / 8.0 * 2 * dense + 1 / 2.0 * 2 * experts));
  CHECK(sent(3, 0).network.value() == Approx(across));
  CHECK(sent(3, 0).node.value() == Approx(0));
}

TEST_CASE("eight bytes for each parameter of a share are held of experts, too") {
  LayoutJudge judge(experts_job(32)), half(experts_job(16));
  for (const auto& [stage, dense_shares, expert_shares] :
       {std::array{0, 1, 1}, std::array{1, 16, 4}, std::array{3, 16, 4}}) {
    Layout alone = two_islands(stage);
    alone.dp = 16, alone.outer = {};
    const ChunkPrice held = judge.prices(two_islands(stage)).stages[0].chunks[0];
    const double more = 8 * (held.parameters / dense_shares + held.expert_parameters / expert_shares);
    const Bytes with = judge.memory(two_islands(stage)).states.optimizer, without = half.memory(alone).states.optimizer;
    CHECK((with - without).value() == Approx(more));
  }
}

}  // namespace orrery
