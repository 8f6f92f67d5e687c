#include "models/networks/size_limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {

bool is_too_large(const Shape& shape) {
  const auto height = static_cast<double>(shape.height), width = static_cast<double>(shape.width);
  const auto channels = static_cast<double>(shape.channels);
  return std::max({height, width, channels}) > largest_size || height * width * channels > most_numbers;
}

std::string most_numbers_text() {
  return fmt::format("a dimension has at most {:.0f}, all together have at most {:g} numbers", largest_size,
                     most_numbers);
}

std::optional<Misfit> check_size(const Layer& layer, std::int64_t before) {
  if (is_too_large(layer.out)) {
    return Misfit{"kind", fmt::format("it would give {}, but {}", to_text(layer.out), most_numbers_text()), {}};
  }
  const double parameters_so_far = static_cast<double>(before) + static_cast<double>(weights(layer));
  if (parameters_so_far > most_numbers) {
    return Misfit{"kind", fmt::format("with it the network has more than {:g} parameters", most_numbers), {}};
  }
  return std::nullopt;
}

}  // namespace orrery
