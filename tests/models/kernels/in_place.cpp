// Passes whose operands share memory give the same bits as passes whose operands do not.
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

constexpr std::int64_t samples = 3;

struct Operands {
  Numbers parameters, input, second, output_gradient;
};

Operands operands_of(const Layer& layer, const RunLayer& run) {
  Random random(6);
  const auto count = static_cast<std::size_t>(samples * layer.in.count());
  const auto draw = [&](std::size_t numbers) { return gradient_check::normal_numbers(numbers, 1.0F, random); };
  return {draw(run.parameters()), draw(count), draw(has_second_operand(layer.kind) ? count : 0), draw(count)};
}

TEST_CASE("in place, the output takes the place of the input and its gradient that of the output's") {
  for (const LayerKind kind : {LayerKind::relu, LayerKind::tanh, LayerKind::sigmoid, LayerKind::dropout,
                               LayerKind::position_embedding, LayerKind::residual_add}) {
    INFO(name_of(kind));
    Layer layer = small_layer(kind, {3, 1, 21});
    layer.rate = 0.5;
    RunLayer apart(layer);
    REQUIRE(apart.kernel().in_place() == InPlace::possible);
    const Operands with = operands_of(layer, apart);
    const Numbers output = apart.forward(with.parameters, with.input, with.second);
    const auto gradients = apart.backward(with.output_gradient);

    Numbers numbers = with.input, slopes = with.output_gradient, second = with.second;
    Numbers parameter_gradient(with.parameters.size()), second_gradient(with.second.size());
    ForwardData forward{.samples = samples, .parameters = with.parameters, .input = numbers, .output = numbers};
    forward.second = second;
    forward.context = apart.context;
    apart.kernel().forward(forward);
    CHECK(numbers == output);
    BackwardData backward{.samples = samples, .parameters = with.parameters, .output = numbers};
    backward.context = apart.context;
    backward.output_gradient = backward.input_gradient = slopes;
    backward.input_gradient = slopes;
    backward.parameter_gradient = parameter_gradient;
    backward.second_gradient = second_gradient;
    apart.kernel().backward(backward);
    CHECK(slopes == gradients.input);
    CHECK(parameter_gradient == gradients.parameters);
    CHECK(second_gradient == gradients.second);
  }
}

TEST_CASE("parameters that are their own gradient's memory change after their last use") {
  Layer dense = small_layer(LayerKind::dense, {2, 1, 20}, {.channels = 20});
  Layer norm = small_layer(LayerKind::layer_norm, {2, 1, 20}), root = small_layer(LayerKind::rms_norm, {2, 1, 20});
  Layer positions = small_layer(LayerKind::position_embedding, {2, 1, 20});
  for (const Layer& layer : {dense, norm, root, positions}) {
    INFO(layer.name);
    RunLayer apart(layer);
    const Operands with = operands_of(layer, apart);
    const Numbers output = apart.forward(with.parameters, with.input);
    const auto gradients = apart.backward(with.output_gradient);

    Numbers parameters = with.parameters, out(output.size()), input_gradient(with.input.size());
    Numbers kept(static_cast<std::size_t>(samples * apart.kernel().kept_count()));
    apart.kernel().forward(
        {.samples = samples, .parameters = parameters, .input = with.input, .output = out, .kept = kept});
    BackwardData backward{.samples = samples, .parameters = parameters, .input = with.input, .output = out};
    backward.kept = kept;
    backward.output_gradient = with.output_gradient;
    backward.parameter_gradient = parameters;
    backward.parameter_update = Update::add;
    backward.input_gradient = input_gradient;
    apart.kernel().backward(backward);
    CHECK(input_gradient == gradients.input);
    double worst = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      worst =
          std::max(worst, std::abs(static_cast<double>(parameters[i]) - with.parameters[i] - gradients.parameters[i]));
    }
    CHECK(worst < 1e-5);
  }
}

TEST_CASE("a frozen layer, or one whose input needs no gradient, leaves out what nobody reads") {
  for (const LayerKind kind : {LayerKind::dense, LayerKind::layer_norm, LayerKind::rms_norm,
                               LayerKind::position_embedding, LayerKind::residual_add, LayerKind::gelu}) {
    INFO(name_of(kind));
    const Layer layer = small_layer(kind, {2, 1, 6});
    RunLayer whole(layer);
    const Operands with = operands_of(layer, whole);
    const Numbers output = whole.forward(with.parameters, with.input, with.second);
    const auto gradients = whole.backward(with.output_gradient);

    Numbers kept(static_cast<std::size_t>(samples * whole.kernel().kept_count())), out(output.size());
    ForwardData forward{.samples = samples, .parameters = with.parameters, .input = with.input, .output = out};
    forward.second = with.second;
    forward.kept = kept;
    whole.kernel().forward(forward);
    BackwardData backward{.samples = samples, .parameters = with.parameters, .input = with.input, .output = out};
    backward.kept = kept;
    backward.output_gradient = with.output_gradient;
    BackwardData frozen = backward, first = backward;
    Numbers input_gradient(with.input.size()), parameter_gradient(with.parameters.size());
    frozen.input_gradient = input_gradient;
    first.parameter_gradient = parameter_gradient;
    whole.kernel().backward(frozen);
    whole.kernel().backward(first);
    whole.kernel().backward(backward);
    CHECK(input_gradient == gradients.input);
    CHECK(parameter_gradient == gradients.parameters);
  }
}

TEST_CASE("two operands: the gradient of one is overwritten while that of the other is added to") {
  for (const LayerKind kind : {LayerKind::residual_add, LayerKind::concatenate}) {
    INFO(name_of(kind));
    const Layer layer = small_layer(kind, {2, 1, 3}, {.channels = kind == LayerKind::concatenate ? 6 : 3});
    const auto kernel = make_layer_kernel(layer);
    const Numbers ones(static_cast<std::size_t>(layer.out.count()), 1.0F);
    Numbers first(6, 10.0F), second(6, 10.0F);
    BackwardData backward{.samples = 1};
    backward.output_gradient = ones;
    backward.input_gradient = first;
    backward.second_gradient = second;
    backward.second_update = Update::add;
    kernel->backward(backward);
    CHECK(first == Numbers(6, 1.0F));
    CHECK(second == Numbers(6, 11.0F));
    backward.input_update = Update::add;
    backward.second_update = Update::overwrite;
    kernel->backward(backward);
    CHECK(first == Numbers(6, 2.0F));
    CHECK(second == Numbers(6, 1.0F));
  }
}

}  // namespace
}  // namespace orrery
