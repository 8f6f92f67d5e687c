#include "scenarios/strategies/stages.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Sums of the same costs in another order differ by less than this part: rounding decides nothing.
constexpr double rounding = 1e-12;

struct Partition {
  double value = infinity;
  std::vector<Span> spans;
};

/// The cut of the costs into `parts` runs of least value, by dynamic programming. `join(head, sum)`: the value of a
/// head of runs followed by a run of that sum. Equal values: the last run begins as early as possible.
template <typename Join>
Partition cheapest(const std::vector<double>& prefix, std::size_t parts, const Join& join) {
  const std::size_t count = prefix.size() - 1;
  // value[p][end]: of the first `end` costs cut into p runs; start[p][end]: where the last of them begins.
  std::vector<std::vector<double>> value(parts + 1, std::vector<double>(count + 1, infinity));
  std::vector<std::vector<std::size_t>> start(parts + 1, std::vector<std::size_t>(count + 1, 0));
  value[0][0] = 0.0;
  for (std::size_t p = 1; p <= parts; ++p) {
    for (std::size_t end = p; end <= count; ++end) {
      for (std::size_t begin = p - 1; begin < end; ++begin) {
        const double joined = join(value[p - 1][begin], prefix[end] - prefix[begin]);
        if (joined >= value[p][end] * (1.0 - rounding)) continue;
        value[p][end] = joined;
        start[p][end] = begin;
      }
    }
  }
  Partition best{value[parts][count], std::vector<Span>(parts)};
  std::size_t end = count;
  for (std::size_t p = parts; p > 0; --p) {
    best.spans[p - 1] = {start[p][end], end};
    end = start[p][end];
  }
  return best;
}

}  // namespace

std::vector<Span> balance(std::span<const double> costs, std::size_t parts) {
  ORRERY_EXPECT(parts >= 1 && parts <= costs.size());
  std::vector<double> prefix(costs.size() + 1, 0.0);
  for (std::size_t i = 0; i < costs.size(); ++i) prefix[i + 1] = prefix[i] + costs[i];
  const double largest = cheapest(prefix, parts, [](double head, double sum) { return std::max(head, sum); }).value;
  const double limit = largest + rounding * prefix.back();
  const auto squares = [limit](double head, double sum) { return sum <= limit ? head + sum * sum : infinity; };
  return cheapest(prefix, parts, squares).spans;
}

std::vector<bool> needs_gradient(const LayerGraph& graph) {
  std::vector<bool> needs(graph.layers.size(), false);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const bool reads_one =
        (layer.input.valid() && needs[layer.input.index()]) || (layer.skip.valid() && needs[layer.skip.index()]);
    needs[i] = reads_one || layer.tied || parameters(layer) > 0;
  }
  return needs;
}

double numbers_across(const LayerGraph& graph, std::size_t cut, Pass pass) {
  const std::vector<bool> wanted =
      pass == Pass::backward ? needs_gradient(graph) : std::vector<bool>(graph.layers.size(), true);
  std::vector<bool> crosses(graph.layers.size(), false);
  double numbers = 0;
  const auto read = [&](LayerId producer) {
    if (!producer.valid() || producer.index() >= cut || crosses[producer.index()]) return;
    if (!wanted[producer.index()]) return;
    crosses[producer.index()] = true;
    numbers += static_cast<double>(graph.layers[producer.index()].out.count());
  };
  for (std::size_t i = cut; i < graph.layers.size(); ++i) {
    read(graph.layers[i].input);
    read(graph.layers[i].skip);
  }
  return numbers;
}

LayerId owner_of_tied_weights(const LayerGraph& graph, const Layer& layer) {
  if (!layer.tied) return {};
  for (std::size_t i = layer.id.index(); i-- > 0;) {
    if (graph.layers[i].kind == LayerKind::embedding) return LayerId(i);
  }
  return {};
}

}  // namespace orrery
