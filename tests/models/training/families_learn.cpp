// Every family of networks learns: accuracy after a fixed number of steps on Fashion-MNIST, entropy on a text of known
// entropy, objects on pictures of boxes. Three seeds each; seconds each.
#include <fmt/format.h>

#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "models/training/central_trainer.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/published_data.hpp"

namespace orrery {
namespace {

/// The first samples of a set.
Samples head_of(const Samples& samples, std::size_t count) {
  std::vector<std::size_t> indices(count);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  SampleBatch batch;
  const Batch part = batch.gather(samples, indices);
  Samples head;
  head.labels_per_sample = samples.labels_per_sample;
  head.inputs.assign(part.inputs.begin(), part.inputs.end());
  head.labels.assign(part.targets.labels.begin(), part.targets.labels.end());
  head.targets.assign(part.targets.numbers.begin(), part.targets.numbers.end());
  return head;
}

/// The bands are what three seeds gave when this was written, and about five points more on either side.
struct Course {
  const char* network;
  OptimizerKind optimizer;
  double learning_rate;
  std::int64_t batch, steps;
  double lowest, highest;  // accuracy, of every seed
};

CentralOptions options_of(const Course& course, std::uint64_t seed) {
  return {.batch = course.batch,
          .steps = course.steps,
          .evaluate_every = course.steps,
          .optimizer = {.kind = course.optimizer, .learning_rate = course.learning_rate},
          .seed = seed};
}

Evaluation after(const Course& course, const DataSet& data, std::uint64_t seed) {
  const auto points = train_central(load_network(course.network), data, options_of(course, seed), {});
  const Evaluation& end = points.back().test;
  std::cerr << fmt::format("{}, seed {}: {:.1f} % after {} steps of {}, loss {:.3f}\n", course.network, seed,
                           100 * end.accuracy, course.steps, course.batch, end.loss);
  return end;
}

const std::vector<Course>& image_courses() {
  using enum OptimizerKind;
  static const std::vector<Course> courses = {
      {"2nn", sgd, 0.1, 64, 400, 0.76, 0.88},
      {"lenet5", adam, 0.001, 64, 300, 0.79, 0.87},
      {"fedavg-cnn", adam, 0.001, 32, 100, 0.76, 0.86},
      {"resnet-small", adam, 0.003, 64, 100, 0.66, 0.84},
      {"resnet18", adam, 0.001, 16, 80, 0.60, 0.90},
      {"mobilenet-small", adam, 0.003, 64, 150, 0.74, 0.84},
      {"lstm-rows", adam, 0.003, 64, 200, 0.67, 0.82},
      {"gru-rows", adam, 0.003, 64, 200, 0.71, 0.83},
      {"transformer-small", adamw, 0.001, 64, 150, 0.70, 0.84},
      {"vit-tiny", adamw, 0.002, 64, 150, 0.68, 0.82},
  };
  return courses;
}

TEST_CASE("networks for images learn Fashion-MNIST") {
  static std::optional<DataSet> data = published_data("fashion-mnist");
  if (!data) return;
  if (data->test.count() > 1000) data->test = head_of(data->test, 1000);
  for (const Course& course : image_courses()) {
    DYNAMIC_SECTION(course.network) {
      for (const std::uint64_t seed : {1, 2, 3}) {
        const double accuracy = after(course, *data, seed).accuracy;
        CHECK(accuracy >= course.lowest);
        CHECK(accuracy <= course.highest);
      }
    }
  }
}

TEST_CASE("a small network learns UCI's digits") {
  const std::optional<DataSet> data = published_data("digits");
  if (!data) return;
  const Course course{"digits-2nn", OptimizerKind::sgd, 0.1, 32, 500, 0.92, 1.0};
  for (const std::uint64_t seed : {1, 2, 3}) {
    const double accuracy = after(course, *data, seed).accuracy;
    CHECK(accuracy >= course.lowest);
    CHECK(accuracy <= course.highest);
  }
}

TEST_CASE("a detector learns where boxes are") {
  const Course course{"yolo-tiny", OptimizerKind::adam, 0.003, 32, 300, 0.38, 0.56};
  const DataSet data = load_data_set("synthetic-boxes", 1);
  for (const std::uint64_t seed : {1, 2, 3}) {
    const double accuracy = after(course, data, seed).accuracy;
    CHECK(accuracy >= course.lowest);
    CHECK(accuracy <= course.highest);
  }
}

struct Text {
  const char* network;
  const char* text;
  double learning_rate;
  std::int64_t batch, steps;
};

TEST_CASE("networks for text reach the entropy of the text within 2 %") {
  const auto text =
      GENERATE(Text{"gpt-mini", "markov-1000", 0.002, 16, 380}, Text{"char-lstm", "markov-90", 0.01, 16, 240});
  DataSet data = load_data_set(text.text, 1);
  data.test = head_of(data.test, 100);  // 12,800 and 8,000 tokens: a standard error of about 0.5 %
  const Course course{text.network, OptimizerKind::adam, text.learning_rate, text.batch, text.steps, 0, 1};
  CentralOptions options = options_of(course, 1);
  options.optimizer.schedule = {.kind = ScheduleKind::cosine, .warm_up = 20, .total = text.steps};
  const auto points = train_central(load_network(course.network), data, options, {});
  const double loss = points.back().test.loss, entropy = *data.entropy_nats;
  std::cerr << fmt::format("{} on {}: {:.4f} nats after {} steps of {}, {:.2f} % above the entropy of {:.4f}\n",
                           text.network, text.text, loss, text.steps, text.batch, 100 * (loss / entropy - 1), entropy);
  CHECK(loss > 0.99 * entropy);
  CHECK(loss < 1.02 * entropy);
}

}  // namespace
}  // namespace orrery
