// A row's job with its open settings chosen, and what is predicted of it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "analysis/validation/measured/counted_flops.hpp"
#include "analysis/validation/measured/row_case.hpp"
#include "models/layouts/step_prediction.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

struct SolvedCase {
  RowCase row;  // layout without open settings
  StepPrediction step;
  Ranged seconds;  // of the step
  CountedFlops flops;
};

/// Solves cases and keeps them: rows that differ only in the metric are solved once. Not thread-safe.
class CaseSolver {
 public:
  explicit CaseSolver(const ValidationTables& tables) : tables_(&tables) {}
  [[nodiscard]] const ValidationTables& tables() const { return *tables_; }

  /// Throws RowSkipped when the row does not say enough, contradicts itself or cannot run.
  const SolvedCase& solve(const MeasuredRow& row);

 private:
  struct Kept {
    std::shared_ptr<const SolvedCase> solved;
    std::string skipped;  // why there is none
  };
  const ValidationTables* tables_;
  std::map<std::string, Kept> kept_;
};

struct ChosenLayout {
  Layout layout;
  bool fits = false;  // in the memory of a device
};

/// Of all values for what is open (micro-batch 1, 2, 4, 8; interleave up to 12 chunks of a layer or more, where
/// the micro-batches divide by the stages; zero_stage 0, 1; recomputation none, selective, full; tp up to a node, pp up
/// to 16) the fastest layout that fits. When none fits: the one that needs least. Throws RowSkipped when none can run.
ChosenLayout chosen_layout(const RowCase& open);

}  // namespace orrery
