#include "models/networks/vector_shapes.hpp"

#include <fmt/format.h>

namespace orrery {

std::optional<Misfit> look_up(Layer& layer, std::int64_t units) {
  const auto tables = static_cast<std::int64_t>(layer.tables.size());
  if (layer.in != Shape{1, 1, tables}) {
    return Misfit{
        "rows",
        fmt::format("{0} tables take {0} row numbers (1x1x{0}), but its input is {1}", tables, to_text(layer.in)),
        "take them out of a longer vector with a slice"};
  }
  layer.out = {tables, 1, units};
  return std::nullopt;
}

std::optional<Misfit> check_vector(const Layer& layer, const Layer& second) {
  if (second.out == Shape{1, 1, layer.in.channels}) return std::nullopt;
  return Misfit{"skip",
                fmt::format("it adds {} of \"{}\" to every position of {}, which takes 1x1x{}", to_text(second.out),
                            second.name, to_text(layer.in), layer.in.channels),
                fmt::format("make the vector of {} numbers with a dense layer", layer.in.channels)};
}

std::optional<Misfit> interact(Layer& layer, const Layer& second) {
  const std::int64_t numbers = layer.in.channels, vectors = second.out.height;
  if (layer.in.height != 1 || layer.in.width != 1 || second.out != Shape{vectors, 1, numbers}) {
    return Misfit{"skip",
                  fmt::format("it multiplies a vector (1x1xd) with others as long (Nx1xd), but its input is {}, and "
                              "\"{}\" gives {}",
                              to_text(layer.in), second.name, to_text(second.out)),
                  "give the tables as many units as the dense layer before it"};
  }
  layer.out = {1, 1, numbers + (vectors + 1) * vectors / 2};
  return std::nullopt;
}

}  // namespace orrery
