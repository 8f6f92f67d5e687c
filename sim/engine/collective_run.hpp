// One collective on a kernel: a Schedule, its rounds cut into segments, every rank at its own pace.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sim/collectives/schedule.hpp"
#include "sim/engine/kernel.hpp"

namespace orrery {

/// A schedule laid out for execution with at most `segments` parts per round: what each rank takes part in, in order.
/// Made once for all collectives of the same shape.
class CollectivePlan {
 public:
  CollectivePlan(Schedule schedule, std::int32_t segments);

  /// One round as one rank sees it.
  struct Part {
    std::int32_t round = 0;
    std::uint32_t first_transfer = 0, transfers = 0;  // sent and received: edge(first_transfer), ...
  };
  struct Edge {
    std::int32_t round = 0;
    Transfer transfer;
    std::uint32_t from_part = 0, to_part = 0;
  };

  [[nodiscard]] const Schedule& schedule() const { return schedule_; }
  [[nodiscard]] std::int32_t segments_of(std::int32_t round) const;
  /// First repetition of a segment; the segment after begins where this one ends.
  [[nodiscard]] std::int32_t segment_begin(std::int32_t round, std::int32_t segment) const;
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  /// Parts of rank r: first_part(r) .. first_part(r + 1) - 1.
  [[nodiscard]] std::uint32_t first_part(std::int32_t rank) const {
    return first_part_[static_cast<std::size_t>(rank)];
  }
  [[nodiscard]] const std::vector<Edge>& edges() const { return edges_; }
  /// Index of an edge, by its place in the list that parts refer to.
  [[nodiscard]] std::uint32_t edge(std::uint32_t place) const { return by_part_[place]; }
  /// True when every round is carried out message by message.
  [[nodiscard]] bool is_exact() const { return exact_; }

 private:
  void list_edges();
  void list_parts();
  void list_transfers();

  Schedule schedule_;
  std::int32_t segments_;
  bool exact_ = true;
  std::vector<Part> parts_;
  std::vector<std::uint32_t> first_part_;
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> by_part_;  // edges, twice each: with the sending and with the receiving part
};

/// Carries a plan out. Keep it alive until `done` has been called or the kernel has run out of events.
class CollectiveRun {
 public:
  /// `hosts`: one per rank of the group. `done`: called when every rank has finished, or never if something failed.
  CollectiveRun(std::shared_ptr<const CollectivePlan> plan, Bytes bytes, std::vector<DeviceId> hosts, Kernel& kernel,
                std::function<void()> done);
  CollectiveRun(const CollectiveRun&) = delete;
  CollectiveRun& operator=(const CollectiveRun&) = delete;

  void start();
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  struct Position {
    std::uint32_t part = 0;
    std::int32_t segment = -1;  // not begun
    bool operator==(const Position&) const = default;
  };

  void begin(std::int32_t rank, Position at);
  void advance(std::int32_t rank);
  void launch(std::uint32_t edge, std::int32_t segment);
  void ended(std::uint32_t edge, Outcome outcome);
  void transfer_ended(std::int32_t rank);

  std::shared_ptr<const CollectivePlan> plan_;
  Bytes bytes_;
  std::vector<DeviceId> hosts_;
  Kernel& kernel_;
  std::function<void()> done_;
  std::vector<Position> positions_;  // per rank
  std::vector<std::uint32_t> left_;  // per rank: transfers of its segment that have not ended
  std::int32_t unfinished_ = 0;      // ranks
  std::uint64_t failures_ = 0;
};

}  // namespace orrery
