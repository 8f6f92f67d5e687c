#include "models/training/batch_loader.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "sim/base/contract.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

constexpr Shape shape{4, 5, 1};

// Every number says whose it is: inputs 100 sample + place, labels 2 sample and 2 sample + 1, targets -sample.
Samples numbered(std::size_t count, std::size_t labels_per_sample, std::size_t numbers) {
  Samples samples;
  samples.labels_per_sample = labels_per_sample;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t at = 0; at < 20; ++at) samples.inputs.push_back(static_cast<float>(100 * i + at));
    for (std::size_t at = 0; at < labels_per_sample; ++at) {
      samples.labels.push_back(static_cast<std::int32_t>(labels_per_sample * i + at));
    }
    for (std::size_t at = 0; at < numbers; ++at) samples.targets.push_back(-static_cast<float>(i));
  }
  return samples;
}

std::vector<std::size_t> all_of(const Samples& samples) {
  std::vector<std::size_t> indices(samples.count());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

EpochOrder order_of(const Samples& samples, std::size_t batch) {
  return {all_of(samples), batch, Random(3)};
}

struct Copied {
  std::vector<float> inputs, numbers;
  std::vector<std::int32_t> labels;
  bool operator==(const Copied&) const = default;
};

Copied copied(const Batch& batch) {
  return {{batch.inputs.begin(), batch.inputs.end()},
          {batch.targets.numbers.begin(), batch.targets.numbers.end()},
          {batch.targets.labels.begin(), batch.targets.labels.end()}};
}

TEST_CASE("a batch holds inputs, labels and targets of the samples asked for, in that order") {
  const Samples samples = numbered(5, 2, 3);
  SampleBatch space;
  const std::vector<std::size_t> indices = {4, 0};
  const Batch batch = space.gather(samples, indices);
  CHECK(batch.samples == 2);
  CHECK(batch.inputs.size() == 40);
  CHECK(batch.inputs[0] == 400.0F);
  CHECK(batch.inputs[39] == 19.0F);
  CHECK(copied(batch).labels == std::vector<std::int32_t>{8, 9, 0, 1});
  CHECK(copied(batch).numbers == std::vector<float>{-4, -4, -4, 0, 0, 0});
}

TEST_CASE("all samples are one batch without a copy") {
  const Samples samples = numbered(3, 2, 1);
  const Batch batch = whole(samples);
  CHECK(batch.samples == 3);
  CHECK(batch.inputs.data() == samples.inputs.data());
  CHECK(batch.targets.labels.size() == 6);
  CHECK(batch.targets.numbers.data() == samples.targets.data());
}

TEST_CASE("a batch that is not larger than one before takes no new memory") {
  const Samples samples = numbered(10, 2, 3);
  const std::vector<std::size_t> indices = all_of(samples);
  SampleBatch space;
  const Batch large = space.gather(samples, indices);
  for (const std::size_t count : {3U, 10U, 1U, 9U}) {
    const Batch batch = space.gather(samples, std::span(indices).first(count));
    CHECK(batch.inputs.data() == large.inputs.data());
    CHECK(batch.targets.labels.data() == large.targets.labels.data());
    CHECK(batch.targets.numbers.data() == large.targets.numbers.data());
    CHECK(batch.inputs.size() == 20 * count);
  }
}

TEST_CASE("an order counts its epochs") {
  EpochOrder order(std::vector<std::size_t>{0, 1, 2}, 2, Random(1));
  CHECK(order.epoch() == -1);
  for (const std::int64_t epoch : {0, 0, 1, 1, 2}) {
    order.next();
    CHECK(order.epoch() == epoch);
  }
}

// Batches of three epochs; 7 samples in batches of 3 end an epoch with a batch of 1.
std::vector<Copied> three_epochs(const Samples& samples, const LoaderOptions& options) {
  BatchLoader loader(samples, order_of(samples, 3), options);
  REQUIRE(loader.batches_per_epoch() == 3);
  std::vector<Copied> batches;
  for (int i = 0; i < 9; ++i) batches.push_back(copied(loader.next()));
  return batches;
}

TEST_CASE("batches are the same with and without prefetch") {
  const Samples samples = numbered(7, 2, 1), images = numbered(7, 1, 0);
  const auto plain = three_epochs(samples, {});
  CHECK(plain == three_epochs(samples, {.prefetch = Prefetch::one_ahead}));
  CHECK(plain[2].inputs.size() == 20);
  CHECK(plain != three_epochs(numbered(7, 1, 1), {}));
  LoaderOptions options{.augmentation = {.flip = Flip::half_of_them, .shift = 1}, .shape = shape, .seed = 4};
  const auto augmented = three_epochs(images, options);
  options.prefetch = Prefetch::one_ahead;
  CHECK(augmented == three_epochs(images, options));
  CHECK(augmented != three_epochs(images, {}));
}

// By epoch, then sample: the label says whose input it is.
std::vector<std::vector<float>> inputs_by_sample(const Samples& samples, std::size_t batch, int epochs) {
  const LoaderOptions options{.augmentation = {.flip = Flip::half_of_them, .shift = 2}, .shape = shape, .seed = 9};
  BatchLoader loader(samples, order_of(samples, batch), options);
  std::vector<std::vector<float>> inputs(samples.count() * static_cast<std::size_t>(epochs));
  for (std::size_t i = 0; i < loader.batches_per_epoch() * static_cast<std::size_t>(epochs); ++i) {
    const Batch part = loader.next();
    for (std::size_t at = 0; at < part.samples; ++at) {
      const auto sample = static_cast<std::size_t>(part.targets.labels[at]);
      const auto image = part.inputs.subspan(at * 20, 20);
      inputs[i / loader.batches_per_epoch() * samples.count() + sample].assign(image.begin(), image.end());
    }
  }
  return inputs;
}

TEST_CASE("how an image is augmented does not depend on the batch it is in, only on epoch and sample") {
  const Samples samples = numbered(40, 1, 0);
  const auto inputs = inputs_by_sample(samples, 1, 2);
  CHECK(inputs == inputs_by_sample(samples, 7, 2));
  CHECK(inputs == inputs_by_sample(samples, 40, 2));
  CHECK(std::vector(inputs.begin(), inputs.begin() + 40) != std::vector(inputs.begin() + 40, inputs.end()));
}

TEST_CASE("a batch stays as it is while the next one is gathered") {
  const Samples samples = numbered(1000, 1, 0);
  BatchLoader loader(samples, order_of(samples, 200), {.prefetch = Prefetch::one_ahead});
  for (int i = 0; i < 50; ++i) {
    const Batch batch = loader.next();
    const Copied before = copied(batch);
    std::this_thread::yield();
    REQUIRE(copied(batch) == before);
  }
}

TEST_CASE("what goes wrong while gathering is thrown by the call that should have given the batch") {
  const Samples samples = numbered(4, 1, 0);
  for (const Prefetch prefetch : {Prefetch::none, Prefetch::one_ahead}) {
    // Sample 9 does not exist; it comes last or first.
    EpochOrder order(std::vector<std::size_t>{0, 1, 9}, 1, Random(2));
    EpochOrder same = order;
    BatchLoader loader(samples, order, {.prefetch = prefetch});
    while (same.next()[0] != 9) CHECK(loader.next().samples == 1);
    CHECK_THROWS_AS(loader.next(), ContractViolation);
    if (prefetch == Prefetch::one_ahead) CHECK_THROWS_AS(loader.next(), ContractViolation);
  }
}

TEST_CASE("a loader ends at any time, used or not") {
  const Samples samples = numbered(100, 1, 0);
  for (int used = 0; used < 20; ++used) {
    BatchLoader loader(samples, order_of(samples, 10), {.prefetch = Prefetch::one_ahead});
    for (int i = 0; i < used; ++i) loader.next();
  }
  SUCCEED("all threads ended");
}

}  // namespace
}  // namespace orrery
