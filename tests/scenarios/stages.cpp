// Cutting a network into stages.
#include "scenarios/strategies/stages.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "sim/base/random.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

double largest_sum(const std::vector<double>& costs, const std::vector<Span>& spans) {
  double largest = 0;
  for (const Span& span : spans) {
    largest = std::max(largest, std::accumulate(costs.begin() + static_cast<std::ptrdiff_t>(span.first),
                                                costs.begin() + static_cast<std::ptrdiff_t>(span.end), 0.0));
  }
  return largest;
}

/// Cuts layers of these costs, each of them with FLOPs where it has cost, where every cut carries the same bytes.
std::vector<Span> balance(const std::vector<double>& costs, std::size_t parts) {
  return cut_into_stages({costs, costs, std::vector<double>(costs.size(), 1.0)}, parts);
}

/// Smallest largest sum over every way to cut, by trying them all.
double best_by_trying(const std::vector<double>& costs, std::size_t parts) {
  if (parts == 1) return std::accumulate(costs.begin(), costs.end(), 0.0);
  double best = 1e300;
  for (std::size_t last = parts - 1; last < costs.size(); ++last) {
    const std::vector<double> head(costs.begin(), costs.begin() + static_cast<std::ptrdiff_t>(last));
    const double tail = std::accumulate(costs.begin() + static_cast<std::ptrdiff_t>(last), costs.end(), 0.0);
    best = std::min(best, std::max(best_by_trying(head, parts - 1), tail));
  }
  return best;
}

/// input -> a -> b -> c + skip of a -> d, one number out each but b, which has two.
LayerGraph residual_graph() {
  LayerGraph graph;
  for (std::size_t i = 0; i < 4; ++i) {
    Layer layer;
    layer.id = LayerId(i);
    layer.kind = i == 2 ? LayerKind::residual_add : LayerKind::dense;
    layer.bias = false;
    layer.out.channels = i == 1 ? 2 : 1;
    if (i > 0) layer.input = LayerId(i - 1);
    if (i == 2) layer.skip = LayerId(std::size_t{0});
    graph.layers.push_back(layer);
  }
  return graph;
}

}  // namespace

TEST_CASE("stages are balanced") {
  const std::vector<double> costs = {1, 2, 3, 4, 5, 6};
  CHECK(balance(costs, 1) == std::vector<Span>{{0, 6}});
  CHECK(balance(costs, 2) == std::vector<Span>{{0, 4}, {4, 6}});          // 10 and 11
  CHECK(balance(costs, 3) == std::vector<Span>{{0, 3}, {3, 5}, {5, 6}});  // 6, 9, 6
  CHECK(balance(costs, 6).back() == Span{5, 6});
}

TEST_CASE("among cuts of equal largest stage the evenest one is taken") {
  // A flatten, then the bottleneck. 0 | 10 | 4 2 has squares 136, 0 10 | 4 | 2 has 120; 0 | 10 4 | 2 has a stage of 14.
  CHECK(balance(std::vector<double>{0, 10, 4, 2}, 3) == std::vector<Span>{{0, 2}, {2, 3}, {3, 4}});
  // 0 | 3 1 1 1 | 6 has squares 72, 0 3 | 1 1 1 | 6 has 54, 0 3 1 | 1 1 | 6 has 56.
  CHECK(balance(std::vector<double>{0, 3, 1, 1, 1, 6}, 3) == std::vector<Span>{{0, 2}, {2, 5}, {5, 6}});
  // Fewer costs than stages: one stage has to do without.
  CHECK(balance(std::vector<double>{0, 0, 5, 1}, 3) == std::vector<Span>{{0, 1}, {1, 3}, {3, 4}});
}

TEST_CASE("no stage is without cost when there are as many costs as stages") {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> costs;
    std::size_t above_zero = 0;
    for (int i = 0; i < 12; ++i) {
      costs.push_back(random.below(2) == 0 ? 0.0 : static_cast<double>(random.below(5)));
      above_zero += costs.back() > 0 ? 1 : 0;
    }
    for (std::size_t parts = 1; parts <= above_zero; ++parts) {
      for (const Span& span : balance(costs, parts)) CHECK(largest_sum(costs, {span}) > 0);
    }
  }
}

TEST_CASE("a cheap cut one layer away is taken within the slack and not beyond it") {
  // Even halves are 100 and 100 with 9 bytes across; one layer later they are 100 + x and 100 - x with 2.
  const auto halves = [](double x) {
    const std::vector<double> seconds = {100, x, 100 - x};
    return cut_into_stages({seconds, seconds, {9, 2, 7}}, 2);
  };
  CHECK(halves(4.9) == std::vector<Span>{{0, 2}, {2, 3}});
  CHECK(halves(5.0) == std::vector<Span>{{0, 2}, {2, 3}});
  CHECK(halves(5.1) == std::vector<Span>{{0, 1}, {1, 3}});
}

TEST_CASE("the bytes of all cuts together decide, before the evenness") {
  // Stages of at most 10 x 1.05. 5 5 | 5 5 | 5 5 carries 4 + 4; 5 | 5 5 | 5 5 leaves one stage of 5 too many.
  const std::vector<double> six(6, 5.0);
  CHECK(cut_into_stages({six, six, {1, 4, 1, 4, 1, 0}}, 3) == std::vector<Span>{{0, 2}, {2, 4}, {4, 6}});
  // With four stages cuts behind layers 1, 3 and 5 carry 3, those of 5 5 | 5 5 | 5 | 5 carry 9.
  CHECK(cut_into_stages({six, six, {1, 4, 1, 4, 1, 0}}, 4) == std::vector<Span>{{0, 1}, {1, 3}, {3, 5}, {5, 6}});
}

TEST_CASE("a stage of layers without FLOPs saves no bytes") {
  // The loss takes time but has no products: alone it would save 3 - 1 bytes. The middle cut then is the evenest one:
  // 100 | 1 30 | 1 5 1 has squares 11010, 100 | 1 30 1 | 5 1 has 11060, 100 1 | 30 | 1 5 1 has 11150.
  const std::vector<double> seconds = {100, 1, 30, 1, 5, 1}, flops = {9, 0, 4, 0, 1, 0};
  CHECK(cut_into_stages({seconds, flops, {3, 3, 3, 3, 1, 0}}, 3) == std::vector<Span>{{0, 1}, {1, 3}, {3, 6}});
}

TEST_CASE("rounding decides nothing: equal layers make equal stages") {
  const std::vector<double> costs(12, 0.1);
  CHECK(balance(costs, 4) == std::vector<Span>{{0, 3}, {3, 6}, {6, 9}, {9, 12}});
  CHECK(balance(costs, 5) == std::vector<Span>{{0, 2}, {2, 4}, {4, 6}, {6, 9}, {9, 12}});
}

TEST_CASE("no way of cutting has a largest stage smaller by more than the slack") {
  Random random(5);
  for (std::size_t layers = 1; layers <= 9; ++layers) {
    std::vector<double> costs;
    for (std::size_t i = 0; i < layers; ++i) costs.push_back(random.below(4) == 0 ? 0.0 : random.uniform());
    for (std::size_t parts = 1; parts <= layers; ++parts) {
      const std::vector<Span> spans = balance(costs, parts);
      REQUIRE(spans.size() == parts);
      CHECK(spans.front().first == 0);
      CHECK(spans.back().end == layers);
      for (std::size_t i = 0; i < parts; ++i) {
        CHECK(spans[i].size() >= 1);
        if (i > 0) CHECK(spans[i].first == spans[i - 1].end);
      }
      const double smallest = best_by_trying(costs, parts);
      CHECK(largest_sum(costs, spans) >= smallest * (1 - 1e-9));
      CHECK(largest_sum(costs, spans) <= smallest * (1 + stage_slack + 1e-9));
    }
  }
}

TEST_CASE("what crosses a cut is every tensor that is read behind it, once") {
  const LayerGraph graph = residual_graph();
  CHECK(numbers_across(graph, 0, Pass::forward) == 0);
  CHECK(numbers_across(graph, 1, Pass::forward) == 1);  // a, though two layers read it
  CHECK(numbers_across(graph, 2, Pass::forward) == 3);  // a and b
  CHECK(numbers_across(graph, 3, Pass::forward) == 1);  // c
  CHECK(numbers_across(graph, 2, Pass::backward) == 3);
}

TEST_CASE("gradients of what lies before the first weights do not travel") {
  const LayerGraph graph = load_network("2nn");  // flatten, dense1, ...
  CHECK(numbers_across(graph, 1, Pass::forward) == 784);
  CHECK(numbers_across(graph, 1, Pass::backward) == 0);
  CHECK(numbers_across(graph, 2, Pass::backward) == 200);
}

TEST_CASE("every cut of ResNet-50 carries its shortcut along") {
  const LayerGraph graph = load_network("resnet50");
  const auto add = std::find_if(graph.layers.begin(), graph.layers.end(),
                                [](const Layer& layer) { return layer.kind == LayerKind::residual_add; });
  const auto block_input = static_cast<double>(graph.layers[add->input.index()].out.count());
  CHECK(numbers_across(graph, add->id.index(), Pass::forward) == 2 * block_input);
}

}  // namespace orrery
