#include "models/kernels/grouped_convolution.hpp"

#include <algorithm>

#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// One group's channels of every pixel: `runs` runs of `width` numbers, `stride` apart.
struct Runs {
  std::int64_t stride = 0, width = 0, runs = 0;
  [[nodiscard]] std::int64_t count() const { return width * runs; }
};

void gather(const Runs& shape, const float* from, float* dense) {
  for (std::int64_t run = 0; run < shape.runs; ++run, from += shape.stride) {
    dense = std::copy_n(from, shape.width, dense);
  }
}

void scatter(const Runs& shape, Update update, const float* __restrict dense, float* __restrict to) {
  for (std::int64_t run = 0; run < shape.runs; ++run, dense += shape.width, to += shape.stride) {
    if (update == Update::overwrite) {
      std::copy_n(dense, shape.width, to);
    } else {
      for (std::int64_t i = 0; i < shape.width; ++i) to[i] += dense[i];
    }
  }
}

Layer one_group(Layer layer) {
  layer.in.channels /= layer.groups;
  layer.out.channels /= layer.groups;
  layer.groups = 1;
  return layer;
}

class GroupedConvolution final : public LayerKernel {
 public:
  explicit GroupedConvolution(const Layer& layer)
      : layer_(layer), group_(one_group(layer)), kernel_(make_convolution(group_)) {
    ORRERY_EXPECT(layer.in.channels % layer.groups == 0 && layer.out.channels % layer.groups == 0);
  }

  [[nodiscard]] ParameterCount parameter_count() const override {
    const ParameterCount one = kernel_->parameter_count();
    return {one.weights * layer_.groups, one.biases * layer_.groups, one.fan_in};
  }

  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    return kernel_->scratch_count(samples) + 2 * parameters().count() + 2 * inputs(samples).count() +
           outputs(samples).count();
  }

  void forward(const ForwardData& data) const override {
    for (std::int64_t group = 0; group < layer_.groups; ++group) {
      const Copies copies = copies_of(data.samples, data.scratch);
      gather(parameters(), data.parameters.data() + group * group_.out.channels, copies.parameters.data());
      gather(inputs(data.samples), data.input.data() + group * group_.in.channels, copies.input.data());
      ForwardData one = data;
      one.parameters = copies.parameters;
      one.input = copies.input;
      one.output = copies.output;
      one.scratch = copies.scratch;
      kernel_->forward(one);
      scatter(outputs(data.samples), Update::overwrite, copies.output.data(),
              data.output.data() + group * group_.out.channels);
    }
  }

  void backward(const BackwardData& data) const override {
    const bool needs_input = !data.input_gradient.empty(), needs_parameters = !data.parameter_gradient.empty();
    for (std::int64_t group = 0; group < layer_.groups; ++group) {
      const std::int64_t in = group * group_.in.channels, out = group * group_.out.channels;
      const Copies copies = copies_of(data.samples, data.scratch);
      gather(parameters(), data.parameters.data() + out, copies.parameters.data());
      gather(inputs(data.samples), data.input.data() + in, copies.input.data());
      gather(outputs(data.samples), data.output_gradient.data() + out, copies.output.data());
      BackwardData one = data;
      one.parameters = copies.parameters;
      one.input = copies.input;
      one.output_gradient = copies.output;
      one.scratch = copies.scratch;
      one.parameter_gradient = needs_parameters ? copies.parameter_gradient : std::span<float>{};
      one.input_gradient = needs_input ? copies.input_gradient : std::span<float>{};
      one.parameter_update = one.input_update = Update::overwrite;
      kernel_->backward(one);
      // A group's weights are used by that group alone: they may change now even where gradients are added in place.
      if (needs_input) {
        scatter(inputs(data.samples), data.input_update, copies.input_gradient.data(), data.input_gradient.data() + in);
      }
      if (needs_parameters) {
        scatter(parameters(), data.parameter_update, copies.parameter_gradient.data(),
                data.parameter_gradient.data() + out);
      }
    }
  }

 private:
  struct Copies {
    std::span<float> parameters, parameter_gradient, input, input_gradient, output, scratch;
  };

  [[nodiscard]] Runs parameters() const {  // weights by column, then the biases as one more
    const std::int64_t patch = group_.kernel * group_.kernel * group_.in.channels;
    return {layer_.out.channels, group_.out.channels, patch + (layer_.bias ? 1 : 0)};
  }
  [[nodiscard]] Runs inputs(std::int64_t samples) const {
    return {layer_.in.channels, group_.in.channels, samples * layer_.in.height * layer_.in.width};
  }
  [[nodiscard]] Runs outputs(std::int64_t samples) const {
    return {layer_.out.channels, group_.out.channels, samples * layer_.out.height * layer_.out.width};
  }

  [[nodiscard]] Copies copies_of(std::int64_t samples, std::span<float> scratch) const {
    const auto take = [&scratch](std::int64_t count) {
      const std::span<float> part = scratch.first(static_cast<std::size_t>(count));
      scratch = scratch.subspan(static_cast<std::size_t>(count));
      return part;
    };
    Copies copies;
    copies.parameters = take(parameters().count());
    copies.parameter_gradient = take(parameters().count());
    copies.input = take(inputs(samples).count());
    copies.input_gradient = take(inputs(samples).count());
    copies.output = take(outputs(samples).count());
    copies.scratch = scratch;
    return copies;
  }

  Layer layer_, group_;
  std::unique_ptr<LayerKernel> kernel_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_grouped_convolution(const Layer& layer) {
  return std::make_unique<GroupedConvolution>(layer);
}

}  // namespace orrery
