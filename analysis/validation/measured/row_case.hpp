// A published training row as a job and a layout.
#pragma once

#include <string>
#include <vector>

#include "analysis/validation/measured/measured_row.hpp"
#include "analysis/validation/measured/tables.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// Values that the row leaves open, to be chosen by what fits and is fastest.
struct OpenSettings {
  bool microbatch = false, interleave = false, recompute = false, tensor_and_pipeline = false;
  bool sharding = false;  // of the optimizer's states: zero_stage 0 or 1
  bool batch = false;     // one micro-batch per replica, the largest that fits
  [[nodiscard]] bool any() const {
    return microbatch || interleave || recompute || tensor_and_pipeline || sharding || batch;
  }
};

struct RowCase {
  TrainingJob job;
  Layout layout;
  OpenSettings open;
  RowNetwork network;
  std::string framework_rule;
  std::vector<std::string> assumed;
};

/// What the row says, and defaults for what it leaves out, each with a word in `assumed`:
/// precision (fp16 until 2022, then bf16; convolutional networks fp32), devices per node (8, or as the usual system of
/// the device), links (usual_system()), dp (devices / (tp pp cp)), batch (one micro-batch per replica, without a
/// pipeline), sequence parallelism (from 2023 on), optimizer (Adam; LAMB where the notes say so; momentum for
/// convolutional networks). Throws RowSkipped naming what is missing or contradicts itself.
RowCase case_of(const MeasuredRow& row, const ValidationTables& tables);

/// The cluster alone: devices, links and their laws, for `devices` devices. Sets job.cluster, device_law, node_law,
/// network_law.
void set_cluster(RowCase& target, const MeasuredRow& row, std::int64_t devices, const ValidationTables& tables);

/// "amp fp16", "bf16", ...; nothing for an unknown or empty text.
std::optional<Precision> precision_named(std::string_view text);

/// The settings of a row that decide its job and layout, as one text: rows with the same have the same prediction.
std::string case_key(const MeasuredRow& row);

}  // namespace orrery
