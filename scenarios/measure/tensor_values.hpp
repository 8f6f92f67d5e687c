// The numbers of one layer's output on one device of a tensor-parallel group: its own part, the whole where somebody
// reads it, and the gradients of both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/gemm.hpp"

namespace orrery {

/// Numbers to which several add in turn: the first one overwrites.
struct Sum {
  AlignedVector numbers;
  Update next = Update::overwrite;

  void restart() { next = Update::overwrite; }
  [[nodiscard]] bool empty() const { return next == Update::overwrite; }
  /// What the next one to add must do; it is taken to have done it.
  Update take_turn() { return std::exchange(next, Update::add); }
};

/// `own`: as the device computes it, which is the whole when the layer is not split. The rest is used by split outputs:
/// `whole`, once gathered. Gradients: of own, from readers of the own part; `of_whole`: of the whole, complete, from
/// replicated readers; `partial`: of the whole, this device's part of every sum, from column layers.
struct TensorValues {
  AlignedVector own, whole;
  bool gathered = false;
  Sum gradient, of_whole, partial;

  void restart() {
    gathered = false;
    for (Sum* sum : {&gradient, &of_whole, &partial}) sum->restart();
  }
};

/// Where the parts of a split output lie in the whole.
class SplitLayout {
 public:
  /// channels[d]: those of device d, of every position.
  explicit SplitLayout(const std::vector<std::vector<std::int64_t>>& channels);

  /// The part of one device into the whole, and out of it. Numbers of any number of samples.
  void put(std::span<const float> own, std::size_t device, std::span<float> whole) const;
  void pick(std::span<const float> whole, std::size_t device, Update update, std::span<float> own) const;

 private:
  template <class Visit>
  void visit_runs(std::size_t device, std::size_t numbers, Visit visit) const;

  /// Neighbouring channels, which are copied together.
  struct Run {
    std::size_t from = 0, count = 0;
  };
  std::vector<std::vector<Run>> runs_;  // of one position, by device
  std::size_t channels_ = 0;
};

}  // namespace orrery
