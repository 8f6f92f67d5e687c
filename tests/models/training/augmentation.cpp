#include "models/training/augmentation.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/errors.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

std::vector<float> changed(const Shape& shape, const std::vector<float>& image, const ImageChange& change) {
  std::vector<float> result(image.size(), -1.0F);
  Augmenter({}, shape, 1).copy(image, result, change);
  return result;
}

TEST_CASE("images are flipped and shifted as on paper") {
  const Shape shape{2, 3, 1};
  const std::vector<float> image = {1, 2, 3,  //
                                    4, 5, 6};
  CHECK(changed(shape, image, {}) == image);
  CHECK(changed(shape, image, {.is_flipped = true}) == std::vector<float>{3, 2, 1, 6, 5, 4});
  CHECK(changed(shape, image, {.down = 1, .right = 1}) == std::vector<float>{0, 0, 0, 0, 1, 2});
  CHECK(changed(shape, image, {.down = -1, .right = -2}) == std::vector<float>{6, 0, 0, 0, 0, 0});
  CHECK(changed(shape, image, {.is_flipped = true, .right = -1}) == std::vector<float>{2, 1, 0, 5, 4, 0});
  CHECK(changed(shape, image, {.is_flipped = true, .right = 1}) == std::vector<float>{0, 3, 2, 0, 6, 5});
}

TEST_CASE("the channels of a pixel stay together") {
  const Shape shape{1, 3, 2};
  const std::vector<float> image = {1, 10, 2, 20, 3, 30};
  CHECK(changed(shape, image, {.is_flipped = true}) == std::vector<float>{3, 30, 2, 20, 1, 10});
  CHECK(changed(shape, image, {.right = 1}) == std::vector<float>{0, 0, 1, 10, 2, 20});
}

TEST_CASE("draws take every value, and depend on seed, epoch and sample alone") {
  const Augmentation augmentation{.flip = Flip::half_of_them, .shift = 2};
  const Augmenter augmenter(augmentation, {28, 28, 1}, 7);
  std::set<std::pair<std::int64_t, std::int64_t>> shifts;
  int flipped = 0, other_epoch = 0, other_seed = 0;
  constexpr int samples = 1000;
  for (std::size_t i = 0; i < samples; ++i) {
    const ImageChange change = augmenter.change(0, i);
    REQUIRE(change == Augmenter(augmentation, {28, 28, 1}, 7).change(0, i));
    shifts.insert({change.down, change.right});
    flipped += change.is_flipped ? 1 : 0;
    other_epoch += change == augmenter.change(1, i) ? 0 : 1;
    other_seed += change == Augmenter(augmentation, {28, 28, 1}, 8).change(0, i) ? 0 : 1;
  }
  CHECK(shifts.size() == 25);
  CHECK(*shifts.begin() == std::pair<std::int64_t, std::int64_t>{-2, -2});
  CHECK(*shifts.rbegin() == std::pair<std::int64_t, std::int64_t>{2, 2});
  // 500 +- 5 standard deviations of 15.8; of 50 possible changes one in 50 repeats.
  CHECK(std::abs(flipped - 500) < 80);
  CHECK(other_epoch > 950);
  CHECK(other_seed > 950);
}

TEST_CASE("augmentation that is off draws no change") {
  const Augmenter augmenter({}, {28, 28, 1}, 7);
  CHECK_FALSE(Augmentation{}.is_on());
  for (std::size_t i = 0; i < 20; ++i) CHECK(augmenter.change(3, i) == ImageChange{});
}

std::string refusal(const Augmentation& augmentation, const Samples& samples) {
  try {
    check(augmentation, samples, {2, 3, 1});
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("augmentation that makes no sense is refused") {
  const Samples images{.inputs = std::vector<float>(12), .labels = {0, 1}};
  const Samples boxes{.inputs = std::vector<float>(12), .labels = {0, 1}, .targets = {1, 2}};
  const Samples text{.inputs = std::vector<float>(12), .labels = std::vector<std::int32_t>(12), .labels_per_sample = 6};
  CHECK(refusal({.flip = Flip::half_of_them, .shift = 1}, images) == "none");
  CHECK(refusal({}, text) == "none");
  CHECK(refusal({.flip = Flip::half_of_them}, text) ==
        "augmentation: sequences cannot be flipped or shifted (their samples are no images) - leave augmentation off");
  CHECK(
      refusal({.shift = 1}, boxes) ==
      "augmentation: images with targets cannot be flipped or shifted (the targets would have to move with the image) "
      "- leave augmentation off");
  CHECK(
      refusal({.shift = 2}, images) ==
      "augmentation: images of 2x3x1 cannot be shifted by 2 pixels (nothing sensible would be left) - shift by 0 to 1");
  CHECK(refusal({.shift = -1}, images) ==
        "augmentation: images of 2x3x1 cannot be shifted by -1 pixels (nothing sensible would be left) - shift by 0 to "
        "1");
}

}  // namespace
}  // namespace orrery
