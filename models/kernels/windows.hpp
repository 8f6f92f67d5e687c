// The windows of pooling: which input pixels each output pixel looks at.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/networks/layer_graph.hpp"

namespace orrery {

struct Window {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;  // pixels, [top, bottom) x [left, right), inside the image
};

/// Calls visit(output pixel index, window) for every output pixel, row by row.
template <class Visit>
void for_each_window(const Layer& layer, Visit visit) {
  for (std::int64_t y = 0; y < layer.out.height; ++y) {
    const std::int64_t top = y * layer.stride - layer.padding;
    for (std::int64_t x = 0; x < layer.out.width; ++x) {
      const std::int64_t left = x * layer.stride - layer.padding;
      visit(y * layer.out.width + x,
            Window{std::max<std::int64_t>(top, 0), std::min(top + layer.kernel, layer.in.height),
                   std::max<std::int64_t>(left, 0), std::min(left + layer.kernel, layer.in.width)});
    }
  }
}

}  // namespace orrery
