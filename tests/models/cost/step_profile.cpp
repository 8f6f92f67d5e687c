// Step profiles: round trip, and the whole texts of what is wrong.
#include "models/cost/step_profile.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

const std::string header = "network,layer,pass,batch,threads,seconds,seconds_low,seconds_high,flops,achieved_GFLOPS\n";

std::string problems_of_profile(const std::string& text) {
  Problems problems;
  (void)parse_step_profile(text, "p.csv", problems);
  try {
    problems.throw_if_any();
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

std::string problems_of_check(const std::string& text) {
  Problems problems;
  const StepProfile profile = parse_step_profile(text, "p.csv", problems);
  check_profile(profile, small_perceptron(), "p.csv", problems);
  try {
    problems.throw_if_any();
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

TEST_CASE("A profile written and read back is the same, bit for bit") {
  StepProfile profile;
  profile.network = "small";
  profile.notes = {"recorded on a test bench", "median of 20"};
  profile.rows = {{"dense1", Pass::forward, 8, 1, 0.1 + 0.2, 1.0 / 3.0 - 0.2, 1e300, 8e6, 26.666666666666668},
                  {"dense1", Pass::backward, 8, 2, 5e-324, 5e-324, 1, 0, 0},
                  {"a, \"b\"", Pass::optimizer, 1000000, 64, 1.7976931348623157e308, 0, 1.7976931348623157e308, 0, 0}};
  const std::string text = to_csv(profile);
  Problems problems;
  const StepProfile again = parse_step_profile(text, "p.csv", problems);
  problems.throw_if_any();
  CHECK(to_csv(again) == text);
  CHECK(again.network == "small");
  CHECK(again.notes == profile.notes);
  REQUIRE(again.rows.size() == 3);
  CHECK(again.rows[0].seconds == 0.1 + 0.2);
  CHECK(again.rows[1].seconds == 5e-324);
  CHECK(again.rows[2].layer == "a, \"b\"");
  CHECK(again.rows[2].pass == Pass::optimizer);
}

TEST_CASE("Every malformed row of a profile is reported at once") {
  CHECK(
      problems_of_profile(header + "small,dense1,foward,8,1,1e-3,1e-3,1e-3,8e6,8\n"
                                   "small,dense1,forward,0,1,1e-3,1e-3,1e-3,8e6,8\n"
                                   "small,dense1,forward,8,1.5,1e-3,1e-3,1e-3,8e6,8\n"
                                   "small,dense1,backward,8,1,0,0,0,8e6,8\n"
                                   "small,dense1,backward,16,1,2e-3,1e-3,1.5e-3,8e6,8\n"
                                   "small,,forward,8,1,1e-3,1e-3,1e-3,-8e6,8\n"
                                   "other,dense1,optimizer,8,1,1e-3,1e-3,1e-3,8e6,8\n"
                                   "small,dense1,backward,8,1,1e-3,1e-3,1e-3,8e6,fast\n"
                                   "small,dense1,optimizer,8,1,1e-3,1e-3,1e-3,8e6,8\n"
                                   "small,dense1,optimizer,8,1,1e-3,1e-3,1e-3,8e6,8\n") ==
      R"(p.csv:2:14: pass: unknown pass "foward" (a step has a forward, a backward and an optimizer pass) - did you mean "forward"?
  small,dense1,foward,8,1,1e-3,1e-3,1e-3,8e6,8
               ^
p.csv:3:22: batch: 0 is not a whole number of at least 1
  small,dense1,forward,0,1,1e-3,1e-3,1e-3,8e6,8
                       ^
p.csv:4:24: threads: 1.5 is not a whole number of at least 1
  small,dense1,forward,8,1.5,1e-3,1e-3,1e-3,8e6,8
                         ^
p.csv:5:27: seconds: 0 is not above 0 (an executed pass takes time)
  small,dense1,backward,8,1,0,0,0,8e6,8
                            ^
p.csv:6:28: seconds: the median 2e-3 lies outside 1e-3 to 1.5e-3 (seconds_low <= seconds <= seconds_high)
  small,dense1,backward,16,1,2e-3,1e-3,1.5e-3,8e6,8
                             ^
p.csv:7:7: layer: cell is empty (required)
  small,,forward,8,1,1e-3,1e-3,1e-3,-8e6,8
        ^
p.csv:7:35: flops: -8e6 is negative
  small,,forward,8,1,1e-3,1e-3,1e-3,-8e6,8
                                    ^
p.csv:8:1: network: "other" is a second network (the profile is of "small") - keep one file per network
  other,dense1,optimizer,8,1,1e-3,1e-3,1e-3,8e6,8
  ^
p.csv:9:46: achieved_GFLOPS: "fast" is not a number (a finite decimal number is wanted, such as 1.5e9)
  small,dense1,backward,8,1,1e-3,1e-3,1e-3,8e6,fast
                                               ^
p.csv:11:7: layer: optimizer pass of "dense1" with batch 8 and 1 threads is given twice (first in line 10) - remove one of the rows
  small,dense1,optimizer,8,1,1e-3,1e-3,1e-3,8e6,8
        ^)");
}

TEST_CASE("A profile without rows, or of wrong columns, is refused") {
  CHECK(problems_of_profile(header) == "p.csv: the profile has no rows - record one with `orrery profile`");
  CHECK(problems_of_profile("network,layer,pass,batch,threads,seconds\nsmall,dense1,forward,8,1,1e-3\n") ==
        R"(p.csv:1: column "seconds_low" is missing (required)
  network,layer,pass,batch,threads,seconds
p.csv:1: column "seconds_high" is missing (required)
  network,layer,pass,batch,threads,seconds
p.csv:1: column "flops" is missing (required)
  network,layer,pass,batch,threads,seconds
p.csv:1: column "achieved_GFLOPS" is missing (required)
  network,layer,pass,batch,threads,seconds)");
}

TEST_CASE("A profile that cannot replay a network says which layers are missing") {
  const std::string rows = header +
                           "small,dense1,forward,8,1,1e-3,1e-3,1e-3,8e6,8\n"
                           "small,dense1,backward,8,1,1e-3,1e-3,1e-3,8e6,8\n"
                           "small,relu,forward,8,1,1e-3,1e-3,1e-3,0,0\n"
                           "small,relu,backward,8,1,1e-3,1e-3,1e-3,0,0\n"
                           "small,loss,forward,8,1,1e-3,1e-3,1e-3,0,0\n"
                           "small,loss,backward,8,1,1e-3,1e-3,1e-3,0,0\n"
                           "small,dense3,forward,8,1,1e-3,1e-3,1e-3,0,0\n";
  CHECK(problems_of_check(rows) ==
        "p.csv: the optimizer pass of layer \"dense1\" is missing - record it again with `orrery profile small`\n"
        "p.csv: the forward pass of layer \"dense2\" is missing - record it again with `orrery profile small`\n"
        "p.csv: the backward pass of layer \"dense2\" is missing - record it again with `orrery profile small`\n"
        "p.csv: the optimizer pass of layer \"dense2\" is missing - record it again with `orrery profile small`\n"
        "p.csv: network \"small\" has no layer \"dense3\" - record it again with `orrery profile small`");
  CHECK(problems_of_check(header + "2nn,dense1,forward,8,1,1e-3,1e-3,1e-3,8e6,8\n") ==
        "p.csv: the profile is of network \"2nn\", not of \"small\" - record it again with `orrery profile small`");
}

TEST_CASE("A frozen network's profile needs no passes that nobody makes") {
  LayerGraph graph = small_perceptron();  // dense1 relu dense2 loss
  graph.layers[0].frozen = true;
  Problems problems;
  const StepProfile profile = parse_step_profile(header +
                                                     "small,dense1,forward,8,1,1e-3,1e-3,1e-3,8e6,8\n"
                                                     "small,relu,forward,8,1,1e-3,1e-3,1e-3,0,0\n"
                                                     "small,dense2,forward,8,1,1e-3,1e-3,1e-3,0,0\n"
                                                     "small,dense2,backward,8,1,1e-3,1e-3,1e-3,0,0\n"
                                                     "small,dense2,optimizer,8,1,1e-3,1e-3,1e-3,0,0\n"
                                                     "small,loss,forward,8,1,1e-3,1e-3,1e-3,0,0\n"
                                                     "small,loss,backward,8,1,1e-3,1e-3,1e-3,0,0\n",
                                                 "p.csv", problems);
  check_profile(profile, graph, "p.csv", problems);
  CHECK(problems.all().empty());
  graph.layers[0].frozen = false;
  check_profile(profile, graph, "p.csv", problems);
  CHECK(problems.all().size() == 3);  // dense1's backward and optimizer, relu's backward
}

}  // namespace
}  // namespace orrery
