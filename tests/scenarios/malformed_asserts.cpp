// Mistakes in [[assert]], each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

std::string error_with_metrics(const std::string& asserts) {
  const MetricNames metrics{{"step_time_s", "devices", "fits"}, {"device", "status"}};
  try {
    parse_scenario(two_nn + box + alone + asserts, "lab.toml", small_catalogue(), metrics);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a metric of an assertion is a column that is a number, told beside everything else that is wrong") {
  CHECK(error_with_metrics("[[assert]]\nmetric = \"fits\"\nmin = 1\n").empty());
  CHECK(
      error_with_metrics(R"([[assert]]
metric = "step_tim"
min = 3
max = 1
[[assert]]
metric = "device"
strategy = "b"
max = 1
[[assert]]
metric = "speed"
max = 1
[[assert]]
metric = 3
max = 1
[[assert]]
metric = ""
max = 1
)") ==
      R"(lab.toml:9:10: assert[0].metric: unknown metric "step_tim" (it must be a column of results.csv) - did you mean "step_time_s"?
  metric = "step_tim"
           ^
lab.toml:10:7: assert[0].min: is above max (no value is between them)
  min = 3
        ^
lab.toml:13:10: assert[1].metric: "device" is text, not a number (min and max are bounds of numbers) - see `orrery list columns` for those with a unit
  metric = "device"
           ^
lab.toml:14:12: assert[1].strategy: unknown name "b" - did you mean "a"?
  strategy = "b"
             ^
lab.toml:17:10: assert[2].metric: unknown metric "speed" (it must be a column of results.csv) - known: step_time_s, devices, fits
  metric = "speed"
           ^
lab.toml:20:10: assert[3].metric: is the integer 3 (a string is wanted) - put it in quotes
  metric = 3
           ^
lab.toml:23:10: assert[4].metric: unknown metric "" (it must be a column of results.csv) - known: step_time_s, devices, fits
  metric = ""
           ^)");
}

TEST_CASE("without a list of metrics any name is taken") {
  CHECK(error_of(two_nn + box + alone + "[[assert]]\nmetric = \"speed\"\nmax = 1\n").empty());
}

}  // namespace orrery
