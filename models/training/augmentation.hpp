// Images changed a little, so that a network sees more of them than there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "models/training/dataset.hpp"

namespace orrery {

enum class Flip : std::uint8_t {
  never,
  half_of_them  // left for right, with probability 1/2
};

/// What may be done to an image. Off by default.
struct Augmentation {
  Flip flip = Flip::never;
  /// Pixels: moved by -shift..shift, uniformly, down and to the right each; zeros move in. The same as padding with
  /// `shift` zeros and cropping at random (He et al. 2016, section 4.2: 4 pixels and a flip, for CIFAR-10).
  std::int64_t shift = 0;

  [[nodiscard]] bool is_on() const { return flip != Flip::never || shift != 0; }
  bool operator==(const Augmentation&) const = default;
};

/// Whether `augmentation` makes sense for these samples. Throws InvalidInput for sequences, for targets of numbers
/// (boxes would have to move too) and for a shift that is negative or leaves nothing of an image of `shape`.
void check(const Augmentation& augmentation, const Samples& samples, const Shape& shape);

/// What happens to one image.
struct ImageChange {
  bool is_flipped = false;
  std::int64_t down = 0, right = 0;  // pixels, after the flip
  bool operator==(const ImageChange&) const = default;
};

/// Draws depend on (seed, epoch, sample) alone: not on batches, threads or who looks ahead. A draw costs 2 to 3
/// microseconds, what it takes to seed a generator.
class Augmenter {
 public:
  Augmenter(const Augmentation& augmentation, const Shape& image, std::uint64_t seed)
      : augmentation_(augmentation), image_(image), seed_(seed) {}

  [[nodiscard]] ImageChange change(std::int64_t epoch, std::size_t sample) const;
  /// from, to: one image each, channels last; they must not overlap.
  void copy(std::span<const float> from, std::span<float> to, const ImageChange& change) const;

 private:
  Augmentation augmentation_;
  Shape image_;
  std::uint64_t seed_;
};

}  // namespace orrery
