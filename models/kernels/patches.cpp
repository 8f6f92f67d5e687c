#include "models/kernels/patches.hpp"

#include <algorithm>
#include <cstring>

namespace orrery {
namespace {

// The part of one kernel row that lies inside the image: `count` pixels from the number `image` on, `skipped` pixels
// before it and `missing` after it outside.
struct Run {
  std::int64_t image = 0, skipped = 0, count = 0, missing = 0;
};

Run run_of(const Layer& layer, std::int64_t y, std::int64_t x) {
  if (y < 0 || y >= layer.in.height) return {0, layer.kernel, 0, 0};
  const std::int64_t first = std::clamp<std::int64_t>(-x, 0, layer.kernel);
  const std::int64_t last = std::clamp<std::int64_t>(layer.in.width - x, first, layer.kernel);
  return {(y * layer.in.width + x + first) * layer.in.channels, first, last - first, layer.kernel - last};
}

// Calls visit(run) for every kernel row of every window, in the order in which the patches lie in memory.
template <class Visit>
void for_each_run(const Layer& layer, Visit visit) {
  for (std::int64_t row = 0; row < layer.out.height; ++row) {
    for (std::int64_t column = 0; column < layer.out.width; ++column) {
      const std::int64_t x = column * layer.stride - layer.padding;
      for (std::int64_t k = 0; k < layer.kernel; ++k) visit(run_of(layer, row * layer.stride - layer.padding + k, x));
    }
  }
}

void copy(const float* __restrict from, std::int64_t count, float* __restrict to) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

void add(const float* __restrict from, std::int64_t count, float* __restrict to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

}  // namespace

std::int64_t patch_size(const Layer& layer) {
  return layer.kernel * layer.kernel * (layer.in.channels / layer.groups);
}

void image_to_patches(const Layer& layer, std::int64_t group, const float* image, float* patches) {
  const std::int64_t channels = layer.in.channels / layer.groups;
  image += group * channels;
  for_each_run(layer, [&](const Run& run) {
    patches = std::fill_n(patches, run.skipped * channels, 0.0F);
    if (layer.groups == 1) {
      copy(image + run.image, run.count * channels, patches);
    } else {
      for (std::int64_t pixel = 0; pixel < run.count; ++pixel) {
        copy(image + run.image + pixel * layer.in.channels, channels, patches + pixel * channels);
      }
    }
    patches = std::fill_n(patches + run.count * channels, run.missing * channels, 0.0F);
  });
}

void add_patches_to_image(const Layer& layer, std::int64_t group, const float* patches, float* image) {
  const std::int64_t channels = layer.in.channels / layer.groups;
  image += group * channels;
  for_each_run(layer, [&](const Run& run) {
    const float* from = patches + run.skipped * channels;
    if (layer.groups == 1) {
      add(from, run.count * channels, image + run.image);
    } else {
      for (std::int64_t pixel = 0; pixel < run.count; ++pixel) {
        add(from + pixel * channels, channels, image + run.image + pixel * layer.in.channels);
      }
    }
    patches += layer.kernel * channels;
  });
}

}  // namespace orrery
