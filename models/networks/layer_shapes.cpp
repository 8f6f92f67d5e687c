#include "models/networks/layer_shapes.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace orrery {

namespace {

Misfit misfit(std::string key, std::string what, std::string suggestion = {}) {
  return {std::move(key), std::move(what), std::move(suggestion)};
}

std::optional<Misfit> slide_window(Layer& layer, std::int64_t channels) {
  const std::int64_t height = layer.in.height + 2 * layer.padding, width = layer.in.width + 2 * layer.padding;
  if (layer.kernel > height || layer.kernel > width) {
    return misfit("kernel",
                  fmt::format("a {0}x{0} window is larger than the input {1} with padding {2}", layer.kernel,
                              to_text(layer.in), layer.padding),
                  "use a smaller kernel, more padding, or fewer pooling layers before it");
  }
  if (layer.padding >= layer.kernel) {
    return misfit("padding",
                  fmt::format("a padding of {} leaves {}x{} windows that see no input {}", layer.padding, layer.kernel,
                              layer.kernel, to_text(layer.in)),
                  "use a padding smaller than the kernel");
  }
  layer.out = {(height - layer.kernel) / layer.stride + 1, (width - layer.kernel) / layer.stride + 1, channels};
  return std::nullopt;
}

std::optional<Misfit> convolve(Layer& layer, std::int64_t filters) {
  if (layer.in.channels % layer.groups != 0 || filters % layer.groups != 0) {
    return misfit("groups", fmt::format("{} groups do not divide both the channels of the input {} and the {} filters",
                                        layer.groups, to_text(layer.in), filters));
  }
  return slide_window(layer, filters);
}

std::optional<Misfit> densify(Layer& layer, std::int64_t units) {
  if (layer.in.width != 1) {
    return misfit("kind",
                  fmt::format("takes vectors (1x1xN) or sequences (Tx1xN), but its input is {}", to_text(layer.in)),
                  "put a flatten layer before it");
  }
  layer.out = {layer.in.height, 1, units};
  return std::nullopt;
}

std::optional<Misfit> embed(Layer& layer, std::int64_t units) {
  if (layer.in.width != 1 || layer.in.channels != 1) {
    return misfit("kind", fmt::format("takes token numbers (Tx1x1), but its input is {}", to_text(layer.in)));
  }
  if (layer.positions != 0 && layer.positions < layer.in.height) {
    return misfit("positions", fmt::format("{} positions are fewer than the tokens of the input {}", layer.positions,
                                           to_text(layer.in)));
  }
  layer.out = {layer.in.height, 1, units};
  return std::nullopt;
}

std::optional<Misfit> attend(Layer& layer) {
  if (layer.in.width != 1 || layer.in.channels % (3 * layer.heads) != 0) {
    return misfit("heads",
                  fmt::format("{} heads need queries, keys and values side by side (Tx1x3h, h a multiple of {}), but "
                              "the input is {}",
                              layer.heads, layer.heads, to_text(layer.in)));
  }
  layer.out = {layer.in.height, 1, layer.in.channels / 3};
  return std::nullopt;
}

}  // namespace

std::optional<Misfit> set_output_shape(Layer& layer, std::int64_t units) {
  switch (layer.kind) {
    case LayerKind::dense:
      return densify(layer, units);
    case LayerKind::convolution:
      return convolve(layer, units);
    case LayerKind::max_pool:
    case LayerKind::average_pool:
      return slide_window(layer, layer.in.channels);
    case LayerKind::global_average_pool:
      layer.out = {1, 1, layer.in.channels};
      return std::nullopt;
    case LayerKind::flatten:
      layer.out = {1, 1, layer.in.count()};
      return std::nullopt;
    case LayerKind::embedding:
      return embed(layer, units);
    case LayerKind::attention:
      return attend(layer);
    case LayerKind::softmax_cross_entropy:
      layer.out = {1, 1, 1};  // one loss per sample
      return std::nullopt;
    default:
      layer.out = layer.in;
      return std::nullopt;
  }
}

}  // namespace orrery
