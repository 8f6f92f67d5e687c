// What a profile is worth, on profiles that obey a law.
#include "models/cost/profile_check.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "models/cost/measured_times.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

/// seconds(batch) = 1 ms + 0.1 ms x batch forward, twice that backward, 2 ms for the update; one layer.
StepProfile straight(const std::vector<int>& batches, int threads) {
  StepProfile profile{.network = "small", .notes = {"made up"}, .rows = {}};
  for (const int batch : batches) {
    const double seconds = 1e-3 + 1e-4 * batch;
    profile.rows.push_back({"dense1", Pass::forward, batch, threads, seconds, seconds, seconds, 1e6, 1});
    profile.rows.push_back({"dense1", Pass::backward, batch, threads, 2 * seconds, 2 * seconds, 2 * seconds, 2e6, 1});
    profile.rows.push_back({"dense1", Pass::optimizer, batch, threads, 2e-3, 1e-3, 3e-3, 1e3, 1});
  }
  return profile;
}

TEST_CASE("On a straight line every batch that is left out is foretold exactly") {
  const std::vector<Foretold> steps = leave_one_out(straight({1, 8, 32, 64}, 1));
  REQUIRE(steps.size() == 4);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const int batch = std::vector{1, 8, 32, 64}[i];
    CHECK(steps[i].batch == batch);
    CHECK(steps[i].threads == 1);
    CHECK(steps[i].measured == Approx(3 * (1e-3 + 1e-4 * batch) + 2e-3));
    CHECK(steps[i].foretold == Approx(steps[i].measured));
    CHECK(steps[i].error() == Approx(0).margin(1e-12));
  }
}

TEST_CASE("Where the number of shards changes the time bends, and a batch beyond is foretold by its shards") {
  // A shard is worth 8 samples: batches of 8 and 12 are one, of 16 two of 8, of 24 two of 12, of 32 four of 8. A shard
  // of s samples takes 1 ms + 0.1 ms x s forward; one thread works off one after the other, two threads two at once.
  const BatchCut cut{1e6, 8e6};
  for (const int threads : {1, 2}) {
    StepProfile profile{.network = "small", .notes = {}, .rows = {}};
    for (const int batch : {8, 12, 16, 24, 32}) {
      const double shards = batch < 16 ? 1 : batch < 32 ? 2 : 4;
      const double seconds = std::ceil(shards / threads) * (1e-3 + 1e-4 * batch / shards);
      profile.rows.push_back({"dense1", Pass::forward, batch, threads, seconds, seconds, seconds, 1e6, 1});
    }
    for (const Foretold& step : leave_one_out(profile, cut)) {
      INFO(step.batch << " on " << threads);
      CHECK(step.error() == Approx(0).margin(1e-12));
    }
    CHECK(std::abs(leave_one_out(profile)[2].error()) > 0.1);  // a straight line from 12 to 24 knows no bend
  }
}

TEST_CASE("Shards of one size count with their mean") {
  StepProfile profile{.network = "small", .notes = {}, .rows = {}};
  for (const auto& [batch, seconds] : std::vector<std::pair<int, double>>{{8, 1e-3}, {16, 4e-3}, {24, 9e-3}}) {
    profile.rows.push_back({"dense1", Pass::forward, batch, 1, seconds, seconds, seconds, 1e6, 1});
  }
  // Shards of 8 took 1 and 2 ms, of 12 4.5 ms: 10 samples 3 ms.
  const MeasuredTimes times(profile, 1, {1e6, 8e6});
  CHECK(times.seconds("dense1", Pass::forward, 20) == Approx(6e-3));
  CHECK(times.seconds("dense1", Pass::forward, 8) == 1e-3);  // measured itself
  CHECK(times.seconds("dense1", Pass::forward, 16) == 4e-3);
}

/// Forward rows of dense1 on one thread.
StepProfile forward_rows(const std::vector<std::pair<int, double>>& rows) {
  StepProfile profile{.network = "small", .notes = {}, .rows = {}};
  for (const auto& [batch, seconds] : rows) {
    profile.rows.push_back({"dense1", Pass::forward, batch, 1, seconds, seconds, seconds, 1e6, 1});
  }
  return profile;
}

TEST_CASE("Batches whose shards all have one size keep the fixed cost of a step") {
  // A shard is worth 32 samples: one, two and four shards of 32. 1 ms + 0.1 ms x batch, in any order of the rows.
  const MeasuredTimes times(forward_rows({{128, 13.8e-3}, {32, 4.2e-3}, {64, 7.4e-3}}), 1, {1e6, 32e6});
  CHECK(times.seconds("dense1", Pass::forward, 1) == Approx(1.1e-3));
  CHECK(times.seconds("dense1", Pass::forward, 16) == Approx(2.6e-3));
  CHECK(times.seconds("dense1", Pass::forward, 96) == Approx(10.6e-3));
  CHECK(times.seconds("dense1", Pass::forward, 256) == Approx(26.6e-3));
  // One batch has no slope.
  CHECK(MeasuredTimes(forward_rows({{64, 8e-3}}), 1, {1e6, 32e6}).seconds("dense1", Pass::forward, 16) == Approx(2e-3));
}

TEST_CASE("Shards of nearly one size make no slope") {
  // Batch 31 is one shard, 64 two of 32, which took 4 and 3.8 ms: noise, no slope of -0.2 ms per sample.
  const MeasuredTimes near(forward_rows({{31, 4.0e-3}, {64, 7.6e-3}}), 1, {1e6, 32e6});
  CHECK(near.seconds("dense1", Pass::forward, 16) == Approx(4e-3 - 15 * 3.6e-3 / 33));
  // With shards of 8 as well the three are two sizes: 8 in 1.8 ms, and on average 31.5 in 4.1 ms.
  const MeasuredTimes two(forward_rows({{8, 1.8e-3}, {31, 4.0e-3}, {64, 8.4e-3}}), 1, {1e6, 32e6});
  CHECK(two.seconds("dense1", Pass::forward, 20) == Approx(1.8e-3 + 12 * 2.3e-3 / 23.5));
}

TEST_CASE("Batches of a trace from elsewhere are not cut") {
  StepProfile profile{.network = "small", .notes = {"recorded here"}, .rows = {}};
  CHECK(cut_of(profile, small_perceptron()).shards(112) == 4);
  profile.notes = {"imported from the PyTorch trace t.json: times of the host's operators"};
  CHECK(cut_of(profile, small_perceptron()).shards(112) == 1);
}

TEST_CASE("A batch off the line shows by how much") {
  StepProfile profile = straight({10, 20, 30}, 1);
  profile.rows[3].seconds = 2 * (1e-3 + 1e-4 * 20);  // forward of batch 20: 6 ms instead of 3
  const std::vector<Foretold> steps = leave_one_out(profile);
  REQUIRE(steps.size() == 3);
  CHECK(steps[1].measured == Approx(6e-3 + 6e-3 + 2e-3));
  CHECK(steps[1].foretold == Approx(3e-3 + 6e-3 + 2e-3));
  CHECK(steps[1].error() == Approx(11.0 / 14.0 - 1));
}

TEST_CASE("Two batches say nothing of a third, and each number of threads stands for itself") {
  CHECK(leave_one_out(straight({1, 8}, 1)).empty());
  StepProfile profile = straight({1, 8}, 1);
  const StepProfile more = straight({1, 2, 3}, 4);
  profile.rows.insert(profile.rows.end(), more.rows.begin(), more.rows.end());
  const std::vector<Foretold> steps = leave_one_out(profile);
  REQUIRE(steps.size() == 3);
  for (const Foretold& step : steps) CHECK(step.threads == 4);
}

/// Seconds for which half of dense1's numbers are on their way from one core to the other: 500,500 x 4 bytes at 22
/// GB/s, as much of them as fits into 2 MiB beside the gradients of all 505,510.
constexpr double moving = 500'500 * 4 * 0.5 / 22e9 * (2.0 * 1024 * 1024 / (505'510 * 8));

TEST_CASE("Rows for several threads follow from shards and the optimizer's blocks") {
  // Batch 112 is four shards (see shards.cpp), two for each of two threads. The network has 505,510 parameters, 31
  // blocks of 16,384: 16 fall to one thread.
  const StepProfile derived = derive_threads(straight({1, 112}, 1), small_perceptron(), 2);
  REQUIRE(derived.rows.size() == 6);
  CHECK(derived.notes == std::vector<std::string>{"made up", "rows for 2 threads derived from those for one"});
  for (const ProfileRow& row : derived.rows) CHECK(row.threads == 2);
  CHECK(derived.rows[0].seconds == Approx(1.1e-3));          // batch 1 cannot be cut
  CHECK(derived.rows[2].seconds == Approx(2e-3 * 16 / 31));  // but its update is too large for one core's cache
  CHECK(derived.rows[3].seconds == Approx(12.2e-3 / 2 + moving));
  CHECK(derived.rows[4].seconds == Approx(24.4e-3 / 2 + moving));
  CHECK(derived.rows[3].flops == 1e6);
  CHECK(derived.rows[3].achieved_GFLOPS == Approx(12.2e-3 / derived.rows[3].seconds));
  CHECK(derived.rows[5].seconds == Approx(2e-3 * 16 / 31 + 2 * moving));
  CHECK(derived.rows[5].seconds_low == Approx(derived.rows[5].seconds / 2));
  CHECK(derived.rows[5].seconds_high == Approx(derived.rows[5].seconds * 1.5));
}

TEST_CASE("Steps of several threads are foretold from those of one") {
  StepProfile profile = straight({112}, 1);
  StepProfile both = straight({5, 112}, 2);  // batch 5 was not measured with one thread
  profile.rows.insert(profile.rows.end(), both.rows.begin(), both.rows.end());
  const std::vector<Foretold> steps = threads_from_one(profile, small_perceptron());
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].batch == 112);
  CHECK(steps[0].threads == 2);
  CHECK(steps[0].measured == Approx(36.6e-3 + 2e-3));
  CHECK(steps[0].foretold == Approx(18.3e-3 + 2e-3 * 16 / 31 + 4 * moving));
}

}  // namespace
}  // namespace orrery
