#include "models/training/augmentation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

void add(Problems& problems, std::string what, std::string why, std::string suggestion) {
  problems.add({.at = {},
                .key = "augmentation",
                .what = std::move(what),
                .why = std::move(why),
                .suggestion = std::move(suggestion),
                .source_line = {}});
}

// In [-most, most].
std::int64_t drawn_shift(std::int64_t most, Random& random) {
  return static_cast<std::int64_t>(random.below(static_cast<std::size_t>(2 * most + 1))) - most;
}

}  // namespace

void check(const Augmentation& augmentation, const Samples& samples, const Shape& shape) {
  if (!augmentation.is_on()) return;
  Problems problems;
  if (samples.labels_per_sample != 1) {
    add(problems, "sequences cannot be flipped or shifted", "their samples are no images", "leave augmentation off");
  } else if (!samples.targets.empty()) {
    add(problems, "images with targets cannot be flipped or shifted", "the targets would have to move with the image",
        "leave augmentation off");
  }
  const std::int64_t limit = std::min(shape.height, shape.width);
  if (augmentation.shift < 0 || augmentation.shift >= limit) {
    add(problems, fmt::format("images of {} cannot be shifted by {} pixels", to_text(shape), augmentation.shift),
        "nothing sensible would be left", fmt::format("shift by 0 to {}", limit - 1));
  }
  problems.throw_if_any();
}

ImageChange Augmenter::change(std::int64_t epoch, std::size_t sample) const {
  // Room for 2^40 samples and 2^24 epochs.
  const std::uint64_t index = static_cast<std::uint64_t>(epoch) << 40U ^ sample;
  Random random = Random::derived(seed_, "augmentation", index);
  ImageChange change;
  if (augmentation_.flip == Flip::half_of_them) change.is_flipped = random.below(2) == 1;
  if (augmentation_.shift > 0) {
    change.down = drawn_shift(augmentation_.shift, random);
    change.right = drawn_shift(augmentation_.shift, random);
  }
  return change;
}

void Augmenter::copy(std::span<const float> from, std::span<float> to, const ImageChange& change) const {
  const auto [height, width, channels] = image_;
  ORRERY_EXPECT(from.size() == static_cast<std::size_t>(image_.count()) && to.size() == from.size());
  const std::int64_t row = width * channels;
  const std::int64_t first = std::max<std::int64_t>(change.right, 0);
  const std::int64_t last = std::min(width, width + change.right);
  std::fill(to.begin(), to.end(), 0.0F);
  for (std::int64_t y = 0; y < height; ++y) {
    const std::int64_t source_y = y - change.down;
    if (source_y < 0 || source_y >= height) continue;
    const float* source = from.data() + source_y * row;
    float* target = to.data() + y * row;
    if (!change.is_flipped) {
      std::copy(source + (first - change.right) * channels, source + (last - change.right) * channels,
                target + first * channels);
      continue;
    }
    for (std::int64_t x = first; x < last; ++x) {
      std::copy_n(source + (width - 1 - (x - change.right)) * channels, channels, target + x * channels);
    }
  }
}

}  // namespace orrery
