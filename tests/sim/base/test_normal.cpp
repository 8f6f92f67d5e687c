#include "sim/base/normal.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

// Order statistics of the normal law: 1 / sqrt(pi) of two, 3 / (2 sqrt(pi)) of three; of more, tables (Harter 1961).
TEST_CASE("the largest of several normal draws lies as far out as tables say") {
  CHECK(expected_largest(1) == Approx(0).margin(1e-9));
  CHECK(expected_largest(2) == Approx(0.5641896).epsilon(1e-6));
  CHECK(expected_largest(3) == Approx(0.8462844).epsilon(1e-6));
  CHECK(expected_largest(8) == Approx(1.4236003).epsilon(1e-6));
  CHECK(expected_largest(100) == Approx(2.5075936).epsilon(1e-6));
  CHECK(expected_largest(1000) == Approx(3.2414358).epsilon(1e-6));
}

}  // namespace
}  // namespace orrery
