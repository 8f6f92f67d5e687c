#include "models/training/row_numbers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

Problem no_row(const LayerGraph& graph, const RowNumber& number, std::size_t sample, float found) {
  Problem problem;
  problem.at.file = graph.name;
  problem.key = fmt::format("layer \"{}\"", graph.layers[number.layer.index()].name);
  problem.what = fmt::format("sample {}: number {} is {}, which is no row", sample, number.place, found);
  problem.why = fmt::format("its table has the rows 0 to {}", number.rows - 1);
  return problem;
}

}  // namespace

std::optional<std::size_t> place_in_sample(const LayerGraph& graph, const Layer& tables) {
  std::int64_t first = 0;
  for (LayerId id = tables.input; id.valid(); id = graph.layers[id.index()].input) {
    const Layer& before = graph.layers[id.index()];
    const bool is_slice = before.kind == LayerKind::slice && before.in.height * before.in.width == 1;
    if (!is_slice && !is_view(before.kind)) return std::nullopt;
    first += before.first_channel;
  }
  return static_cast<std::size_t>(first);
}

std::vector<RowNumber> row_numbers(const LayerGraph& graph) {
  std::map<std::size_t, RowNumber> by_place;
  for (const Layer& layer : graph.layers) {
    if (layer.kind != LayerKind::embedding_tables) continue;
    const std::optional<std::size_t> first = place_in_sample(graph, layer);
    ORRERY_EXPECT(first.has_value());
    for (std::size_t table = 0; table < layer.tables.size(); ++table) {
      const RowNumber number{*first + table, layer.tables[table], layer.id};
      const auto [known, is_new] = by_place.insert({number.place, number});
      if (!is_new && number.rows < known->second.rows) known->second = number;
    }
  }
  std::vector<RowNumber> numbers;
  for (const auto& [place, number] : by_place) numbers.push_back(number);
  return numbers;
}

void require_rows(const LayerGraph& graph, const Samples& samples) {
  Problems problems;
  std::set<std::size_t> told;
  const auto size = static_cast<std::size_t>(graph.input.count());
  for (const RowNumber& number : row_numbers(graph)) {
    for (std::size_t sample = 0; sample < samples.count() && !told.contains(number.layer.index()); ++sample) {
      const float found = samples.inputs[sample * size + number.place];
      const bool is_row = found >= 0 && found < static_cast<float>(number.rows) && std::floor(found) == found;
      if (is_row) continue;  // a NaN is none
      problems.add(no_row(graph, number, sample, found));
      told.insert(number.layer.index());
    }
  }
  problems.throw_if_any();
}

}  // namespace orrery
