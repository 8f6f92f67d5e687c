// The batch of a published row: samples of a step and of a micro-batch, as the row or its notes say them.
#pragma once

#include "analysis/validation/measured/row_case.hpp"

namespace orrery {

/// Sets job.batch and layout.microbatch, and what of them is open; network, precision and degrees are set before.
/// Throws RowSkipped for a batch in words that are no number of samples or tokens, and where a pipeline's batch is
/// missing.
void set_batch(RowCase& target, const MeasuredRow& row);

}  // namespace orrery
