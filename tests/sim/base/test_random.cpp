#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

template <class Draw>
Moments moments(int count, const Draw& draw) {
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < count; ++i) {
    const double value = draw();
    sum += value;
    squares += value * value;
  }
  const double mean = sum / count;
  return {mean, squares / count - mean * mean};
}

}  // namespace

TEST_CASE("the generator is mt19937_64 as the C++ standard fixes it") {
  Random random(5489);  // the default seed: the standard names the 10000th output ([rand.predef])
  for (int i = 1; i < 10000; ++i) random.bits();
  CHECK(random.bits() == 9981545732273789042U);
}

TEST_CASE("the same seed gives the same numbers and another seed gives others") {
  Random a(7);
  Random b(7);
  Random c(8);
  const double first = a.uniform();
  CHECK(first == b.uniform());
  CHECK(first != c.uniform());
}

TEST_CASE("a derived generator depends on seed, purpose and index, and on nothing else") {
  std::set<std::uint64_t> firsts;
  for (const std::uint64_t seed : {1U, 2U}) {
    for (const char* purpose : {"client", "layer"}) {
      for (const std::uint64_t index : {0U, 1U, 2U}) firsts.insert(Random::derived(seed, purpose, index).bits());
    }
  }
  CHECK(firsts.size() == 12);
  CHECK(Random::derived(1, "client", 2).bits() == Random::derived(1, "client", 2).bits());
}

TEST_CASE("derived streams of neighbouring indices are uncorrelated") {
  constexpr int count = 4000;
  double sum = 0.0;
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    const double here = Random::derived(1, "client", index).uniform() - 0.5;
    const double next = Random::derived(1, "client", index + 1).uniform() - 0.5;
    sum += here * next;
  }
  CHECK(std::abs(sum / count * 12.0) < 0.06);  // the correlation; its standard error is 1/sqrt(4000) = 0.016
}

TEST_CASE("uniform numbers fill their half-open interval evenly") {
  Random random(3);
  double lowest = 1.0;
  double highest = 0.0;
  const Moments found = moments(100000, [&] {
    const double value = random.uniform();
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    return value;
  });
  CHECK(lowest >= 0.0);
  CHECK(highest < 1.0);
  CHECK(found.mean == Approx(0.5).margin(0.005));
  CHECK(found.variance == Approx(1.0 / 12.0).margin(0.001));
  const double shifted = random.uniform(2.0, 3.0);
  CHECK((shifted >= 2.0 && shifted < 3.0));
}

TEST_CASE("below gives every number under its bound equally often") {
  Random random(4);
  std::array<int, 3> counts{};
  for (int i = 0; i < 30000; ++i) ++counts.at(random.below(3));
  for (const int count : counts) CHECK(std::abs(count - 10000) < 400);  // five standard deviations of 82
  CHECK(random.below(1) == 0);
  CHECK_THROWS_AS(random.below(0), ContractViolation);
}

TEST_CASE("normal numbers have mean 0 and variance 1") {
  Random random(5);
  const Moments found = moments(100000, [&] { return random.normal(); });
  CHECK(found.mean == Approx(0.0).margin(0.016));
  CHECK(found.variance == Approx(1.0).margin(0.025));
}

TEST_CASE("gamma numbers have mean and variance equal to their shape") {
  const double shape = GENERATE(0.1, 0.5, 1.0, 3.0, 50.0);
  CAPTURE(shape);
  Random random(6);
  const Moments found = moments(100000, [&] { return random.gamma(shape); });
  // Five standard errors: of the mean sqrt(k/n), of the variance sqrt((2k^2 + 6k)/n).
  CHECK(found.mean == Approx(shape).margin(5.0 * std::sqrt(shape / 1e5)));
  CHECK(found.variance == Approx(shape).margin(5.0 * std::sqrt((2.0 * shape * shape + 6.0 * shape) / 1e5)));
}

TEST_CASE("shuffling keeps every item and reaches every order equally often") {
  Random random(9);
  std::array<int, 6> orders{};
  for (int i = 0; i < 6000; ++i) {
    std::vector<int> items{0, 1, 2};
    random.shuffle(items);
    REQUIRE(std::accumulate(items.begin(), items.end(), 0) == 3);
    const int order = items[0] * 2 + (items[1] > items[2] ? 1 : 0);
    ++orders.at(static_cast<std::size_t>(order));
  }
  for (const int count : orders) CHECK(std::abs(count - 1000) < 150);  // five standard deviations of 29
}

}  // namespace orrery
