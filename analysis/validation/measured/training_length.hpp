// How long a whole published training is: its samples, in one phase or several.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/validation/measured/measured_row.hpp"

namespace orrery {

inline constexpr double imagenet_images = 1281167;  // training set of ILSVRC 2012

/// So many samples, tokens or passes over a training set.
struct TrainingAmount {
  enum class Unit { samples, tokens, epochs } unit = Unit::samples;
  double count = 0;
};

/// Amounts in the notes, in their order: "1.4T tokens", "300 billion tokens", "403M seq-128 samples", "90 epochs",
/// "1,281,167 images". Less than a million samples or tokens, and what stands behind "batch", belongs to a step;
/// "32k images/s" and "4M tokens per step" are rates.
std::vector<TrainingAmount> training_amounts(std::string_view notes);

/// A part of a training at one length of sequence and one batch.
struct TrainingPhase {
  MeasuredRow row;
  TrainingAmount amount;
};

/// One phase, or as many as cells of the row name: "128 then 512" tokens, "64K then 32K" samples per step (K: 1,024).
/// Throws RowSkipped where the notes do not say how much each of them is.
std::vector<TrainingPhase> training_phases(const MeasuredRow& row);

/// Samples of one pass over the training set that words of the row's model and notes name.
std::optional<double> samples_of_epoch(const MeasuredRow& row);

}  // namespace orrery
