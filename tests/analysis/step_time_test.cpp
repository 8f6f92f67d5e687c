#include "analysis/metrics/step_time.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "analysis/metrics/intervals.hpp"
#include "sim/base/random.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

double sum_of_parts(const StepTime& time) {
  return (time.compute + time.recompute + time.optimizer + time.exposed_total() + time.bubble + time.straggler +
          time.input)
      .value();
}

double exposed(const StepTime& time, Dimension dimension) {
  return time.exposed[static_cast<std::size_t>(dimension)].value();
}

StepTime attribute(const std::vector<Activity>& activities, double to) {
  return attribute_time(activities, {}, Seconds(0), Seconds(to));
}

TEST_CASE("the critical rank's time is its compute, its wait for the other, the transfer and the update") {
  const StepTime time = step_time(two_device_step().records);
  CHECK(time.step.value() == 5.5);
  CHECK(time.compute.value() == 3.0);
  CHECK(time.straggler.value() == 1.0);
  CHECK(exposed(time, Dimension::dp) == 1.0);
  CHECK(time.optimizer.value() == 0.5);
  CHECK(time.bubble.value() == 0.0);
  CHECK(time.communication.value() == 1.0);
}

TEST_CASE("the rank that ends last is the critical one") {
  Records records;
  records.ranks = 2;
  records.makespan = Seconds(3);
  records.activities = {compute_activity(0, Phase::forward, 0, 2), compute_activity(1, Phase::forward, 1, 3)};
  const StepTime time = step_time(records);
  CHECK(time.compute.value() == 2.0);
  CHECK(time.bubble.value() == 1.0);  // rank 1 begins with nothing to do
}

TEST_CASE("communication behind compute is not exposed but counted as communication") {
  const StepTime time = attribute(
      {compute_activity(0, Phase::backward, 0, 4), communication(0, Stream::collective, Dimension::dp, 1, 2, 5, 1)}, 5);
  CHECK(time.compute.value() == 4.0);
  CHECK(exposed(time, Dimension::dp) == 1.0);
  CHECK(time.communication.value() == 3.0);
  CHECK(time.straggler.value() == 0.0);
}

TEST_CASE("two transfers at once are communication once and charged to the inner dimension") {
  const StepTime time = attribute({communication(0, Stream::collective, Dimension::dp, 0, 0, 4, 1),
                                   communication(0, Stream::send, Dimension::pp, 1, 1, 3, 1),
                                   communication(0, Stream::collective, Dimension::tp, 2, 2, 3, 1)},
                                  4);
  CHECK(exposed(time, Dimension::dp) == 2.0);
  CHECK(exposed(time, Dimension::pp) == 1.0);
  CHECK(exposed(time, Dimension::tp) == 1.0);
  CHECK(time.communication.value() == 4.0);
}

TEST_CASE("waiting for a message is bubble, waiting at a collective is straggler") {
  const StepTime time = attribute({communication(0, Stream::receive, Dimension::pp, 0, 3, 4),
                                   communication(0, Stream::collective, Dimension::dp, 4, 6, 7, 1)},
                                  7);
  CHECK(time.bubble.value() == 3.0);
  CHECK(time.straggler.value() == 2.0);
  CHECK(exposed(time, Dimension::pp) == 1.0);
  CHECK(exposed(time, Dimension::dp) == 1.0);
}

TEST_CASE("waiting for the host counts as computing, beside exchanges within the pass") {
  Activity host = compute_activity(0, Phase::forward, 0, 5);
  host.stream = Stream::host;
  const StepTime time = attribute({host, compute_activity(0, Phase::forward, 0, 2),
                                   communication(0, Stream::collective, Dimension::tp, 2, 2, 3, 1)},
                                  6);
  CHECK(time.compute.value() == 2.0 + 2.0);
  CHECK(exposed(time, Dimension::tp) == 1.0);
  CHECK(time.bubble.value() == 1.0);
}

TEST_CASE("every phase of computing has its part") {
  const StepTime time =
      attribute({compute_activity(0, Phase::input, 0, 1), compute_activity(0, Phase::forward, 1, 3),
                 compute_activity(0, Phase::recompute, 3, 6), compute_activity(0, Phase::backward, 6, 10),
                 compute_activity(0, Phase::optimizer, 10, 15), compute_activity(0, Phase::aggregate, 15, 21)},
                21);
  CHECK(time.input.value() == 1.0);
  CHECK(time.compute.value() == 6.0);
  CHECK(time.recompute.value() == 3.0);
  CHECK(time.optimizer.value() == 11.0);
}

TEST_CASE("what is exchanged beside a device that waits for its host shows where it takes longer than the host") {
  Activity host = compute_activity(0, Phase::backward, 0, 5);
  host.stream = Stream::host;
  const std::vector<Activity> pass = {host, compute_activity(0, Phase::backward, 0, 2)};
  for (const double end : {3.0, 5.0, 6.0}) {
    std::vector<Activity> all = pass;
    all.push_back(communication(0, Stream::collective, Dimension::dp, 1, 1, end, 1));
    all.push_back(communication(0, Stream::receive, Dimension::pp, 0, 4, end < 5 ? 5 : end));
    const StepTime time = attribute(all, end < 5 ? 5 : end);
    CHECK(time.compute.value() == 5.0);
    CHECK(time.exposed_total().value() == (end > 5 ? end - 5 : 0));
    CHECK(time.communication.value() == (end < 4 ? 2 + 1 : end - 1));
  }
}

TEST_CASE("stragglers lengthen the step by their share") {
  const StepTime time = with_stragglers(step_time(two_device_step().records), 0.2);
  CHECK(time.step.value() == Approx(6.6).epsilon(1e-12));
  CHECK(time.straggler.value() == Approx(2.1).epsilon(1e-12));
  CHECK(sum_of_parts(time) == Approx(6.6).epsilon(1e-12));
}

TEST_CASE("no activities: the whole time is bubble") {
  const StepTime time = attribute({}, 2);
  CHECK(time.bubble.value() == 2.0);
  CHECK(step_time(Records{}).step.value() == 0.0);
}

std::vector<Activity> random_activities(Random& random) {
  std::vector<Activity> activities;
  const std::size_t count = 1 + random.below(40);
  for (std::size_t i = 0; i < count; ++i) {
    // A coarse grid of times makes coinciding edges frequent; a fine one makes rounding visible.
    const bool coarse = random.below(2) == 0;
    const auto time = [&] { return coarse ? static_cast<double>(random.below(10)) : random.uniform(0, 10); };
    std::array<double, 3> times = {time(), time(), time()};
    std::sort(times.begin(), times.end());
    if (random.below(3) == 0) {
      activities.push_back(compute_activity(random.below(3), static_cast<Phase>(random.below(9)), times[0], times[2]));
    } else {
      activities.push_back(communication(random.below(3), static_cast<Stream>(1 + random.below(3)),
                                         static_cast<Dimension>(random.below(6)), times[0], times[1], times[2], 1));
    }
  }
  return activities;
}

/// The part that an instant belongs to, straight from the rule, for an activity list of one rank.
enum class Part { compute, exposed, straggler, bubble };
Part part_at(const std::vector<Activity>& activities, double at) {
  const auto any = [&](auto holds) { return std::any_of(activities.begin(), activities.end(), holds); };
  const auto within = [at](Seconds begin, Seconds end) { return begin.value() <= at && at < end.value(); };
  if (any([&](const Activity& a) { return a.stream == Stream::compute && within(a.start, a.end); })) {
    return Part::compute;
  }
  if (any([&](const Activity& a) { return a.stream != Stream::compute && within(a.start, a.end); })) {
    return Part::exposed;
  }
  const bool waits = any([&](const Activity& a) { return a.stream == Stream::collective && within(a.ready, a.start); });
  return waits ? Part::straggler : Part::bubble;
}

TEST_CASE("on random activities the parts sum to the makespan and agree with the rule instant by instant") {
  Random random(7);
  for (int trial = 0; trial < 300; ++trial) {
    Records records;
    records.ranks = 3;
    records.activities = random_activities(random);
    for (const Activity& activity : records.activities) records.makespan = std::max(records.makespan, activity.end);
    const StepTime time = step_time(records);
    REQUIRE(sum_of_parts(time) == Approx(records.makespan.value()).epsilon(1e-9));

    const auto critical = std::max_element(
        records.activities.begin(), records.activities.end(),
        [](const Activity& a, const Activity& b) { return a.end < b.end || (a.end == b.end && a.rank > b.rank); });
    std::vector<Activity> own;
    std::vector<double> cuts = {0, records.makespan.value()};
    for (const Activity& activity : records.activities) {
      if (activity.rank != critical->rank) continue;
      own.push_back(activity);
      for (const Seconds at : {activity.ready, activity.start, activity.end}) cuts.push_back(at.value());
    }
    std::sort(cuts.begin(), cuts.end());
    std::array<double, 4> expected{};
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      expected[static_cast<std::size_t>(part_at(own, cuts[i]))] += cuts[i + 1] - cuts[i];
    }
    const bool input_moves = std::any_of(own.begin(), own.end(), [](const Activity& a) {
      return a.stream != Stream::compute && a.phase == Phase::input;
    });
    REQUIRE_FALSE(input_moves);
    const Seconds computing = time.compute + time.recompute + time.optimizer + time.input;
    REQUIRE(computing.value() == Approx(expected[0]).margin(1e-9));
    REQUIRE(time.exposed_total().value() == Approx(expected[1]).margin(1e-9));
    REQUIRE(time.straggler.value() == Approx(expected[2]).margin(1e-9));
    REQUIRE(time.bubble.value() == Approx(expected[3]).margin(1e-9));
    REQUIRE(exposed(time, Dimension::none) == 0.0);
  }
}

TEST_CASE("the union of intervals counts overlaps once and cuts at the window") {
  const std::vector<Interval> intervals = {{Seconds(4), Seconds(6)},
                                           {Seconds(0), Seconds(2)},
                                           {Seconds(1), Seconds(3)},
                                           {Seconds(5), Seconds(5)},
                                           {Seconds(9), Seconds(20)}};
  CHECK(covered(intervals, Seconds(0), Seconds(10)).value() == 3 + 2 + 1);
  CHECK(covered(intervals, Seconds(2), Seconds(5)).value() == 1 + 1);
  CHECK(covered({}, Seconds(0), Seconds(10)).value() == 0);
}

}  // namespace
}  // namespace orrery
