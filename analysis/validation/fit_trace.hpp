// Matrix products of a PyTorch trace as a problem of least squares.
#pragma once

#include <string>
#include <vector>

#include "analysis/validation/fit_rows.hpp"
#include "models/cost/kineto_products.hpp"

namespace orrery {

/// Every product is a row. `constants` of the device's law: empty, plateau and half-rate inner dimension of the
/// precisions that occur. Throws InvalidInput for a target that is no device, an unknown device or constant.
RowsToFit problem_of_products(const std::vector<TracedProduct>& products, const ValidationTables& tables,
                              const FitTarget& target, const std::vector<std::string>& constants);

}  // namespace orrery
