// Settings that rows write as words: precision, recomputation, sharing of states, sequence parallelism.
#pragma once

#include <optional>
#include <string_view>

#include "analysis/validation/measured/measured_row.hpp"
#include "models/layouts/layout.hpp"

namespace orrery {

/// "amp fp16", "bfloat16", "fp8-e4m3", ...; nothing for an unknown or empty text.
std::optional<Precision> precision_named(std::string_view text);

/// Each of these: nothing for an empty cell. Throws RowSkipped for an unknown text, with what is known.
std::optional<Precision> stated_precision(const MeasuredRow& row);
/// "none", "full", "selective", "selective (per operator)", "selective (every second layer)"; torchtitan's bare
/// "selective" is that of every second layer.
std::optional<Recompute> stated_recompute(const MeasuredRow& row);
/// "yes", "true", "on", "1", ... or "no", "false", "off", "0", ...
std::optional<SequenceParallel> stated_sequence_parallel(const MeasuredRow& row);

/// 0 to 3 from "0", "ZeRO-1", "zero2", "stage 3", "FSDP", "HSDP", "FSDP 256-way in pod", ...; 0 for an empty cell,
/// 3 where shards_by_default(). Throws RowSkipped for another text.
int zero_stage_of(const MeasuredRow& row);
/// MaxText shares all states out over all chips where it is told nothing of the layout (ici_fsdp_parallelism -1).
bool shards_by_default(const MeasuredRow& row);

}  // namespace orrery
