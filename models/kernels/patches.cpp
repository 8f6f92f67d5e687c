#include "models/kernels/patches.hpp"

#include <algorithm>
#include <cstring>

namespace orrery {
namespace {

// The part of one kernel row that lies inside the image: `count` numbers (pixels x channels), `skipped` before it and
// `missing` after it outside.
struct Run {
  std::int64_t image = 0, skipped = 0, count = 0, missing = 0;
};

Run run_of(const Layer& layer, std::int64_t y, std::int64_t x) {
  const std::int64_t channels = layer.in.channels, length = layer.kernel * channels;
  if (y < 0 || y >= layer.in.height) return {0, length, 0, 0};
  const std::int64_t first = std::clamp<std::int64_t>(-x, 0, layer.kernel);
  const std::int64_t last = std::clamp<std::int64_t>(layer.in.width - x, first, layer.kernel);
  return {(y * layer.in.width + x + first) * channels, first * channels, (last - first) * channels,
          (layer.kernel - last) * channels};
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

}  // namespace

std::int64_t patch_size(const Layer& layer) {
  return layer.kernel * layer.kernel * layer.in.channels;
}

void image_to_patches(const Layer& layer, const float* image, float* patches) {
  for_each_run(layer, [&](const Run& run) {
    patches = std::fill_n(patches, run.skipped, 0.0F);
    std::memcpy(patches, image + run.image, static_cast<std::size_t>(run.count) * sizeof(float));
    patches = std::fill_n(patches + run.count, run.missing, 0.0F);
  });
}

void add_patches_to_image(const Layer& layer, const float* patches, float* image) {
  for_each_run(layer, [&](const Run& run) {
    const float* __restrict from = patches + run.skipped;
    float* __restrict to = image + run.image;
    for (std::int64_t i = 0; i < run.count; ++i) to[i] += from[i];
    patches += run.skipped + run.count + run.missing;
  });
}

}  // namespace orrery
