// What the steps of a centralised way train on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "models/training/dataset.hpp"
#include "models/training/epoch_order.hpp"
#include "models/training/execution_plan.hpp"
#include "models/training/sample_batch.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

/// The workload's data set, else random samples; never a batch that is not full. The same on every rank.
class StepBatches {
 public:
  /// Throws Infeasible when a batch is more than there is, InvalidInput where a number of a sample is no row of a
  /// table (require_rows).
  StepBatches(const Scenario& scenario, const ExecutionPlan& plan);

  [[nodiscard]] const DataSet& data() const { return data_; }
  /// Passes over the data that so many steps make.
  [[nodiscard]] double epochs(std::int64_t steps) const;
  Batch next();

 private:
  DataSet data_;
  std::size_t batch_;
  EpochOrder order_;
  SampleBatch gathered_;
};

}  // namespace orrery
