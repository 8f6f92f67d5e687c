// What one rank really did in one step, in the words of the simulation's Records.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "sim/program/records.hpp"

namespace orrery {

class StepRecorder {
 public:
  explicit StepRecorder(int rank) : rank_(static_cast<std::size_t>(rank)) {}

  /// The step begins now: time 0.
  void start() {
    activities_.clear();
    start_ = std::chrono::steady_clock::now();
  }
  [[nodiscard]] Seconds now() const {
    return Seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
  }

  /// Computing that began at `begin` and has just ended.
  void computed(Phase phase, Seconds begin, int microbatch = -1) { computed(phase, begin, now(), microbatch); }
  void computed(Phase phase, Seconds begin, Seconds end, int microbatch) {
    Activity activity;
    activity.phase = phase;
    activity.microbatch = microbatch;
    activity.ready = activity.start = begin;
    activity.end = end;
    close(open(activity), end);
  }

  /// A communication that begins; close() ends it. Its rank and, unless set, its times are filled in.
  std::size_t open(Activity activity) {
    activity.rank = rank_;
    activities_.push_back(activity);
    return activities_.size() - 1;
  }
  void close(std::size_t index, Seconds end) { activities_[index].end = end; }

  [[nodiscard]] const std::vector<Activity>& activities() const { return activities_; }

 private:
  RankId rank_;
  std::chrono::steady_clock::time_point start_;
  std::vector<Activity> activities_;
};

}  // namespace orrery
