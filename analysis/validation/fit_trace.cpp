#include "analysis/validation/fit_trace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/cost/operators.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

const Device& device_named(const FitTarget& target, const ValidationTables& tables) {
  if (target.kind != FitTarget::Kind::device) {
    refuse("a trace tells a device, not a " + name_of(target.kind), "its matrix products are fitted", "give --device");
  }
  const Device* device = tables.catalogue.device(target.id);
  if (device == nullptr) {
    refuse(fmt::format("unknown device \"{}\"", target.id), "",
           did_you_mean(target.id, ids_of(tables.catalogue.devices), "orrery list devices"));
  }
  return *device;
}

std::vector<std::string> constants_of(Precision precision) {
  switch (precision) {
    case Precision::fp8:
    case Precision::int8:
      return {"gemm_share_fp8", "gemm_k0_fp8"};
    case Precision::fp16:
    case Precision::bf16:
      return {"gemm_share", "gemm_k0"};
    default:
      return {"gemm_share_tf32"};
  }
}

std::vector<std::string> usual_constants(const std::vector<TracedProduct>& products) {
  std::vector<std::string> names;
  for (const TracedProduct& product : products) {
    for (const std::string& name : constants_of(product.precision)) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

const Ranged& constant_in(const DeviceLaw& law, const std::string& name) {
  for (const DeviceConstant& constant : device_constants()) {
    if (constant.name == name) return law.*constant.member;
  }
  refuse(fmt::format("unknown constant \"{}\" of a device", name), "",
         did_you_mean(name, names_in(device_constants())));
}

}  // namespace

RowsToFit problem_of_products(const std::vector<TracedProduct>& products, const ValidationTables& tables,
                              const FitTarget& target, const std::vector<std::string>& constants) {
  const Device& device = device_named(target, tables);
  const DeviceLaw law = tables.device_laws.of(device);
  RowsToFit fit;
  for (const std::string& name : constants.empty() ? usual_constants(products) : constants) {
    fit.problem.parameters.push_back(
        parameter_for(name, constant_in(law, name), limits_of(name, all_device_constants())));
  }
  for (const TracedProduct& product : products) fit.problem.rows.push_back(product.name);
  fit.problem.ratio = [=, parameters = fit.problem.parameters](std::span<const double> values, std::size_t row) {
    DeviceLaw tried = law;
    for (std::size_t i = 0; i < values.size(); ++i) {
      set_constant(tried, device_constants(), {{}, parameters[i].constant, Ranged(values[i]), {}, {}});
    }
    const TracedProduct& product = products[row];
    return operator_time(product.op, device, tried, product.precision) / product.seconds;
  };
  return fit;
}

}  // namespace orrery
