// Messages between pipeline stages.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/kernels/aligned_vector.hpp"
#include "scenarios/measure/real_step.hpp"

namespace orrery {

/// A message between neighbours that is posted early and looked after while the stage computes.
class NeighbourMessage {
 public:
  enum class Way : std::uint8_t { out, in };

  void post(Way way, int peer, int tag, Phase phase, int microbatch, const RealJob& job) {
    activity_ = Activity();
    activity_.stream = way == Way::out ? Stream::send : Stream::receive;
    activity_.dimension = Dimension::pp;
    activity_.phase = phase;
    activity_.microbatch = microbatch;
    activity_.peer = RankId(static_cast<std::size_t>(peer));
    activity_.ready = activity_.start = job.recorder.now();
    if (way == Way::out) activity_.bytes = Bytes(static_cast<double>(numbers.size() * sizeof(float)));
    ticket_ =
        way == Way::out ? job.communicator.send(numbers, peer, tag) : job.communicator.receive(numbers, peer, tag);
  }

  /// Whether it has arrived (or is gone); notes when that was first seen.
  bool look(const RealJob& job) {
    if (!ticket_) return true;
    if (!job.communicator.done(ticket_)) return false;
    activity_.end = job.recorder.now();
    job.recorder.open(activity_);
    return true;
  }

  void wait(const RealJob& job) {
    while (!look(job)) continue;
  }

  AlignedVector numbers;

 private:
  Ticket ticket_;
  Activity activity_;
};

}  // namespace orrery
