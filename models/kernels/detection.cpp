#include "models/kernels/detection.hpp"

#include <algorithm>
#include <cmath>

#include "models/kernels/elementary.hpp"
#include "models/kernels/logistic_loss.hpp"
#include "models/kernels/losses.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double box_weight = 5, empty_weight = 0.5;  // lambda_coord, lambda_noobj of Redmon et al. 2016
constexpr double least_overlap = 0.5;                 // of a box that counts as found, as Everingham et al. 2010

// The places of a cell's numbers.
constexpr std::size_t objectness = 0, centre_x = 1, centre_y = 2, width = 3, height = 4, classes = 5;

struct Cells {
  std::size_t rows = 0, columns = 0, numbers = 0;
  [[nodiscard]] std::size_t count() const { return rows * columns * numbers; }
};

Cells cells_of(const Shape& grid) {
  ORRERY_EXPECT(grid.height > 0 && grid.width > 0 && grid.channels > box_channels);
  return {static_cast<std::size_t>(grid.height), static_cast<std::size_t>(grid.width),
          static_cast<std::size_t>(grid.channels)};
}

std::span<const float> cell_of(std::span<const float> image, const Cells& cells, std::size_t index) {
  return image.subspan(index * cells.numbers, cells.numbers);
}

bool has_object(std::span<const float> target) {
  return target[objectness] > 0.5F;
}

std::size_t class_of(std::span<const float> cell) {
  return place_of_largest(cell.subspan(classes));
}

/// The box of cell `index` with a centre that is given within the cell.
Box place_box(const Cells& cells, std::size_t index, const Box& in_cell) {
  Box box = in_cell;
  const std::size_t column = index % cells.columns, row = index / cells.columns;
  box.x = (static_cast<float>(column) + in_cell.x) / static_cast<float>(cells.columns);
  box.y = (static_cast<float>(row) + in_cell.y) / static_cast<float>(cells.rows);
  return box;
}

Box true_box(const Cells& cells, std::size_t index, std::span<const float> target) {
  return place_box(
      cells, index,
      {target[centre_x], target[centre_y], target[width], target[height], static_cast<std::int32_t>(class_of(target))});
}

Box guessed_box(const Cells& cells, std::size_t index, std::span<const float> scores) {
  const auto square_of = [](float root) { return root < 0.0F ? 0.0F : root * root; };
  return place_box(cells, index,
                   {logistic(scores[centre_x]), logistic(scores[centre_y]), square_of(scores[width]),
                    square_of(scores[height]), static_cast<std::int32_t>(class_of(scores))});
}

double square(double x) {
  return x * x;
}

double box_loss(std::span<const float> scores, std::span<const float> target) {
  double sum = 0;
  for (const std::size_t i : {centre_x, centre_y}) sum += square(static_cast<double>(logistic(scores[i]) - target[i]));
  for (const std::size_t i : {width, height}) sum += square(static_cast<double>(scores[i] - std::sqrt(target[i])));
  return sum;
}

double cell_loss(std::span<const float> scores, std::span<const float> target) {
  const auto score = static_cast<double>(scores[objectness]);
  if (!has_object(target)) return empty_weight * logistic_loss(score, 0);
  return box_weight * box_loss(scores, target) + logistic_loss(score, 1) +
         class_result(scores.subspan(classes), class_of(target)).loss;
}

void cell_gradient(std::span<const float> scores, std::span<const float> target, double scale, std::span<float> to) {
  const float confidence = logistic(scores[objectness]);
  if (!has_object(target)) {
    std::fill(to.begin(), to.end(), 0.0F);
    to[objectness] = static_cast<float>(empty_weight * scale) * confidence;
    return;
  }
  to[objectness] = static_cast<float>(scale) * (confidence - 1.0F);
  const auto box_scale = static_cast<float>(2 * box_weight * scale);
  for (const std::size_t i : {centre_x, centre_y}) {
    const float s = logistic(scores[i]);
    to[i] = box_scale * (s - target[i]) * s * (1.0F - s);
  }
  for (const std::size_t i : {width, height}) to[i] = box_scale * (scores[i] - std::sqrt(target[i]));
  class_gradient(scores.subspan(classes), class_of(target), scale, to.subspan(classes));
}

bool is_right(const Cells& cells, std::size_t index, std::span<const float> scores, std::span<const float> target) {
  if (!has_object(target)) return scores[objectness] <= 0.0F;
  if (!(scores[objectness] > 0.0F)) return false;
  const Box guess = guessed_box(cells, index, scores), truth = true_box(cells, index, target);
  return guess.label == truth.label && intersection_over_union(guess, truth) >= least_overlap;
}

class DetectionLoss final : public Loss {
 public:
  explicit DetectionLoss(const Layer& layer) : cells_(cells_of(layer.in)) {}

  [[nodiscard]] BatchResult value(std::span<const float> scores, const Targets& targets) const override {
    expect_targets(scores, targets);
    BatchResult result;
    const std::size_t image = cells_.count();
    for (std::size_t first = 0; first < scores.size(); first += image) {
      result += image_result(scores.subspan(first, image), targets.numbers.subspan(first, image));
    }
    return result;
  }

  void gradient(std::span<const float> scores, const Targets& targets, double divisor,
                std::span<float> gradient) const override {
    expect_targets(scores, targets);
    ORRERY_EXPECT(gradient.size() == scores.size() && divisor != 0);
    const std::size_t numbers = cells_.numbers;
    for (std::size_t first = 0; first < scores.size(); first += numbers) {
      cell_gradient(scores.subspan(first, numbers), targets.numbers.subspan(first, numbers), 1.0 / divisor,
                    gradient.subspan(first, numbers));
    }
  }

 private:
  void expect_targets(std::span<const float> scores, const Targets& targets) const {
    ORRERY_EXPECT(scores.size() % cells_.count() == 0 && targets.numbers.size() == scores.size());
  }

  [[nodiscard]] BatchResult image_result(std::span<const float> scores, std::span<const float> target) const {
    BatchResult result{0, 1, 1};
    for (std::size_t i = 0; i < cells_.rows * cells_.columns; ++i) {
      const auto said = cell_of(scores, cells_, i), truth = cell_of(target, cells_, i);
      result.loss_sum += cell_loss(said, truth);
      if (!is_right(cells_, i, said, truth)) result.correct = 0;
    }
    return result;
  }

  Cells cells_;
};

double overlap(float first_centre, float first_size, float second_centre, float second_size) {
  const auto edge = [](float centre, double part, float size) {
    return static_cast<double>(centre) + part * static_cast<double>(size);
  };
  return std::max(0.0, std::min(edge(first_centre, 0.5, first_size), edge(second_centre, 0.5, second_size)) -
                           std::max(edge(first_centre, -0.5, first_size), edge(second_centre, -0.5, second_size)));
}

}  // namespace

double intersection_over_union(const Box& first, const Box& second) {
  const double common =
      overlap(first.x, first.width, second.x, second.width) * overlap(first.y, first.height, second.y, second.height);
  const auto area = [](const Box& box) { return static_cast<double>(box.width) * static_cast<double>(box.height); };
  const double both = area(first) + area(second) - common;
  return both > 0 ? common / both : 0.0;
}

std::int64_t encode_boxes(std::span<const Box> boxes, const Shape& grid, std::span<float> targets) {
  const Cells cells = cells_of(grid);
  ORRERY_EXPECT(targets.size() == cells.count());
  std::fill(targets.begin(), targets.end(), 0.0F);
  std::int64_t encoded = 0;
  for (const Box& box : boxes) {
    ORRERY_EXPECT(box.x >= 0 && box.x <= 1 && box.y >= 0 && box.y <= 1 && box.width >= 0 && box.height >= 0);
    ORRERY_EXPECT(box.label >= 0 && static_cast<std::size_t>(box.label) < cells.numbers - classes);
    const float x = box.x * static_cast<float>(cells.columns), y = box.y * static_cast<float>(cells.rows);
    const std::size_t column = std::min(static_cast<std::size_t>(x), cells.columns - 1);
    const std::size_t row = std::min(static_cast<std::size_t>(y), cells.rows - 1);
    const auto cell = targets.subspan((row * cells.columns + column) * cells.numbers, cells.numbers);
    if (has_object(cell)) continue;
    cell[objectness] = cell[classes + static_cast<std::size_t>(box.label)] = 1.0F;
    cell[centre_x] = x - static_cast<float>(column);
    cell[centre_y] = y - static_cast<float>(row);
    cell[width] = box.width;
    cell[height] = box.height;
    ++encoded;
  }
  return encoded;
}

std::vector<Box> decode_targets(std::span<const float> targets, const Shape& grid) {
  const Cells cells = cells_of(grid);
  ORRERY_EXPECT(targets.size() == cells.count());
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < cells.rows * cells.columns; ++i) {
    const auto target = cell_of(targets, cells, i);
    if (has_object(target)) boxes.push_back(true_box(cells, i, target));
  }
  return boxes;
}

std::vector<Box> decode_scores(std::span<const float> scores, const Shape& grid) {
  const Cells cells = cells_of(grid);
  ORRERY_EXPECT(scores.size() == cells.count());
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < cells.rows * cells.columns; ++i) {
    const auto said = cell_of(scores, cells, i);
    if (said[objectness] > 0.0F) boxes.push_back(guessed_box(cells, i, said));
  }
  return boxes;
}

std::unique_ptr<Loss> make_detection_loss(const Layer& layer) {
  return std::make_unique<DetectionLoss>(layer);
}

}  // namespace orrery
