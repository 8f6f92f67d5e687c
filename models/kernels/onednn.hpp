// Primitives of oneDNN without memory of their own. For files that are built only where oneDNN is.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <dnnl.hpp>
#include <stdexcept>

#include "models/kernels/gemm.hpp"

namespace orrery::onednn {

using Form = dnnl::memory::desc;  // shape, type and order of an operand
using Tag = dnnl::memory::format_tag;

inline Form form(const dnnl::memory::dims& dims, Tag tag) {
  return {dims, dnnl::memory::data_type::f32, tag};
}

/// Floats that an operand takes, in whole cache lines.
inline std::int64_t numbers_in(const Form& form) {
  constexpr std::int64_t line = 16;
  const auto numbers = static_cast<std::int64_t>((form.get_size() + sizeof(float) - 1) / sizeof(float));
  return (numbers + line - 1) / line * line;
}

/// Work space is handed in with each call.
inline dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// Version 2 of oneDNN wraps the arguments in a description of the operation, version 3 takes them as they are.
template <class Primitive, class... Arguments>
typename Primitive::primitive_desc describe(const dnnl::engine& engine, const Arguments&... arguments) {
  if constexpr (requires { typename Primitive::desc; }) {
    return {typename Primitive::desc(arguments...), attributes(), engine};
  } else {
    return {engine, arguments..., attributes()};
  }
}

/// Likewise, of a pass that is told of its forward pass.
template <class Primitive, class Forward, class... Arguments>
typename Primitive::primitive_desc describe_backward(const dnnl::engine& engine, const Forward& forward,
                                                     const Arguments&... arguments) {
  if constexpr (requires { typename Primitive::desc; }) {
    return {typename Primitive::desc(arguments...), attributes(), engine, forward};
  } else {
    return {engine, arguments..., forward, attributes()};
  }
}

/// The same numbers in another order, written or added.
inline dnnl::reorder::primitive_desc describe_reorder(const dnnl::engine& engine, const Form& from, const Form& to,
                                                      Update update = Update::overwrite) {
  dnnl::primitive_attr with_sum = attributes();
  if (update == Update::add) {
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    with_sum.set_post_ops(sum);
  }
  return {engine, from, engine, to, with_sum};
}

/// A place for an operand; where it lies is said before each call.
class Operand {
 public:
  Operand(const Form& form, const dnnl::engine& engine) : memory_(form, engine, nullptr) {}
  dnnl_exec_arg_t as(int role, const float* numbers) {
    memory_.set_data_handle(const_cast<float*>(numbers));  // NOLINT(*-const-cast): inputs are only read
    return {role, memory_.get()};
  }

 private:
  dnnl::memory memory_;
};

/// A primitive and the work space it asks for.
template <class Primitive>
class Step {
 public:
  Step(const typename Primitive::primitive_desc& description, const dnnl::engine& engine)
      : primitive_(description),
        work_count_(numbers_in(description.scratchpad_desc())),
        work_(description.scratchpad_desc(), engine) {}

  [[nodiscard]] std::int64_t work_count() const { return work_count_; }

  /// work: work_count() numbers. An operand without memory is left out.
  void execute(const dnnl::stream& stream, float* work, const dnnl_exec_arg_t& first, const dnnl_exec_arg_t& second,
               const dnnl_exec_arg_t& third = {}, const dnnl_exec_arg_t& fourth = {}) {
    std::array<dnnl_exec_arg_t, 5> operands{first, second, work_.as(DNNL_ARG_SCRATCHPAD, work), third, fourth};
    const auto end = std::remove_if(operands.begin(), operands.end(),
                                    [](const dnnl_exec_arg_t& operand) { return operand.memory == nullptr; });
    const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream.get(),
                                                        static_cast<int>(end - operands.begin()), operands.data());
    if (status != dnnl_success) throw std::runtime_error("oneDNN could not run a primitive - is memory short?");
  }

 private:
  Primitive primitive_;
  std::int64_t work_count_;
  Operand work_;
};

}  // namespace orrery::onednn
