#include "models/networks/arrangement_shapes.hpp"

#include <fmt/format.h>

#include <cmath>

namespace orrery {

std::optional<Misfit> make_pixels(Layer& layer) {
  const std::int64_t tokens = layer.in.height;
  const std::int64_t side = std::llround(std::sqrt(static_cast<double>(tokens)));
  if (layer.in.width != 1 || side * side != tokens) {
    return Misfit{
        "kind",
        fmt::format("takes the pixels of a square image (Tx1xC, T a square), but its input is {}", to_text(layer.in)),
        "an image that is not square is a reshape with its height and width"};
  }
  layer.out = {side, side, layer.in.channels};
  return std::nullopt;
}

std::optional<Misfit> reshape(Layer& layer) {
  const std::int64_t places = layer.out.height * layer.out.width;
  if (layer.in.count() % places != 0) {
    return Misfit{"height",
                  fmt::format("{}x{} places do not divide the {} numbers of the input {}", layer.out.height,
                              layer.out.width, layer.in.count(), to_text(layer.in)),
                  {}};
  }
  layer.out.channels = layer.in.count() / places;
  return std::nullopt;
}

std::optional<Misfit> take_channels(Layer& layer, std::int64_t channels) {
  if (channels > layer.in.channels || layer.first_channel > layer.in.channels - channels) {
    return Misfit{"channels",
                  fmt::format("the {} channels after the first {} are not all in the input {}", channels,
                              layer.first_channel, to_text(layer.in)),
                  {}};
  }
  layer.out = {layer.in.height, layer.in.width, channels};
  return std::nullopt;
}

}  // namespace orrery
