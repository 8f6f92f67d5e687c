// Collectives that a rank carries out one after the other, beside its computing.
#pragma once

#include <deque>
#include <span>

#include "scenarios/measure/schedule_run.hpp"
#include "scenarios/measure/step_recorder.hpp"

namespace orrery {

/// As in the simulation, a collective begins when the one before it has ended. Nothing moves on by itself: while it
/// computes, the rank must poll().
class ExchangeQueue {
 public:
  explicit ExchangeQueue(StepRecorder& recorder) : recorder_(recorder) {}

  /// `run` and `buffer` must stay until the collective has ended. `what`: phase, dimension, layer, micro-batch.
  void add(ScheduleRun& run, std::span<float> buffer, const Activity& what);
  void poll();
  void finish();

 private:
  struct Entry {
    ScheduleRun* run = nullptr;
    std::span<float> buffer;
    Activity what;
  };
  void begin_first();

  StepRecorder& recorder_;
  std::deque<Entry> waiting_;  // the first one is under way
  std::size_t activity_ = 0;   // of the first one
};

}  // namespace orrery
