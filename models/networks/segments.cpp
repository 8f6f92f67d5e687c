#include "models/networks/segments.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>

namespace orrery {
namespace {

/// The layer whose numbers an output really is: views looked through. Invalid: the network's input.
LayerId source_of(const LayerGraph& graph, LayerId id) {
  while (id.valid() && is_view(graph.layers[id.index()].kind)) id = graph.layers[id.index()].input;
  return id;
}

std::string block_of(const Layer& layer) {
  const std::size_t dot = layer.name.rfind('.');
  return dot == std::string::npos ? std::string() : layer.name.substr(0, dot);
}

/// The last layer that reads each output, views looked through: it crosses every cut behind it up to there.
std::vector<std::size_t> last_readers(const LayerGraph& graph) {
  std::vector<std::size_t> last(graph.layers.size(), 0);
  for (std::size_t layer = 0; layer < graph.layers.size(); ++layer) {
    for (const LayerId read : {graph.layers[layer].input, graph.layers[layer].skip}) {
      const LayerId source = source_of(graph, read);
      if (source.valid()) last[source.index()] = layer;
    }
  }
  return last;
}

/// Layers before which exactly one earlier output, views looked through, is still to be read.
std::vector<std::size_t> narrow_cuts(const LayerGraph& graph) {
  const std::size_t count = graph.layers.size();
  const std::vector<std::size_t> last_reader = last_readers(graph);
  std::vector<int> change(count + 1, 0);  // of how many outputs cross, from one cut to the next
  for (std::size_t source = 0; source < count; ++source) {
    if (last_reader[source] <= source) continue;
    ++change[source + 1];
    --change[last_reader[source] + 1];
  }
  std::vector<std::size_t> cuts;
  int crossing = 0;
  for (std::size_t layer = 1; layer < count; ++layer) {
    crossing += change[layer];
    if (crossing == 1) cuts.push_back(layer);
  }
  return cuts;
}

/// Of cuts between placed blocks what goes along beside the stream from block to block.
class CarriedOutputs {
 public:
  explicit CarriedOutputs(const LayerGraph& graph)
      : graph_(graph), last_reader_(last_readers(graph)), needs_gradient_(needs_gradient(graph)) {
    for (std::size_t layer = 0; layer < graph.layers.size(); ++layer) {
      const std::string block = block_of(graph.layers[layer]);
      const LayerKind kind = graph.layers[layer].kind;
      if (is_recurrent(kind) && !block.empty()) recurrent_.insert(block);
      for (const LayerId read : {graph.layers[layer].input, graph.layers[layer].skip}) {
        const LayerId source = source_of(graph, read);
        if (source.valid() && !block.empty() && block != block_of(graph.layers[source.index()])) {
          readers_[source.index()].insert(block);
        }
      }
    }
  }

  /// Nothing: the network cannot be cut there.
  [[nodiscard]] std::optional<NetworkCut> before(std::size_t layer) const {
    const std::string block = block_of(graph_.layers[layer]);
    if (layer == 0 || block == block_of(graph_.layers[layer - 1])) return std::nullopt;
    const std::size_t stream = source_before(layer);
    const auto readers = readers_.find(stream);
    if (readers == readers_.end() || !readers->second.contains(block)) return std::nullopt;
    const bool is_stack = recurrent_.contains(block) && recurrent_.contains(block_of(graph_.layers[layer - 1]));
    NetworkCut cut{layer};
    for (std::size_t source = 0; source < layer; ++source) {
      const bool is_sent = last_reader_[source] >= layer && source != stream;
      if (!is_sent || is_looked_up(source)) continue;
      if (!is_stack && !is_read_by_many(source)) return std::nullopt;
      const std::int64_t numbers = graph_.layers[source].out.count();
      cut.carried += numbers;
      if (needs_gradient_[source]) cut.returned += numbers;
    }
    return cut;
  }

 private:
  [[nodiscard]] std::size_t source_before(std::size_t layer) const {
    const LayerId source = source_of(graph_, graph_.layers[layer - 1].id);
    return source.valid() ? source.index() : layer - 1;
  }
  /// An embedding, and what is made of it before the first block.
  [[nodiscard]] bool is_looked_up(std::size_t source) const {
    LayerId id = graph_.layers[source].id;
    while (id.valid() && graph_.layers[id.index()].kind != LayerKind::embedding) {
      const Layer& layer = graph_.layers[id.index()];
      const bool keeps_tokens = layer.kind == LayerKind::dropout || layer.kind == LayerKind::layer_norm ||
                                layer.kind == LayerKind::rms_norm || is_view(layer.kind);
      id = keeps_tokens ? layer.input : LayerId();
    }
    return id.valid();
  }
  /// Not what branches of one block read, or a sum behind the next one: four is assumed to tell them apart. Of the
  /// catalogue it lets T5, the Transformer and two cuts of Stable Diffusion's U-Net through.
  [[nodiscard]] bool is_read_by_many(std::size_t source) const {
    constexpr std::size_t many = 4;
    const auto found = readers_.find(source);
    return found != readers_.end() && found->second.size() >= many;
  }

  const LayerGraph& graph_;
  std::vector<std::size_t> last_reader_;
  std::vector<bool> needs_gradient_;
  std::map<std::size_t, std::set<std::string>> readers_;  // blocks other than its own that read an output
  std::set<std::string> recurrent_;  // blocks with an LSTM or a GRU: one after the other, each on a device of its own,
                                     // whatever goes along (GNMT: Wu et al. 2016, figure 1)
};

/// About sqrt(n) runs that begin with a layer with weights and hold about equally many outputs.
std::vector<std::size_t> cut_evenly(const LayerGraph& graph, const std::vector<std::size_t>& cuts) {
  const auto numbers = [](std::int64_t sum, const Layer& layer) { return sum + layer.out.count(); };
  const auto sum_of = [&](std::size_t first, std::size_t end) {
    const auto begin = graph.layers.begin();
    return static_cast<double>(std::accumulate(begin + static_cast<std::ptrdiff_t>(first),
                                               begin + static_cast<std::ptrdiff_t>(end), std::int64_t{0}, numbers));
  };
  const auto weighty =
      std::count_if(graph.layers.begin(), graph.layers.end(), [](const Layer& layer) { return weights(layer) > 0; });
  const double each = sum_of(0, graph.layers.size()) / std::max(1.0, std::sqrt(static_cast<double>(weighty)));
  std::vector<std::size_t> starts = {0};
  for (const std::size_t cut : cuts) {
    if (weights(graph.layers[cut]) > 0 && sum_of(starts.back(), cut) >= each) starts.push_back(cut);
  }
  return starts;
}

}  // namespace

std::string_view name_of(Recompute recompute) {
  switch (recompute) {
    case Recompute::none:
      return "none";
    case Recompute::selective:
      return "selective";
    case Recompute::alternate:
      return "alternate";
    case Recompute::operators:
      return "operators";
    case Recompute::full:
      return "full";
  }
  return "";
}

double share_of_blocks(Recompute recompute) {
  if (recompute == Recompute::alternate) return 0.5;
  return recompute == Recompute::full ? 1.0 : 0.0;
}

std::vector<std::size_t> recompute_segments(const LayerGraph& graph) {
  const std::vector<std::size_t> cuts = narrow_cuts(graph);
  std::vector<std::size_t> starts = {0};
  for (const std::size_t cut : cuts) {
    if (block_of(graph.layers[cut]) != block_of(graph.layers[cut - 1])) starts.push_back(cut);
  }
  return starts.size() > 1 ? starts : cut_evenly(graph, cuts);
}

std::vector<bool> in_segments_with_backward(const LayerGraph& graph) {
  std::vector<std::size_t> starts = recompute_segments(graph);
  const std::vector<bool> has_backward = needs_gradient(graph);
  starts.push_back(graph.layers.size());
  std::vector<bool> all(graph.layers.size());
  for (std::size_t i = 1; i < starts.size(); ++i) {
    bool any = false;
    for (std::size_t layer = starts[i - 1]; layer < starts[i]; ++layer) any = any || has_backward[layer];
    for (std::size_t layer = starts[i - 1]; layer < starts[i]; ++layer) all[layer] = any;
  }
  return all;
}

std::vector<NetworkCut> device_cuts(const LayerGraph& graph) {
  const std::vector<std::size_t> segments = recompute_segments(graph);
  const CarriedOutputs carried(graph);
  std::vector<NetworkCut> cuts;
  for (std::size_t layer = 0; layer < graph.layers.size(); ++layer) {
    if (std::binary_search(segments.begin(), segments.end(), layer)) {
      cuts.push_back({layer});
    } else if (const auto cut = carried.before(layer)) {
      cuts.push_back(*cut);
    }
  }
  return cuts;
}

}  // namespace orrery
