// One-stage detection on a grid, after Redmon et al. 2016, "You Only Look Once", with one box per cell.
//
// An image is cut into height x width cells; the cell that holds the centre of an object answers for it. A network
// gives 5 + classes numbers per cell: o, a, b, u, v, scores. s is the logistic function:
//
//     objectness s(o)
//     centre     (s(a), s(b)) in the cell, x to the right and y down: 0 its left or upper edge, 1 the other
//     width      max(u, 0)^2, height max(v, 0)^2, relative to the image: the network gives roots, so that an error in a
//                small box costs more than the same error in a large one
//     class      the largest score
//
// Targets have the same shape: 1, centre x and y in the cell in [0, 1], width and height relative to the image, and the
// class as one-hot; or 0 and nothing else that counts. The loss of an image is a sum over its cells. With an object
// (first target 1, targets t_x, t_y, t_w, t_h, class c):
//
//     5 [(s(a) - t_x)^2 + (s(b) - t_y)^2 + (u - sqrt(t_w))^2 + (v - sqrt(t_h))^2] + log(1 + exp(-o))
//         - log softmax(scores)[c]
//
// without one: 0.5 log(1 + exp(o)). The weights 5 (lambda_coord) and 0.5 (lambda_noobj) and the terms of the box are
// equation 3 of the paper; its squared errors of confidence and class are replaced by cross entropies, whose gradients
// do not vanish where the network is sure and wrong (as Redmon and Farhadi 2018, YOLOv3, do). Smooth everywhere.
//
// One prediction is judged per image. It is correct when nothing is missing and nothing is made up: in every cell with
// an object the objectness is above 0.5, the class is right and the box overlaps the true one with an intersection over
// union of at least 0.5; in every other cell the objectness is at most 0.5. No numbers: not correct.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/kernels/loss.hpp"
#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Numbers of a cell before the classes: objectness, centre x and y, width, height.
inline constexpr std::int64_t box_channels = 5;

/// A box with sides along the image's, all relative to the image: centre (0, 0) is its upper left corner, (1, 1) its
/// lower right; an object is such a box with its class.
struct Box {
  float x = 0, y = 0, width = 0, height = 0;
  std::int32_t label = 0;
  bool operator==(const Box&) const = default;
};

/// Area of the common part over area of both together, in [0, 1]; 0 when both are empty. Labels do not matter.
double intersection_over_union(const Box& first, const Box& second);

/// The targets of one image: every number of `targets` (grid.count(), grid as Layer::in of the loss) is overwritten. A
/// centre on an edge between cells belongs to the cell right of it or below; one outside [0, 1] or a label outside
/// [0, grid.channels - 5) breaks a promise. A cell holds one object: returned is how many boxes found their cell still
/// free, in the order given; the others are left out.
std::int64_t encode_boxes(std::span<const Box> boxes, const Shape& grid, std::span<float> targets);

/// The boxes of one image's targets, row by row.
std::vector<Box> decode_targets(std::span<const float> targets, const Shape& grid);
/// What a network's numbers for one image say: the boxes of all cells with an objectness above 0.5, row by row.
std::vector<Box> decode_scores(std::span<const float> scores, const Shape& grid);

/// The loss above; layer.in: the grid, with at least one class. Targets need their `numbers`.
std::unique_ptr<Loss> make_detection_loss(const Layer& layer);

}  // namespace orrery
