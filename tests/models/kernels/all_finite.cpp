#include "models/kernels/all_finite.hpp"

#include <array>
#include <limits>
#include <vector>

#include "tests/catch.hpp"

using orrery::all_finite;

TEST_CASE("an infinity and what is no number are found wherever they stand, the largest and smallest numbers are not") {
  using Limits = std::numeric_limits<float>;
  CHECK(all_finite({}));
  const std::array<float, 6> numbers{0.0F, -0.0F, Limits::max(), Limits::lowest(), Limits::denorm_min(), 1.0F};
  CHECK(all_finite(numbers));
  for (const float bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::signaling_NaN()}) {
    for (std::size_t at = 0; at < 37; ++at) {
      std::vector<float> some(37, 1.0F);
      some[at] = bad;
      CHECK_FALSE(all_finite(some));
    }
  }
}
