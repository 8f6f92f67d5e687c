#include "models/training/synthetic_boxes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr float background = 0.2F;
constexpr double darkest_colour = 0.5;

double area(const Box& box) {
  return static_cast<double>(box.width) * static_cast<double>(box.height);
}

bool overlap(const Box& first, const Box& second) {
  return 2 * std::abs(first.x - second.x) < first.width + second.width &&
         2 * std::abs(first.y - second.y) < first.height + second.height;
}

Box draw_box(const BoxOptions& options, Random& random) {
  const double width = random.uniform(options.least_side, options.most_side) / static_cast<double>(options.image.width);
  const double height =
      random.uniform(options.least_side, options.most_side) / static_cast<double>(options.image.height);
  Box box;
  box.x = static_cast<float>(random.uniform(width / 2, 1 - width / 2));
  box.y = static_cast<float>(random.uniform(height / 2, 1 - height / 2));
  box.width = static_cast<float>(width);
  box.height = static_cast<float>(height);
  box.label = static_cast<std::int32_t>(random.below(painted_shapes));
  return box;
}

// Nothing when some object finds no free place.
std::optional<std::vector<Box>> try_to_place(std::size_t objects, const BoxOptions& options, Random& random) {
  constexpr int attempts = 50;
  std::vector<Box> boxes;
  for (int attempt = 0; attempt < attempts && boxes.size() < objects; ++attempt) {
    const Box box = draw_box(options, random);
    const bool is_free =
        std::none_of(boxes.begin(), boxes.end(), [&](const Box& other) { return overlap(box, other); });
    if (is_free) boxes.push_back(box);
  }
  return boxes.size() == objects ? std::optional(boxes) : std::nullopt;
}

// (x, y) relative to the image.
bool is_inside(const Box& box, double x, double y) {
  const double u = 2 * (x - static_cast<double>(box.x)) / static_cast<double>(box.width);
  const double v = 2 * (y - static_cast<double>(box.y)) / static_cast<double>(box.height);
  if (std::abs(u) > 1 || std::abs(v) > 1) return false;
  switch (static_cast<PaintedShape>(box.label)) {
    case PaintedShape::rectangle:
      return true;
    case PaintedShape::ellipse:
      return u * u + v * v <= 1;
    case PaintedShape::triangle:  // its point is up
      return std::abs(u) <= (v + 1) / 2;
  }
  return false;
}

// Pixels from the one that holds `middle - size / 2` to the one that holds the other end, of `pixels` along a side.
struct PixelRange {
  std::int64_t first = 0, end = 0;
  PixelRange(float middle, float size, std::int64_t pixels) {
    const double from = static_cast<double>(middle - size / 2), to = static_cast<double>(middle + size / 2);
    first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(from * static_cast<double>(pixels))));
    end = std::min(pixels, static_cast<std::int64_t>(std::ceil(to * static_cast<double>(pixels))));
  }
};

void paint_box(const Box& box, const Shape& shape, Random& random, std::span<float> image) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  std::vector<float> colour(channels);
  for (float& number : colour) number = static_cast<float>(random.uniform(darkest_colour, 1));
  const PixelRange rows(box.y, box.height, shape.height), columns(box.x, box.width, shape.width);
  for (std::int64_t row = rows.first; row < rows.end; ++row) {
    for (std::int64_t column = columns.first; column < columns.end; ++column) {
      const double x = (static_cast<double>(column) + 0.5) / static_cast<double>(shape.width);
      const double y = (static_cast<double>(row) + 0.5) / static_cast<double>(shape.height);
      if (!is_inside(box, x, y)) continue;
      const auto pixel = image.subspan(static_cast<std::size_t>(row * shape.width + column) * channels, channels);
      std::copy(colour.begin(), colour.end(), pixel.begin());
    }
  }
}

std::int32_t label_of(const std::vector<Box>& boxes) {
  const auto smaller = [](const Box& first, const Box& second) { return area(first) < area(second); };
  return std::max_element(boxes.begin(), boxes.end(), smaller)->label;
}

}  // namespace

Shape target_shape(const BoxOptions& options) {
  return {options.grid, options.grid, box_channels + painted_shapes};
}

std::vector<Box> draw_boxes(const BoxOptions& options, Random& random) {
  const std::int64_t shorter = std::min(options.image.height, options.image.width);
  const std::int64_t longer = std::max(options.image.height, options.image.width);
  ORRERY_EXPECT(options.most_side <= static_cast<double>(shorter) && options.most_objects > 0);
  ORRERY_EXPECT(options.least_side * static_cast<double>(options.grid) > static_cast<double>(longer));
  const std::size_t objects = 1 + random.below(options.most_objects);
  constexpr int attempts = 1000;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (auto boxes = try_to_place(objects, options, random)) return *boxes;
  }
  ORRERY_EXPECT(!"objects that fit beside each other");
  return {};
}

void paint(std::span<const Box> boxes, const BoxOptions& options, Random& random, std::span<float> image) {
  ORRERY_EXPECT(image.size() == static_cast<std::size_t>(options.image.count()));
  std::fill(image.begin(), image.end(), background);
  for (const Box& box : boxes) paint_box(box, options.image, random, image);
  if (options.noise == 0) return;
  for (float& number : image) {
    const double noisy = static_cast<double>(number) + options.noise * random.uniform(-1, 1);
    number = static_cast<float>(std::clamp(noisy, 0.0, 1.0));
  }
}

Samples box_samples(const BoxOptions& options, std::uint64_t seed, std::string_view purpose) {
  Random random = Random::derived(seed, fmt::format("synthetic boxes {}", purpose));
  const auto pixels = static_cast<std::size_t>(options.image.count());
  const auto numbers = static_cast<std::size_t>(target_shape(options).count());
  Samples samples;
  samples.inputs.resize(options.samples * pixels);
  samples.targets.resize(options.samples * numbers);
  for (std::size_t i = 0; i < options.samples; ++i) {
    const std::vector<Box> boxes = draw_boxes(options, random);
    paint(boxes, options, random, std::span(samples.inputs).subspan(i * pixels, pixels));
    encode_boxes(boxes, target_shape(options), std::span(samples.targets).subspan(i * numbers, numbers));
    samples.labels.push_back(label_of(boxes));
  }
  return samples;
}

}  // namespace orrery
