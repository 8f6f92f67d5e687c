// Every algorithm of the simulator, executed: the sum must be there, with exactly the bytes that the schedule says.
#include <algorithm>
#include <numeric>

#include "scenarios/measure/schedule_run.hpp"
#include "tests/catch.hpp"
#include "tests/measure/ranks.hpp"

using namespace orrery;
using orrery::testing::communicator;

namespace {

std::vector<int> everyone() {
  std::vector<int> ranks(static_cast<std::size_t>(communicator().size()));
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}

/// What rank `rank` puts in place i: small whole numbers, so that sums are exact in any order.
float number(int rank, std::size_t i) {
  return static_cast<float>((rank + 1) * (static_cast<int>(i % 97) + 1));
}

struct Case {
  CollectiveKind kind;
  Algorithm algorithm;
  GroupShape shape;
};

std::vector<Case> cases(CollectiveKind kind) {
  std::vector<Case> all;
  const std::int32_t ranks = communicator().size();
  for (const AlgorithmEntry& entry : algorithms()) {
    if (std::find(entry.kinds.begin(), entry.kinds.end(), kind) == entry.kinds.end()) continue;
    for (const std::int32_t per_node : {1, 2}) {
      if (ranks % per_node == 0) {
        all.push_back({kind, entry.algorithm, {.ranks = ranks, .ranks_per_node = per_node, .root = ranks - 1}});
      }
    }
  }
  return all;
}

/// A parameter server contributes nothing of its own.
bool contributes(const Case& one, int rank) {
  return one.algorithm != Algorithm::parameter_server || rank != one.shape.root;
}

constexpr std::size_t lengths[] = {0, 1, 3, 7, 1000, 100003};

}  // namespace

TEST_CASE("all-reduce gives every rank the sum, by every algorithm, again and again") {
  for (const Case& one : cases(CollectiveKind::all_reduce)) {
    for (const std::size_t length : lengths) {
      ScheduleRun run(make_schedule(one.kind, one.algorithm, one.shape), everyone(), length, 7, communicator());
      for (int repetition = 0; repetition < 2; ++repetition) {
        std::vector<float> numbers(length);
        std::vector<float> sum(length);
        for (std::size_t i = 0; i < length; ++i) {
          if (contributes(one, communicator().rank())) numbers[i] = number(communicator().rank(), i);
          for (const int rank : everyone()) sum[i] += contributes(one, rank) ? number(rank, i) : 0.0F;
        }
        run.start(numbers);
        run.finish();
        CHECK(numbers == sum);
      }
    }
  }
}

TEST_CASE("a reduce-scatter leaves every rank its chunk of the sum, an all-gather brings all chunks together") {
  const auto ranks = static_cast<std::size_t>(communicator().size()),
             own = static_cast<std::size_t>(communicator().rank());
  constexpr std::size_t each = 250;
  for (const Case& one : cases(CollectiveKind::reduce_scatter)) {
    const Schedule schedule = make_schedule(one.kind, one.algorithm, one.shape);
    const auto home = [&](std::size_t rank) {
      return schedule.home.empty() ? rank : static_cast<std::size_t>(schedule.home[rank]);
    };
    std::vector<float> numbers(each * ranks);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = number(communicator().rank(), i);
    ScheduleRun run(schedule, everyone(), numbers.size(), 7, communicator());
    run.start(numbers);
    run.finish();
    std::size_t wrong = 0;
    for (std::size_t i = home(own) * each; i < (home(own) + 1) * each; ++i) {
      float sum = 0;
      for (const int rank : everyone()) sum += number(rank, i);
      wrong += numbers[i] == sum ? 0 : 1;
    }
    CHECK(wrong == 0);

    std::vector<float> gathered(each * ranks, -1.0F);
    for (std::size_t i = 0; i < each; ++i) gathered[home(own) * each + i] = number(communicator().rank(), i);
    ScheduleRun gather(make_schedule(CollectiveKind::all_gather, one.algorithm, one.shape), everyone(), gathered.size(),
                       7, communicator());
    gather.start(gathered);
    gather.finish();
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      for (std::size_t i = 0; i < each; ++i)
        wrong += gathered[home(rank) * each + i] == number(static_cast<int>(rank), i) ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("a rank sends the bytes that the simulator counts for it") {
  constexpr std::size_t length = 12 * 1024;  // divided by every number of chunks up to 4 ranks
  for (const Case& one : cases(CollectiveKind::all_reduce)) {
    const Schedule schedule = make_schedule(one.kind, one.algorithm, one.shape);
    ScheduleRun run(schedule, everyone(), length, 7, communicator());
    const Bytes before = communicator().sent();
    std::vector<float> numbers(length);
    run.start(numbers);
    run.finish();
    const Bytes counted = bytes_sent(schedule, Bytes(4.0 * length))[static_cast<std::size_t>(communicator().rank())];
    CHECK(run.bytes_sent().value() == Approx(counted.value()));
    CHECK((communicator().sent() - before).value() == Approx(counted.value()));
  }
}

TEST_CASE("an error of one rank is told on all of them") {
  const int last = communicator().size() - 1;
  const auto fail = [&] {
    on_all_ranks(communicator(), [&] {
      if (communicator().rank() == last) throw Infeasible("too large");
    });
  };
  std::string text;
  try {
    fail();
  } catch (const Infeasible& error) {
    text = error.what();
  }
  CHECK(text == (last == 0 ? "too large" : "rank " + std::to_string(last) + ": too large"));
  CHECK_NOTHROW(on_all_ranks(communicator(), [] {}));
}
