// Matrix products of a PyTorch trace with their shapes and times: what a device's law of products is fitted to.
#pragma once

#include <string>
#include <vector>

#include "models/cost/kineto_events.hpp"
#include "models/cost/operators.hpp"
#include "sim/base/units.hpp"
#include "topologies/precision.hpp"

namespace orrery {

/// One shape; `seconds`: median over its calls, of the kernels on the accelerator where the trace has them, else of the
/// operator on the host.
struct TracedProduct {
  std::string name;  // "aten::mm 4096 x 4096 x 1024 bf16"
  Operator op;       // m, n, k, count (batched) and bytes
  Precision precision = Precision::fp32;
  Seconds seconds;
  int calls = 0;
};

/// Of aten::mm, addmm, bmm and baddbmm, by shape and type in the order of their first call. Problems: a trace without
/// such operators, or without their shapes and types (record_shapes=True was not given).
std::vector<TracedProduct> traced_products(const Trace& trace, const std::string& file, Problems& problems);

}  // namespace orrery
