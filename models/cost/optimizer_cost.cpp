#include "models/cost/optimizer_cost.hpp"

#include <algorithm>
#include <array>

#include "models/cost/pass_bytes.hpp"

namespace orrery {

std::string_view name_of(OptimizerKind kind) {
  static constexpr std::array<std::string_view, 7> names = {"sgd",   "momentum", "nesterov", "adam",
                                                            "adamw", "lamb",     "adadelta"};
  return names.at(static_cast<std::size_t>(kind));
}

namespace {

struct OptimizerFacts {
  int states;
  Ranged FrameworkProfile::*bytes;
  double more_bytes;
  UnfusedUpdate unfused;
};

/// In the order of OptimizerKind. Of unfused updates the bytes stand operation by operation.
const OptimizerFacts& facts_of(OptimizerKind kind) {
  constexpr auto sgd = &FrameworkProfile::optimizer_bytes_sgd, momentum = &FrameworkProfile::optimizer_bytes_momentum,
                 adam = &FrameworkProfile::optimizer_bytes_adam;
  constexpr double read_again = 3.0 * 4.0;  // three fp32 numbers
  static const std::array<OptimizerFacts, 7> facts = {{
      {0, sgd, 0, {1, 12}},                                  // weight
      {1, momentum, 0, {3, 8 + 12 + 12}},                    // velocity: multiply, add; weight
      {1, momentum, 0, {4, 8 + 12 + 12 + 12}},               // momentum's, and what is added to the gradient
      {2, adam, 0, {8, 2 * (8 + 12) + 8 + 8 + 8 + 16}},      // mean 2, mean square 2, square root, divide, add, weight
      {2, adam, 0, {9, 2 * (8 + 12) + 8 + 8 + 8 + 16 + 8}},  // adam's, and the decay
      // mean 2, mean square 2, direction 4, two norms of 2 each, weight
      {2, adam, read_again, {13, 2 * (8 + 12) + 8 + 8 + 12 + 12 + 2 * (8 + 4) + 12}},
      // mean square 2, two of add and square root, divide, multiply, weight, square of steps 2
      {2, adam, 0, {11, 8 + 12 + 2 * (8 + 8) + 12 + 12 + 12 + 8 + 12}},
  }};
  return facts.at(static_cast<std::size_t>(kind));
}

}  // namespace

int optimizer_states(OptimizerKind kind) {
  return facts_of(kind).states;
}

double optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind) {
  const OptimizerFacts& facts = facts_of(kind);
  return (framework.*facts.bytes).value + facts.more_bytes;
}

double mixed_optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind) {
  const OptimizerFacts& facts = facts_of(kind);
  const bool is_adam = facts.bytes == &FrameworkProfile::optimizer_bytes_adam;
  return is_adam ? framework.optimizer_bytes_adam_mixed.value + facts.more_bytes : optimizer_bytes(framework, kind);
}

double update_bytes(const FrameworkProfile& framework, OptimizerKind kind, Precision precision) {
  const double of_fp32 = bytes_in_memory(precision) / bytes_in_memory(Precision::fp32);
  const double wider = std::max(1.0, of_fp32);  // fp64: every number is
  if (framework.host_update_us.value > 0) return unfused_update(kind).bytes * wider;
  return of_fp32 < 1 ? mixed_optimizer_bytes(framework, kind) : optimizer_bytes(framework, kind) * wider;
}

double gradient_wire_bytes(const FrameworkProfile& framework, Precision precision) {
  const double whole = bytes_in_memory(precision).value();
  return whole < 4.0 ? framework.gradient_wire_bytes.value : whole;
}

double gradient_sum_bytes(const FrameworkProfile& framework, Precision precision) {
  const bool is_mixed = bytes_in_memory(precision).value() < 4.0;
  return is_mixed && precision != Precision::fp16 ? framework.bf16_sum_bytes.value : 0.0;
}

UnfusedUpdate unfused_update(OptimizerKind kind) {
  return facts_of(kind).unfused;
}

}  // namespace orrery
