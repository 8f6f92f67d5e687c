#include "models/kernels/detection.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

constexpr Shape two_by_three{2, 3, box_channels + 2};  // two rows of three cells, two classes

Numbers targets_of(const std::vector<Box>& boxes, const Shape& grid = two_by_three) {
  Numbers targets(static_cast<std::size_t>(grid.count()), 7.0F);
  encode_boxes(boxes, grid, targets);
  return targets;
}

/// What a network that has learnt the targets would say; `sure` is the size of its logits.
Numbers scores_for(const Numbers& targets, const Shape& grid, float sure) {
  Numbers scores(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i) % grid.channels;
    if (place == 0 || place >= box_channels) scores[i] = targets[i] > 0.5F ? sure : -sure;
    if (place == 1 || place == 2) scores[i] = std::log(targets[i] / (1 - targets[i]));
    if (place == 3 || place == 4) scores[i] = std::sqrt(targets[i]);
  }
  for (float& score : scores) score = std::isfinite(score) ? score : 0.0F;  // centres of cells without an object
  return scores;
}

std::unique_ptr<Loss> loss_on(const Shape& grid) {
  return make_loss(small_layer(LayerKind::detection_loss, grid));
}

BatchResult value(const Numbers& scores, const Numbers& targets, const Shape& grid = two_by_three) {
  return loss_on(grid)->value(scores, {.numbers = targets});
}

TEST_CASE("intersection over union of boxes worked out by hand") {
  const Box unit{0.5F, 0.5F, 0.5F, 0.5F};
  CHECK(intersection_over_union(unit, unit) == Approx(1.0));
  CHECK(intersection_over_union(unit, {0.75F, 0.5F, 0.5F, 0.5F}) == Approx(1.0 / 3));        // half of each
  CHECK(intersection_over_union(unit, {0.75F, 0.75F, 0.5F, 0.5F}) == Approx(1.0 / 7));       // a quarter of each
  CHECK(intersection_over_union(unit, {0.5F, 0.5F, 0.25F, 0.25F}) == Approx(0.25));          // one inside the other
  CHECK(intersection_over_union(unit, {0.5F, 0.5F, 1.0F, 0.25F}) == Approx(0.125 / 0.375));  // a cross
  CHECK(intersection_over_union(unit, {0.125F, 0.5F, 0.25F, 0.5F}) == 0);                    // edge to edge
  CHECK(intersection_over_union(unit, {0.0F, 0.0F, 0.1F, 0.1F}) == 0);
  CHECK(intersection_over_union({0.5F, 0.5F, 0, 0}, {0.5F, 0.5F, 0, 0}) == 0);
}

TEST_CASE("a box goes to the cell of its centre, and says where in it") {
  const Numbers targets = targets_of({{0.5F, 0.625F, 0.25F, 0.125F, 1}});
  Numbers expected(2 * 3 * 7, 0.0F);
  const Numbers cell{1, 0.5F, 0.25F, 0.25F, 0.125F, 0, 1};  // row 1, column 1
  std::copy(cell.begin(), cell.end(), expected.begin() + std::ptrdiff_t{4 * 7});
  CHECK(targets == expected);
}

TEST_CASE("centres on edges belong to the cell right and below, those on the image's to the last cell") {
  const Shape two_by_two{2, 2, 6};
  CHECK(targets_of({{0.5F, 0.5F, 0.1F, 0.1F, 0}}, two_by_two)[3 * 6] == 1);
  const Numbers corner = targets_of({{1.0F, 1.0F, 0.1F, 0.1F, 0}}, two_by_two);
  CHECK(corner[3 * 6] == 1);
  CHECK(corner[3 * 6 + 1] == 1);
  CHECK(corner[3 * 6 + 2] == 1);
  CHECK(targets_of({{0.0F, 0.0F, 0.1F, 0.1F, 0}}, two_by_two)[0] == 1);
}

TEST_CASE("boxes are found again in their targets, and in the scores of a network that has learnt them") {
  Random random(8);
  const Shape grid{5, 4, box_channels + 3};
  for (int round = 0; round < 20; ++round) {
    std::vector<Box> boxes;
    for (std::int64_t cell = 0; cell < 20; cell += 1 + static_cast<std::int64_t>(random.below(9))) {
      const std::int64_t column = cell % 4, row = cell / 4;
      boxes.push_back({static_cast<float>((static_cast<double>(column) + random.uniform(0.01, 0.99)) / 4),
                       static_cast<float>((static_cast<double>(row) + random.uniform(0.01, 0.99)) / 5),
                       static_cast<float>(random.uniform(0.1, 1)), static_cast<float>(random.uniform(0.1, 1)),
                       static_cast<std::int32_t>(random.below(3))});
    }
    const Numbers targets = targets_of(boxes, grid);
    const Numbers scores = scores_for(targets, grid, 20);
    for (const std::vector<Box>& decoded : {decode_targets(targets, grid), decode_scores(scores, grid)}) {
      REQUIRE(decoded.size() == boxes.size());
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        CHECK(decoded[i].label == boxes[i].label);
        CHECK(intersection_over_union(decoded[i], boxes[i]) > 0.9999);
      }
    }
    CHECK(value(scores, targets, grid).correct == 1);
    CHECK(value(scores, targets, grid).loss_sum < 1e-6);
  }
}

TEST_CASE("a cell holds the first of its boxes, and says how many it left out") {
  Numbers targets(static_cast<std::size_t>(two_by_three.count()));
  const std::vector<Box> boxes{{0.1F, 0.1F, 0.2F, 0.2F, 0}, {0.2F, 0.2F, 0.3F, 0.3F, 1}, {0.9F, 0.9F, 0.1F, 0.1F, 1}};
  CHECK(encode_boxes(boxes, two_by_three, targets) == 2);
  const std::vector<Box> decoded = decode_targets(targets, two_by_three);
  REQUIRE(decoded.size() == 2);
  CHECK(decoded[0].label == 0);
  CHECK(decoded[0].width == 0.2F);
  CHECK(decoded[1].label == 1);
}

TEST_CASE("the detection loss of one cell, worked out by hand") {
  const Shape one_cell{1, 1, box_channels + 2};
  const float ln3 = std::log(3.0F);  // s(ln 3) = 3/4
  const Numbers scores{ln3, ln3, 0, 0.5F, 0.25F, ln3, 0};
  // Squared errors 1/16, 0, 1/16 and 1/4 x 1/4; objectness -ln 3/4; class -ln 1/4.
  const Numbers targets{1, 0.5F, 0.5F, 0.5625F, 0.25F, 0, 1};
  const double box = 1.0 / 16 + 0 + 1.0 / 16 + 1.0 / 16;
  CHECK(value(scores, targets, one_cell).loss_sum == Approx(5 * box + std::log(4.0 / 3) + std::log(4.0)));
  CHECK(value(scores, Numbers(7, 0.0F), one_cell).loss_sum == Approx(0.5 * std::log(4.0)));
  Numbers gradient(7, 7.0F);
  loss_on(one_cell)->gradient(scores, {.numbers = Numbers(7, 0.0F)}, 2.0, gradient);
  CHECK(gradient[0] == Approx(0.5 * 0.75 / 2));
  CHECK(Numbers(gradient.begin() + 1, gradient.end()) == Numbers(6, 0.0F));
}

TEST_CASE("an image is right when nothing is missing, wrong or made up") {
  const std::vector<Box> boxes{{0.2F, 0.3F, 0.4F, 0.4F, 0}, {0.8F, 0.7F, 0.2F, 0.4F, 1}};
  const Numbers targets = targets_of(boxes);
  const Numbers right = scores_for(targets, two_by_three, 2);
  CHECK(value(right, targets).correct == 1);
  const auto spoilt = [&](std::size_t cell, std::size_t place, float score) {
    Numbers scores = right;
    scores[cell * 7 + place] = score;
    return value(scores, targets).correct;
  };
  CHECK(spoilt(0, 0, 0.0F) == 0);                                     // objectness 1/2 is not above it: missing
  CHECK(spoilt(0, 0, 0.1F) == 1);                                     //
  CHECK(spoilt(1, 0, 0.1F) == 0);                                     // made up
  CHECK(spoilt(1, 0, 0.0F) == 1);                                     //
  CHECK(spoilt(0, 6, 3.0F) == 0);                                     // the wrong class
  CHECK(spoilt(0, 3, std::sqrt(0.81F)) == 0);                         // more than twice as wide
  CHECK(spoilt(0, 3, std::sqrt(0.79F)) == 1);                         //
  CHECK(spoilt(5, 4, std::sqrt(0.19F)) == 0);                         // less than half as high
  CHECK(spoilt(5, 4, -1.0F) == 0);                                    // a negative root is no size
  CHECK(spoilt(1, 0, std::numeric_limits<float>::quiet_NaN()) == 0);  // no number says nothing
}

TEST_CASE("each image of a batch is judged by itself") {
  const Numbers targets = targets_of({{0.2F, 0.3F, 0.4F, 0.4F, 0}});
  const Numbers right = scores_for(targets, two_by_three, 2), wrong(right.size(), 0.1F);
  Numbers scores = right, all = targets;
  scores.insert(scores.end(), wrong.begin(), wrong.end());
  all.insert(all.end(), targets.begin(), targets.end());
  const BatchResult both = value(scores, all);
  CHECK(both.correct == 1);
  CHECK(both.samples == 2);
  CHECK(both.loss_sum == Approx(value(right, targets).loss_sum + value(wrong, targets).loss_sum));
  CHECK(loss_on(two_by_three)->predictions_per_sample() == 1);
}

TEST_CASE("the gradient of the detection loss agrees with finite differences") {
  Random random(5);
  const Numbers targets = targets_of({{0.2F, 0.3F, 0.4F, 0.4F, 0}, {0.8F, 0.7F, 0.2F, 0.9F, 1}});
  const auto loss = loss_on(two_by_three);
  const Targets of{.numbers = targets};
  for (int round = 0; round < 5; ++round) {
    const Numbers scores = gradient_check::normal_numbers(targets.size(), 1.0F, random);
    Numbers gradient(scores.size(), 7.0F);
    loss->gradient(scores, of, 2.0, gradient);
    CHECK(gradient_check::worst_difference(scores, gradient, 1.0F / 64,
                                           [&](const Numbers& at) { return loss->value(at, of).loss_sum / 2; }) < 1e-4);
  }
}

TEST_CASE("huge scores leave the detection loss finite, and no number makes it no number") {
  const Numbers targets = targets_of({{0.2F, 0.3F, 0.4F, 0.4F, 0}});
  const auto loss = loss_on(two_by_three);
  for (const float huge : {1e4F, -1e4F}) {
    const Numbers scores(targets.size(), huge);
    Numbers gradient(scores.size());
    loss->gradient(scores, {.numbers = targets}, 1.0, gradient);
    CHECK(std::isfinite(value(scores, targets).loss_sum));
    for (const float number : gradient) CHECK(std::isfinite(number));
  }
  for (std::size_t i = 0; i < 7; ++i) {  // every number of the cell with the object
    Numbers scores(targets.size(), 0.0F);
    scores[i] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(value(scores, targets).loss_sum));
    CHECK(value(scores, targets).correct == 0);
  }
}

TEST_CASE("boxes outside the image, classes that are none and targets of another size break a promise") {
  Numbers targets(static_cast<std::size_t>(two_by_three.count()));
  const auto encode = [&](const Box& box) { return encode_boxes(std::vector<Box>{box}, two_by_three, targets); };
  CHECK(encode({0.5F, 0.5F, 1, 1, 1}) == 1);
  CHECK_THROWS_AS(encode({1.1F, 0.5F, 1, 1, 1}), ContractViolation);
  CHECK_THROWS_AS(encode({0.5F, -0.1F, 1, 1, 1}), ContractViolation);
  CHECK_THROWS_AS(encode({0.5F, 0.5F, 1, 1, 2}), ContractViolation);
  CHECK_THROWS_AS(encode({0.5F, 0.5F, -1, 1, 0}), ContractViolation);
  CHECK_THROWS_AS(value(targets, {}), ContractViolation);
  CHECK_THROWS_AS(loss_on({2, 2, box_channels}), ContractViolation);
}

}  // namespace
}  // namespace orrery
