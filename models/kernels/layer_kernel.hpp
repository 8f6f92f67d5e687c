// A layer that really computes. One sample is one column: its numbers lie together (images: channels last), sample
// after sample.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/networks/layer_graph.hpp"

namespace orrery {

struct ForwardData {
  std::int64_t samples = 0;
  std::span<const float> parameters;  // weights, then biases
  std::span<const float> input;       // samples x in.count()
  std::span<float> output;            // samples x out.count(); overwritten
};

struct BackwardData {
  std::int64_t samples = 0;
  std::span<const float> parameters, input, output;  // as in the forward pass just made
  std::span<const float> output_gradient;
  std::span<float> parameter_gradient;  // overwritten with the sum over the samples
  std::span<float> input_gradient;      // overwritten; empty when nobody needs it (first layer)
};

/// Trainable numbers of a layer, and how many inputs reach one output (for the spread of the first weights).
struct ParameterCount {
  std::int64_t weights = 0, biases = 0, fan_in = 1;
};

enum class OutputStorage : std::uint8_t {
  own,           // forward() writes it
  same_as_input  // the same numbers under another shape: neither pass is called
};

/// Keeps scratch space between calls: one object serves one thread at a time.
class LayerKernel {
 public:
  virtual ~LayerKernel() = default;
  [[nodiscard]] virtual ParameterCount parameter_count() const { return {}; }
  [[nodiscard]] virtual OutputStorage output_storage() const { return OutputStorage::own; }
  virtual void forward(const ForwardData& data) = 0;
  /// Follows a forward() on the same data.
  virtual void backward(const BackwardData& data) = 0;
};

/// Why `layer` cannot be executed; empty when it can. The loss is executable too, but not a LayerKernel: see
/// softmax_cross_entropy.hpp.
std::string why_not_executable(const Layer& layer);

/// The implementation of a layer for which why_not_executable() is empty.
std::unique_ptr<LayerKernel> make_layer_kernel(const Layer& layer);

}  // namespace orrery
