#include "analysis/metrics/data_waits.hpp"

#include <algorithm>
#include <vector>

#include "analysis/metrics/step_time.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

Activity pass(std::size_t rank, Phase phase, int microbatch, double start, double end) {
  Activity activity = compute_activity(rank, phase, start, end);
  activity.microbatch = microbatch;
  return activity;
}

Activity load(int microbatch, double start, double end) {
  Activity activity = communication(0, Stream::receive, Dimension::dp, start, start, end);
  activity.phase = Phase::input, activity.microbatch = microbatch;
  return activity;
}

StepTime time_of(const std::vector<Activity>& activities, std::size_t ranks = 1) {
  Records records;
  records.ranks = ranks;
  records.activities = activities;
  for (const Activity& activity : activities) records.makespan = std::max(records.makespan, activity.end);
  return step_time(records);
}

}  // namespace

TEST_CASE("a loader that keeps ahead is no part of the step") {
  const StepTime time = time_of({pass(0, Phase::forward, 0, 0, 2), pass(0, Phase::forward, 1, 3, 5), load(0, 0, 1),
                                 load(1, 1, 2), communication(0, Stream::receive, Dimension::pp, 0, 2.5, 3)});
  CHECK(time.input.value() == 0);
  CHECK(time.bubble.value() == 0.5);
  CHECK(time.communication.value() == 0.5);
  CHECK(time.compute.value() == 4);
}

TEST_CASE("a pass waits for its data from the end of what was done before, and so does the end of the step") {
  const std::vector<Activity> two_passes = {pass(0, Phase::forward, 0, 0, 2), pass(0, Phase::forward, 1, 3, 5),
                                            load(0, 0, 3), load(1, 3, 6)};
  const StepTime time = time_of(two_passes);
  CHECK(time.compute.value() == 4);
  CHECK(time.input.value() == 2);  // 2-3, 5-6
  CHECK(time.communication.value() == 0);
  std::vector<Activity> exchanging = two_passes;  // which the pass would wait for anyway
  exchanging.push_back(communication(0, Stream::collective, Dimension::dp, 2, 2, 2.5, 1));
  CHECK(time_of(exchanging).input.value() == 1.5);
  CHECK(time_of(exchanging).exposed_total().value() == 0.5);
}

// Two stages, forward 1 s and backward 2 s, two micro-batches: 9 s while a load takes no longer than 3 s.
TEST_CASE("what a pipeline waits for data is input as far as its loads take longer than its slowest stage") {
  const auto pipeline = [](double load_time) {
    const double second = std::max(1.0, load_time), late = std::max(0.0, load_time - 3);
    return time_of({pass(0, Phase::forward, 0, 0, 1), pass(0, Phase::forward, 1, second, second + 1),
                    pass(0, Phase::backward, 0, 4 + late, 6 + late), pass(0, Phase::backward, 1, 7 + late, 9 + late),
                    pass(1, Phase::forward, 0, 1, 2), pass(1, Phase::backward, 0, 2, 4),
                    pass(1, Phase::forward, 1, 4 + late, 5 + late), pass(1, Phase::backward, 1, 5 + late, 7 + late),
                    communication(0, Stream::receive, Dimension::pp, 0, 4, 4), load(0, 0, load_time),
                    load(1, load_time, 2 * load_time)},
                   2);
  };
  for (const double load_time : {0.5, 2.5, 3.0, 4.0, 4.5}) {
    INFO(load_time);
    const StepTime time = pipeline(load_time);
    const double late = std::max(0.0, load_time - 3);
    CHECK(time.step.value() == 9 + late);
    CHECK(time.input.value() == late);
    CHECK(time.bubble.value() == 3);
    CHECK(time.compute.value() == 6);
  }
}

TEST_CASE("where a later stage ends last it waited as long for the data of the first") {
  Activity message = communication(1, Stream::receive, Dimension::pp, 2, 5, 5);
  message.phase = Phase::forward, message.peer = RankId(0);
  const StepTime time =
      time_of({pass(0, Phase::forward, 0, 0, 1), pass(0, Phase::forward, 1, 4, 5), pass(0, Phase::backward, 0, 5, 7),
               pass(0, Phase::backward, 1, 8, 10), pass(1, Phase::forward, 0, 1, 2), pass(1, Phase::backward, 0, 2, 4),
               pass(1, Phase::forward, 1, 5, 6), pass(1, Phase::backward, 1, 6, 8),
               pass(1, Phase::optimizer, -1, 8, 11), message, load(0, 0, 4), load(1, 4, 8)},
              2);
  CHECK(time.input.value() == 1);   // 4-5
  CHECK(time.bubble.value() == 1);  // 0-1
}

TEST_CASE("where all forward passes come first a pipeline waits for what a load takes longer than one of them") {
  // GPipe with forward 1 s, loads of 2.5 s: the second forward pass comes 1.5 s later, and so does all behind it.
  const StepTime time = time_of(
      {pass(0, Phase::forward, 0, 0, 1), pass(0, Phase::forward, 1, 2.5, 3.5), pass(0, Phase::backward, 0, 6.5, 8.5),
       pass(0, Phase::backward, 1, 8.5, 10.5), pass(1, Phase::forward, 0, 1, 2), pass(1, Phase::forward, 1, 3.5, 4.5),
       pass(1, Phase::backward, 0, 4.5, 6.5), pass(1, Phase::backward, 1, 6.5, 8.5),
       communication(0, Stream::receive, Dimension::pp, 0, 6.5, 6.5), load(0, 0, 2.5), load(1, 2.5, 5)},
      2);
  CHECK(time.input.value() == 1.5);
  CHECK(time.bubble.value() == 3);
}

// Passes of a second that each wait for a load of two, begun with the load before it: one second lies between them.
TEST_CASE("every one of many loads that set the pace is waited for") {
  const int count = 1000;
  std::vector<Activity> activities;
  for (int microbatch = count - 1; microbatch >= 0; --microbatch) {  // in no order
    activities.push_back(pass(0, Phase::forward, microbatch, 2.0 * microbatch, 2.0 * microbatch + 1));
    activities.push_back(load(microbatch, 2.0 * microbatch, 2.0 * microbatch + 2));
  }
  Records records;
  records.ranks = 1;
  records.activities = activities;
  records.makespan = Seconds(2.0 * count);
  const std::vector<Interval> waits = data_waits(records, RankId(0));
  REQUIRE(waits.size() == static_cast<std::size_t>(count));
  for (const Interval& wait : waits) CHECK((wait.end - wait.begin).value() == 1);
  CHECK(time_of(activities).input.value() == count);
}

}  // namespace orrery
