// bfloat16: the upper 16 bits of a float32 (8 bits of exponent, 7 of fraction).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace orrery {

/// How weights, activations and their gradients are kept between the layers. bf16: every number is rounded to the
/// nearest bfloat16 when it is written; products add up in float32 and the optimizer works on float32 weights (mixed
/// precision: Micikevicius et al. 2018; for bfloat16, without scaling the loss: Kalamkar et al. 2019). The rounded
/// numbers still lie in float32 memory here and are multiplied in float32: this gives the learning of bf16, not its
/// savings of memory and time.
enum class Storage : std::uint8_t { fp32, bf16 };

/// The nearest bfloat16, of two equally near ones that with an even last bit. What is larger than the largest bfloat16
/// by half a step or more becomes infinite; a NaN stays one, quiet and with its sign. Numbers below the smallest
/// normal one are rounded like all others.
inline float round_to_bf16(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  const std::uint32_t rounded = bits + 0x7fffU + ((bits >> 16U) & 1U);
  return std::bit_cast<float>((is_nan ? bits | 0x00400000U : rounded) & 0xffff0000U);
}

/// Every number to its nearest bfloat16.
inline void round_to_bf16(std::span<float> numbers) {
  float* __restrict data = numbers.data();
  for (std::size_t i = 0; i < numbers.size(); ++i) data[i] = round_to_bf16(data[i]);
}

/// rounded = numbers, each to its nearest bfloat16. Equally long, without overlap.
inline void round_to_bf16(std::span<const float> numbers, std::span<float> rounded) {
  const float* __restrict from = numbers.data();
  float* __restrict to = rounded.data();
  for (std::size_t i = 0; i < rounded.size(); ++i) to[i] = round_to_bf16(from[i]);
}

}  // namespace orrery
