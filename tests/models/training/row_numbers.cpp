// Numbers of samples that name rows of embedding tables.
#include "models/training/row_numbers.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "models/training/central_trainer.hpp"
#include "models/training/profiler.hpp"
#include "models/training/random_samples.hpp"
#include "models/training/training.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/run_network.hpp"

namespace orrery {
namespace {

/// Samples of four numbers, `layers`, a head.
LayerGraph of_four_numbers(const std::string& layers) {
  return small_network(
      "[network]\nname = \"small\"\ntitle = \"tables\"\nsource = \"made for this test\"\nsample = \"vector\"\n"
      "input = [1, 1, 4]\nclasses = 2\nlayers = [\n" +
      layers +
      "  { name = \"mean\", kind = \"global_average_pool\" },\n  { name = \"head\", kind = \"dense\", units = 2 },\n"
      "  { name = \"loss\", kind = \"softmax_cross_entropy\" },\n]\n");
}

/// Numbers 1 to 3 name rows of three tables, 2 and 3 also of two others.
LayerGraph two_readers() {
  return of_four_numbers(R"(
  { name = "sample", kind = "flatten" },
  { name = "three", kind = "slice", first = 1, channels = 3 },
  { name = "wide", kind = "embedding_tables", units = 2, rows = [9, 8, 2] },
  { name = "two", kind = "slice", first = 1, channels = 2, input = "three" },
  { name = "narrow", kind = "embedding_tables", units = 2, rows = [3, 7] },
)");
}

std::string message_of(const LayerGraph& graph, const Samples& samples) {
  try {
    require_rows(graph, samples);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return {};
}

TEST_CASE("a number that several tables read is a row of the smallest") {
  const LayerGraph graph = two_readers();
  const std::vector<RowNumber> numbers = row_numbers(graph);
  REQUIRE(numbers.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(numbers[i].place == i + 1);
    CHECK(numbers[i].rows == std::vector<std::int64_t>{9, 3, 2}[i]);
    CHECK(graph.layers[numbers[i].layer.index()].name == std::vector<std::string>{"wide", "narrow", "wide"}[i]);
  }
  const RunNetwork network(graph);
  CHECK(message_of(graph, random_samples(network.plan(), 200, 3)).empty());
  CHECK(!measure_profile(graph, {.batches = {64}, .threads = {1}, .warm_up = 0, .repeats = 1}).rows.empty());
}

TEST_CASE("tables that read computed numbers are not executed") {
  const LayerGraph graph = of_four_numbers(
      "  { name = \"first\", kind = \"dense\", units = 3 },\n"
      "  { name = \"tables\", kind = \"embedding_tables\", units = 2, rows = [3, 3, 3] },\n");
  const std::string text =
      "layer \"tables\" (embedding_tables) reads computed numbers, and only a sample's own are rows";
  CHECK(obstacles_to_execution(graph) == std::vector<std::string>{text});
  std::string message;
  try {
    const ExecutionPlan plan(graph);
  } catch (const InvalidInput& error) {
    message = error.what();
  }
  CHECK(message == "small: cannot be executed: " + text + " - simulate it instead: its cost is known");
}

TEST_CASE("numbers of a data set that are no rows are told with layer, sample and number") {
  const LayerGraph graph = two_readers();
  Samples samples{.inputs = {0.5F, 8, 2, 1, 0.5F, 9, 2, 1, 0.5F, 0, 2.5F, 1}, .labels = {0, 1, 0}};
  const std::string told =
      "small: layer \"wide\": sample 1: number 1 is 9, which is no row (its table has the rows 0 to 8)\n"
      "small: layer \"narrow\": sample 2: number 2 is 2.5, which is no row (its table has the rows 0 to 2)";
  CHECK(message_of(graph, samples) == told);
  CHECK_THROWS_AS(CentralTrainer(graph, samples, {.batch = 1}), InvalidInput);
  const RunNetwork network(graph);
  CHECK_THROWS_AS(evaluate(graph, network.weights, samples), InvalidInput);
  samples.inputs = {0.5F, 8, 2, 1, 0.5F, 8, 2, 1, 0.5F, std::numeric_limits<float>::quiet_NaN(), 2, -1};
  CHECK(message_of(graph, samples) ==
        "small: layer \"wide\": sample 2: number 1 is nan, which is no row (its table has the rows 0 to 8)");
}

}  // namespace
}  // namespace orrery
