#include "models/training/synthetic_boxes.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/catch.hpp"

namespace orrery {
namespace {

struct Painted {  // what shows of the pixels in a box
  double left = 1, right = 0, top = 1, bottom = 0, share = 0;
};

// Colours are at least 0.5 and the background 0.2: without noise 0.35 tells them apart.
Painted look_into(const Box& box, std::span<const float> image, const Shape& shape) {
  Painted seen;
  double inside = 0, painted = 0;
  for (std::int64_t row = 0; row < shape.height; ++row) {
    for (std::int64_t column = 0; column < shape.width; ++column) {
      const double x = (static_cast<double>(column) + 0.5) / static_cast<double>(shape.width);
      const double y = (static_cast<double>(row) + 0.5) / static_cast<double>(shape.height);
      if (std::abs(x - box.x) > box.width / 2 || std::abs(y - box.y) > box.height / 2) continue;
      ++inside;
      if (image[static_cast<std::size_t>((row * shape.width + column) * shape.channels)] < 0.35F) continue;
      ++painted;
      seen.left = std::min(seen.left, x);
      seen.right = std::max(seen.right, x);
      seen.top = std::min(seen.top, y);
      seen.bottom = std::max(seen.bottom, y);
    }
  }
  seen.share = painted / inside;
  return seen;
}

TEST_CASE("the decoded boxes are where something is painted, and nowhere else is anything") {
  const BoxOptions options{.samples = 50, .noise = 0};
  const Samples samples = box_samples(options, 1, "train");
  const auto pixels = static_cast<std::size_t>(options.image.count());
  const auto numbers = static_cast<std::size_t>(target_shape(options).count());
  REQUIRE(samples.targets.size() == 50 * numbers);
  // Of a box: all, a circle's pi / 4, half.
  const std::vector<double> shares = {1.0, 0.785, 0.5};
  const double pixel = 1.0 / 56;
  for (std::size_t i = 0; i < samples.count(); ++i) {
    const auto image = std::span(samples.inputs).subspan(i * pixels, pixels);
    const auto boxes = decode_targets(std::span(samples.targets).subspan(i * numbers, numbers), target_shape(options));
    REQUIRE(!boxes.empty());
    for (const Box& box : boxes) {
      const Painted seen = look_into(box, image, options.image);
      REQUIRE(seen.share == Approx(shares.at(static_cast<std::size_t>(box.label))).margin(0.08));
      // Outlines reach the box's edges within a pixel; the tip of an ellipse or triangle may miss one more.
      REQUIRE(seen.left == Approx(box.x - box.width / 2).margin(2 * pixel));
      REQUIRE(seen.right == Approx(box.x + box.width / 2).margin(2 * pixel));
      REQUIRE(seen.top == Approx(box.y - box.height / 2).margin(3 * pixel));
      REQUIRE(seen.bottom == Approx(box.y + box.height / 2).margin(2 * pixel));
    }
    const auto outside = [&](std::size_t at) {
      const std::size_t column = at / 3 % 56, row = at / 3 / 56;
      const double x = (static_cast<double>(column) + 0.5) / 56, y = (static_cast<double>(row) + 0.5) / 56;
      return std::none_of(boxes.begin(), boxes.end(), [&](const Box& box) {
        return std::abs(x - box.x) <= box.width / 2 + 1e-6 && std::abs(y - box.y) <= box.height / 2 + 1e-6;
      });
    };
    for (std::size_t at = 0; at < pixels; at += 3) {
      if (outside(at)) REQUIRE(image[at] == 0.2F);
    }
  }
}

TEST_CASE("targets decode to the boxes that were drawn") {
  const BoxOptions options;
  Random random(5);
  for (int i = 0; i < 200; ++i) {
    const std::vector<Box> drawn = draw_boxes(options, random);
    std::vector<float> targets(static_cast<std::size_t>(target_shape(options).count()));
    REQUIRE(encode_boxes(drawn, target_shape(options), targets) == static_cast<std::int64_t>(drawn.size()));
    const std::vector<Box> decoded = decode_targets(targets, target_shape(options));
    REQUIRE(decoded.size() == drawn.size());
    for (const Box& box : drawn) {
      // Found again among the decoded ones, which come in the order of their cells.
      const bool is_found = std::any_of(decoded.begin(), decoded.end(), [&](const Box& other) {
        return other.label == box.label && std::abs(other.x - box.x) < 1e-5 && std::abs(other.y - box.y) < 1e-5 &&
               other.width == box.width && other.height == box.height;
      });
      REQUIRE(is_found);
    }
  }
}

TEST_CASE("boxes lie inside the image, do not overlap, and come in every number and class") {
  const BoxOptions options;
  Random random(1);
  std::set<std::size_t> numbers;
  std::set<std::int32_t> labels;
  for (int i = 0; i < 500; ++i) {
    const std::vector<Box> boxes = draw_boxes(options, random);
    numbers.insert(boxes.size());
    for (const Box& box : boxes) {
      labels.insert(box.label);
      REQUIRE(box.x - box.width / 2 >= -1e-6F);
      REQUIRE(box.x + box.width / 2 <= 1 + 1e-6F);
      REQUIRE(box.y - box.height / 2 >= -1e-6F);
      REQUIRE(box.y + box.height / 2 <= 1 + 1e-6F);
      for (const Box& other : boxes) {
        if (!(other == box)) REQUIRE(intersection_over_union(box, other) == 0.0);
      }
    }
  }
  CHECK(numbers == std::set<std::size_t>{1, 2, 3});
  CHECK(labels == std::set<std::int32_t>{0, 1, 2});
}

TEST_CASE("the label of an image is the class of its largest object") {
  const BoxOptions options{.samples = 100};
  const Samples samples = box_samples(options, 1, "train");
  const auto numbers = static_cast<std::size_t>(target_shape(options).count());
  for (std::size_t i = 0; i < samples.count(); ++i) {
    const auto boxes = decode_targets(std::span(samples.targets).subspan(i * numbers, numbers), target_shape(options));
    Box largest;
    for (const Box& box : boxes) {
      if (box.width * box.height > largest.width * largest.height) largest = box;
    }
    REQUIRE(samples.labels[i] == largest.label);
  }
}

TEST_CASE("the set of boxes is made from its seed, training and test images apart") {
  const BoxOptions options{.samples = 5};
  const Samples first = box_samples(options, 1, "train");
  CHECK(box_samples(options, 1, "train").inputs == first.inputs);
  CHECK(box_samples(options, 1, "train").targets == first.targets);
  CHECK(box_samples(options, 2, "train").inputs != first.inputs);
  CHECK(box_samples(options, 1, "test").inputs != first.inputs);
  for (const float number : first.inputs) REQUIRE((number >= 0 && number <= 1));
}

}  // namespace
}  // namespace orrery
