// Convolutions for tests, and what they should compute, loop by loop in double.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

struct ConvolutionOptions {
  std::int64_t channels = 1;  // of the output
  std::int64_t kernel = 3, stride = 1, padding = 0, groups = 1;
  bool bias = true;
};

inline Layer convolution_layer(Shape in, const ConvolutionOptions& options, LayerKind kind = LayerKind::convolution) {
  Layer layer;
  layer.name = std::string(name_of(kind));
  layer.kind = kind;
  layer.in = in;
  layer.kernel = options.kernel;
  layer.stride = options.stride;
  layer.padding = options.padding;
  layer.groups = options.groups;
  layer.bias = options.bias;
  const auto size = [&](std::int64_t before) {
    return kind == LayerKind::transposed_convolution
               ? (before - 1) * options.stride - 2 * options.padding + options.kernel
               : (before + 2 * options.padding - options.kernel) / options.stride + 1;
  };
  layer.out = {size(in.height), size(in.width), options.channels};
  return layer;
}

/// Calls visit(place in the image, place in the weights, place in the output) for every product that makes up a
/// convolution of one sample.
template <class Visit>
void for_each_product(const Layer& layer, Visit visit) {
  const std::int64_t group_in = layer.in.channels / layer.groups, group_out = layer.out.channels / layer.groups;
  for (std::int64_t out = 0; out < layer.out.count(); ++out) {
    const std::int64_t channel = out % layer.out.channels, pixel = out / layer.out.channels;
    for (std::int64_t k = 0; k < layer.kernel * layer.kernel * group_in; ++k) {
      const std::int64_t place = k / group_in;
      const std::int64_t y = pixel / layer.out.width * layer.stride - layer.padding + place / layer.kernel;
      const std::int64_t x = pixel % layer.out.width * layer.stride - layer.padding + place % layer.kernel;
      if (y < 0 || y >= layer.in.height || x < 0 || x >= layer.in.width) continue;
      const std::int64_t in = (y * layer.in.width + x) * layer.in.channels + channel / group_out * group_in;
      visit(static_cast<std::size_t>(in + k % group_in), static_cast<std::size_t>(k * layer.out.channels + channel),
            static_cast<std::size_t>(out));
    }
  }
}

struct ConvolutionPasses {
  std::vector<double> output, parameter_gradient, input_gradient;
};

/// The passes of a convolution by its definition.
inline ConvolutionPasses convolve(const Layer& layer, const std::vector<float>& parameters,
                                  const std::vector<float>& input, const std::vector<float>& output_gradient) {
  const auto in = static_cast<std::size_t>(layer.in.count()), out = static_cast<std::size_t>(layer.out.count());
  const std::size_t samples = input.size() / in, channels = static_cast<std::size_t>(layer.out.channels);
  const std::size_t weights = parameters.size() - (layer.bias ? channels : 0);
  ConvolutionPasses passes{std::vector<double>(samples * out), std::vector<double>(parameters.size()),
                           std::vector<double>(input.size())};
  for (std::size_t sample = 0; sample < samples; ++sample) {
    const std::size_t image = sample * in, result = sample * out;
    for_each_product(layer, [&](std::size_t i, std::size_t w, std::size_t o) {
      const double gradient = output_gradient[result + o];
      passes.output[result + o] += static_cast<double>(parameters[w]) * input[image + i];
      passes.parameter_gradient[w] += gradient * input[image + i];
      passes.input_gradient[image + i] += gradient * parameters[w];
    });
    for (std::size_t o = 0; layer.bias && o < out; ++o) {
      passes.output[result + o] += parameters[weights + o % channels];
      passes.parameter_gradient[weights + o % channels] += output_gradient[result + o];
    }
  }
  return passes;
}

}  // namespace orrery
