// How long the devices of a layout compute, wait and stand by in one step, in closed form.
#pragma once

#include "models/layouts/step_prediction.hpp"

namespace orrery {

/// Summed over the devices of a layout; the first three add up to devices x step. As the closed-form engine has it: a
/// device waits for messages of its pipeline and for exchanges blocked. It stands by between kernels, while its host is
/// late, the first stage for training data, and at the end of the step when another stage is not done. Between
/// stages that are not alike it may wait a little longer than is said here.
struct StepUse {
  Seconds computing, blocked, idle;
  Seconds node_computing;  // of the share that each device has of its node: while a device of the node computes
};

/// `prices` and `step` of this layout.
StepUse step_use(const LayoutPrices& prices, const StepPrediction& step, const Layout& layout, int devices_per_node);

}  // namespace orrery
