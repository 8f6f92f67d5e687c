// Executes one Program: counts down dependencies, starts what is ready, records what ended.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/collective_run.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/fidelity.hpp"
#include "sim/engine/library_run.hpp"
#include "sim/program/order.hpp"

namespace orrery {

class Interpreter {
 public:
  Interpreter(const Program& program, Kernel& kernel, const std::vector<DeviceId>& hosts, const EngineOptions& options);

  /// Runs to the end; throws std::runtime_error when operations remain.
  Records run();

 private:
  /// A collective under way: who has arrived, and the run once all have.
  struct Meeting {
    std::vector<OpId> arrived;
    std::unique_ptr<CollectiveRun> run;
    std::unique_ptr<LibraryRun> library;  // instead, of Algorithm::library
  };

  void begin(OpId id);
  void begin_receive(OpId id);
  void arrive(OpId id, CollectiveId collective);
  void start(CollectiveId id);
  void start_schedule(CollectiveId id, std::vector<DeviceId> members, std::function<void()> done);
  void start_library(CollectiveId id, std::vector<DeviceId> members, std::function<void()> done);
  void record_start(const Meeting& meeting, const std::vector<Bytes>& sent);
  void work_ended(OpId id, Outcome outcome);
  void message_ended(OpId id, Outcome outcome);
  void collective_ended(CollectiveId id);
  void end(OpId id);
  void begin_all_ready();
  const std::vector<Bytes>& sent_in(CollectiveId id);
  [[nodiscard]] std::string stuck() const;

  const Program& program_;
  Kernel& kernel_;
  const std::vector<DeviceId>& hosts_;
  const EngineOptions& options_;
  CollectivePlans plans_;
  MessagePairs messages_;
  Successors later_;
  std::vector<std::uint32_t> waiting_;  // per operation: what must end before
  std::vector<Activity> activities_;    // per operation
  std::vector<char> has_ended_;         // per operation
  std::vector<Meeting> meetings_;       // per collective
  std::vector<OpId> ready_;             // to begin, in the order in which they became ready
  std::map<std::pair<const CollectivePlan*, Bytes>, std::vector<Bytes>> sent_;
  std::vector<std::size_t> place_;  // per rank: index in the group looked at last
  std::size_t ended_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace orrery
