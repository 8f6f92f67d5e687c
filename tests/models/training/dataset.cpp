#include "models/training/dataset.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "models/training/synthetic.hpp"
#include "sim/base/errors.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/published_data.hpp"

namespace orrery {
namespace {

std::string refusal(const std::string& name) {
  try {
    load_data_set(name, 1);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "none";
}

std::array<int, 10> class_counts(const Samples& samples) {
  std::array<int, 10> counts{};
  for (const std::int32_t label : samples.labels) ++counts.at(static_cast<std::size_t>(label));
  return counts;
}

TEST_CASE("a data set that is unknown, or only described, is refused") {
  CHECK(refusal("fashion-minst") == "dataset: unknown data set \"fashion-minst\" - did you mean \"fashion-mnist\"?");
  CHECK(refusal("imagenet") ==
        "dataset: data set \"imagenet\" cannot be trained on (it is only described, for simulation) - train on one "
        "of fashion-mnist, mnist, digits, synthetic, synthetic-writers, synthetic-boxes, markov-1000, markov-90");
}

TEST_CASE("every described data set has a source and sensible numbers") {
  for (const DataSetInfo& info : data_sets()) {
    INFO(info.name);
    CHECK_FALSE(info.source.empty());
    CHECK_FALSE(info.title.empty());
    CHECK(info.train_samples > 0);
    CHECK(info.classes > 1);
    CHECK(info.stored_bytes_per_sample > 0);
  }
}

TEST_CASE("the synthetic set is made from its seed: the same for the same, another for another") {
  const DataSet first = load_data_set("synthetic", 1);
  CHECK(first.train.count() == 6000);
  CHECK(first.test.count() == 1000);
  CHECK(first.train.inputs.size() == 6000 * 784);
  CHECK(first.shape == Shape{28, 28, 1});
  CHECK(class_counts(first.train) == std::array<int, 10>{600, 600, 600, 600, 600, 600, 600, 600, 600, 600});
  CHECK(load_data_set("synthetic", 1).train.inputs == first.train.inputs);
  CHECK(load_data_set("synthetic", 2).train.inputs != first.train.inputs);
  double sum = 0;
  for (const float input : first.train.inputs) {
    REQUIRE((input >= 0.0F && input <= 1.0F));
    sum += input;
  }
  CHECK(sum / static_cast<double>(first.train.inputs.size()) == Approx(0.5).margin(0.01));
}

TEST_CASE("training and test samples of the synthetic set come from one mixture but are not the same") {
  const SyntheticOptions options{.samples = 10, .noise = 0.0};
  CHECK(synthetic_samples(options, 1, "train").inputs == synthetic_samples(options, 1, "test").inputs);
  const SyntheticOptions noisy{.samples = 10};
  CHECK(synthetic_samples(noisy, 1, "train").inputs != synthetic_samples(noisy, 1, "test").inputs);
}

TEST_CASE("synthetic-writers: every writer gives every class, in a way of its own") {
  const DataSet data = load_data_set("synthetic-writers", 1);
  for (const Samples* samples : {&data.train, &data.test}) {
    std::set<std::pair<int, int>> pairs;
    REQUIRE(samples->groups.size() == samples->count());
    for (std::size_t i = 0; i < samples->count(); ++i) pairs.insert({samples->groups[i], samples->labels[i]});
    CHECK(pairs.size() == 100 * 10);
  }
  // Without noise: the same class by the same writer is the same image, in both sets; by another it is not.
  const SyntheticOptions clear{.samples = 40, .noise = 0, .groups = 2};
  const Samples train = synthetic_samples(clear, 1, "train"), test = synthetic_samples(clear, 1, "test");
  const auto image = [](const Samples& samples, std::size_t i) {
    return std::vector<float>(samples.inputs.begin() + static_cast<std::ptrdiff_t>(i * 784),
                              samples.inputs.begin() + static_cast<std::ptrdiff_t>((i + 1) * 784));
  };
  CHECK(train.groups[3] == 0);
  CHECK(train.groups[13] == 1);
  CHECK(image(train, 3) == image(test, 23));
  CHECK(image(train, 3) != image(train, 13));
}

TEST_CASE("made sets hold what their rows in the table say") {
  for (const DataSetInfo& info : data_sets()) {
    const bool is_made = info.name.starts_with("synthetic") || info.name.starts_with("markov");
    if (!is_made) continue;
    INFO(info.name);
    const DataSet data = load_data_set(info.name, 1);
    CHECK(data.shape == info.shape);
    CHECK(data.train.count() == static_cast<std::size_t>(info.train_samples));
    CHECK(data.test.count() == static_cast<std::size_t>(info.test_samples));
    CHECK(data.train.inputs.size() == data.train.count() * static_cast<std::size_t>(info.shape.count()));
    CHECK(*std::min_element(data.train.labels.begin(), data.train.labels.end()) == 0);
    CHECK(*std::max_element(data.train.labels.begin(), data.train.labels.end()) == info.classes - 1);
    CHECK(data.entropy_nats.has_value() == info.name.starts_with("markov"));
    CHECK(data.train.inputs != data.test.inputs);
  }
}

TEST_CASE("a split is seeded and disjoint, and keeps what belongs together") {
  Samples samples;
  samples.labels_per_sample = 2;
  for (int i = 0; i < 100; ++i) {
    samples.inputs.push_back(static_cast<float>(i));
    samples.labels.insert(samples.labels.end(), {2 * i, 2 * i + 1});
    samples.targets.insert(samples.targets.end(), 3, static_cast<float>(-i));
    samples.groups.push_back(i / 10);
  }
  const auto drawn = [&](std::uint64_t seed) {
    Random random(seed);
    return split(samples, 70, random);
  };
  const SampleSets sets = drawn(1);
  CHECK(sets.train.count() == 70);
  CHECK(sets.test.count() == 30);
  std::set<float> seen;
  for (const Samples* part : {&sets.train, &sets.test}) {
    for (std::size_t i = 0; i < part->count(); ++i) {
      const float input = part->inputs[i];
      CHECK(seen.insert(input).second);
      CHECK(part->labels[2 * i] == 2 * static_cast<int>(input));
      CHECK(part->labels[2 * i + 1] == 2 * static_cast<int>(input) + 1);
      CHECK(part->targets[3 * i + 2] == -input);
      CHECK(part->groups[i] == static_cast<int>(input) / 10);
    }
  }
  CHECK(seen.size() == 100);
  CHECK(drawn(1).train.inputs == sets.train.inputs);
  CHECK(drawn(2).train.inputs != sets.train.inputs);
}

TEST_CASE("Fashion-MNIST has 6,000 and 1,000 images of each of ten kinds of clothes") {
  const std::optional<DataSet> data = published_data("fashion-mnist");
  if (!data) return;
  CHECK(class_counts(data->train) == std::array<int, 10>{6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000});
  CHECK(class_counts(data->test) == std::array<int, 10>{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000});
  CHECK(data->train.inputs.size() == 60000U * 784U);
  CHECK(data->stored_bytes_per_sample == 785.0);
}

TEST_CASE("MNIST has its published class counts") {
  const std::optional<DataSet> data = published_data("mnist");
  if (!data) return;
  CHECK(class_counts(data->train) == std::array<int, 10>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
}

}  // namespace
}  // namespace orrery
