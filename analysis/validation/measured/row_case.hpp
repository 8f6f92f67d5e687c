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
  bool microbatch = false, interleave = false, recompute = false;
  bool tensor = false, pipeline = false;  // tp, pp
  bool replicas = false;                  // dp, which follows from tp and pp; without it they must leave layout.dp
  bool sharding = false;                  // of the optimizer's states: zero_stage 0 or 1
  bool batch = false;                     // one micro-batch per replica, the largest that fits
  [[nodiscard]] bool degrees() const { return tensor || pipeline; }
  /// A row that names no degree at all does not say that its layout was tuned: neither interleaving nor sequence
  /// parallelism is taken for granted then.
  [[nodiscard]] bool layout() const { return tensor && pipeline; }
  [[nodiscard]] bool any() const { return microbatch || interleave || recompute || degrees() || sharding || batch; }
};

struct RowCase {
  TrainingJob job;
  Layout layout;
  OpenSettings open;
  RowNetwork network;
  double year = 0;  // of its software
  std::vector<std::string> assumed;
};

/// What the row says, and defaults for what it leaves out, each with a word in `assumed`:
/// precision (fp16 until 2022, then bf16; convolutional networks fp32), devices per node (8, or as the usual system of
/// the device), links (usual_system()), year (2022, or the one after that of a later device), dp (devices / (tp pp
/// cp)), batch (one micro-batch per replica, without a pipeline), sequence parallelism (from 2023 on), optimizer (Adam;
/// LAMB where the notes say so; momentum for convolutional networks). Throws RowSkipped naming what is missing or
/// contradicts itself.
RowCase case_of(const MeasuredRow& row, const ValidationTables& tables);

/// The cluster alone: devices, links and their laws, for `devices` devices. Sets job.cluster, device_law, node_law,
/// network_law.
void set_cluster(RowCase& target, const MeasuredRow& row, std::int64_t devices, const ValidationTables& tables);

/// The settings of a row that decide its job and layout, as one text: rows with the same have the same prediction.
std::string case_key(const MeasuredRow& row);

}  // namespace orrery
