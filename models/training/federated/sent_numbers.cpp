#include "models/training/federated/sent_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/networks/layer_patterns.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

std::vector<std::string> names_of_layers_with_weights(const LayerGraph& graph) {
  std::vector<std::string> names;
  for (const Layer& layer : graph.layers) {
    if (parameters(layer) > 0) names.push_back(layer.name);
  }
  return names;
}

void complain(std::string what, std::string why, std::string suggestion, Problems& problems) {
  problems.add({.at = {},
                .key = "personal_layers",
                .what = std::move(what),
                .why = std::move(why),
                .suggestion = std::move(suggestion),
                .source_line = {}});
}

/// By layer: whether it stays on the client.
std::vector<bool> personal(const LayerGraph& graph, const std::vector<std::string>& patterns) {
  Problems problems;
  std::vector<bool> stays(graph.layers.size());
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (const std::size_t i : layers_matching(graph, pattern)) {
      if (parameters(graph.layers[i]) == 0) continue;
      stays[i] = found = true;
    }
    if (found) continue;
    complain(fmt::format("no layer with weights is called \"{}\"", pattern), "",
             did_you_mean(pattern, names_of_layers_with_weights(graph)), problems);
  }
  problems.throw_if_any();
  return stays;
}

void append(std::vector<NumberRange>& runs, std::size_t first, std::size_t count) {
  if (count == 0) return;
  if (!runs.empty() && runs.back().first + runs.back().count == first) {
    runs.back().count += count;
  } else {
    runs.push_back({first, count});
  }
}

}  // namespace

SentNumbers sent_numbers(const LayerGraph& graph, const std::vector<std::string>& personal_layers) {
  const std::vector<bool> stays = personal(graph, personal_layers);
  SentNumbers numbers;
  std::size_t at = 0;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const auto count = static_cast<std::size_t>(parameters(graph.layers[i]));
    const bool trains = trainable_parameters(graph.layers[i]) > 0;
    append(stays[i] ? numbers.personal : trains ? numbers.parameters : numbers.frozen, at, count);
    at += count;
  }
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    // Running mean and variance: the only numbers of a model that are not trained.
    const auto count = layer.kind == LayerKind::batch_norm ? static_cast<std::size_t>(2 * layer.out.channels) : 0;
    append(stays[i] ? numbers.personal : numbers.statistics, at, count);
    at += count;
  }
  if (numbers.parameters.empty() && !numbers.personal.empty()) {
    Problems problems;
    complain(numbers.frozen.empty() ? "every layer is personal" : "every layer is personal or frozen",
             "nothing is left to learn together", "keep at least one layer common", problems);
    problems.throw_if_any();
  }
  return numbers;
}

std::size_t count_of(std::span<const NumberRange> runs) {
  std::size_t count = 0;
  for (const NumberRange& run : runs) count += run.count;
  return count;
}

std::vector<float> gathered(std::span<const float> all, std::span<const NumberRange> runs) {
  std::vector<float> numbers;
  numbers.reserve(count_of(runs));
  for (const NumberRange& run : runs) {
    const std::span<const float> part = run.of(all);
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  return numbers;
}

void scatter(std::span<const float> numbers, std::span<const NumberRange> runs, std::span<float> all) {
  ORRERY_EXPECT(numbers.size() == count_of(runs));
  for (const NumberRange& run : runs) {
    std::copy_n(numbers.begin(), run.count, run.of(all).begin());
    numbers = numbers.subspan(run.count);
  }
}

}  // namespace orrery
