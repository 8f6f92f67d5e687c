// Made-up images with objects to find: coloured shapes on noise, with their boxes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "models/kernels/detection.hpp"
#include "models/training/dataset.hpp"

namespace orrery {

/// The classes: what is painted into a box.
enum class PaintedShape : std::int32_t { rectangle, ellipse, triangle };
inline constexpr std::int64_t painted_shapes = 3;

/// 1 to most_objects shapes per image, their number, class, sides and place uniform. Boxes lie inside the image and do
/// not overlap; since sides are longer than a cell (56 / 7 = 8 pixels), no two centres share a cell. Colours are drawn
/// per object, each channel in [0.5, 1], whatever the class: it shows in the outline alone. The background is 0.2;
/// noise x normal is added to every number, which is then cut to [0, 1].
struct BoxOptions {
  std::size_t samples = 2000;
  Shape image{56, 56, 3};
  std::int64_t grid = 7;  // cells along each side
  std::size_t most_objects = 3;
  double least_side = 12, most_side = 24;  // pixels
  double noise = 0.1;
};

/// Shape of the targets: grid x grid x (5 + classes), see models/kernels/detection.hpp.
Shape target_shape(const BoxOptions& options);
/// The objects of one image.
std::vector<Box> draw_boxes(const BoxOptions& options, Random& random);
/// Paints them: image.count() numbers, channels last. A pixel is inside when its middle is.
void paint(std::span<const Box> boxes, const BoxOptions& options, Random& random, std::span<float> image);

/// Inputs are the images, targets the encoded boxes; the label, by which samples can be dealt to clients, is the class
/// of the object with the largest box. Sets of different `purpose` (train, test) are drawn apart.
Samples box_samples(const BoxOptions& options, std::uint64_t seed, std::string_view purpose);

}  // namespace orrery
