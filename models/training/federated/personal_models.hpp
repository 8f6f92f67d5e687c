// What clients with layers of their own make of a test set. Internal to this folder.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/training/training.hpp"

namespace orrery {

struct CommonModel {
  std::shared_ptr<const ExecutionPlan> plan;
  std::span<const float> weights;
  std::span<const NumberRange> personal;  // replaced by each client's
  Storage storage = Storage::fp32;
};

struct PersonalModel {
  std::span<const float> numbers;        // of the personal layers
  std::span<const std::size_t> samples;  // the client's, of the training set
};

/// Every personal model on every class of the test set, weighted by the labels of the client's own training samples
/// (classes without a test sample are left out); the mean over the models, each counting the same. Parallel over
/// models; the same bits for any number of threads. Throws InvalidInput as
/// require_rows() does.
Evaluation evaluate_personal(const CommonModel& common, std::span<const PersonalModel> models, const Samples& train,
                             const Samples& test);

}  // namespace orrery
