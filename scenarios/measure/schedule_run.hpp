// Executes a Schedule for real: the same description that the simulator prices, with messages of MPI. One executor for
// every algorithm.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "scenarios/measure/communicator.hpp"
#include "scenarios/measure/schedule_steps.hpp"

namespace orrery {

/// Reusable: every start() begins the collective anew on a buffer of the same length. Like any collective it must be
/// started by all members, and its tag must be its own among those under way.
class ScheduleRun {
 public:
  /// members: the ranks of the group, in its order; this process is one of them.
  ScheduleRun(const Schedule& schedule, std::vector<int> members, std::size_t numbers, int tag,
              Communicator& communicator);

  /// Contract: the last one has ended. The buffer must stay until this one has.
  void start(std::span<float> buffer);
  /// Does what can be done without waiting. Returns whether all is done.
  bool advance();
  void finish();

  /// Bytes that this process sends each time.
  [[nodiscard]] Bytes bytes_sent() const;

 private:
  void begin_step();
  void end_step();
  bool arrived();

  std::vector<int> members_;
  std::size_t numbers_;
  int tag_;
  Communicator& communicator_;
  std::vector<RankStep> steps_;
  AlignedVector scratch_;
  std::span<float> buffer_;
  std::size_t at_ = 0;  // the step under way; steps_.size(): none
  std::vector<Ticket> tickets_;
};

}  // namespace orrery
