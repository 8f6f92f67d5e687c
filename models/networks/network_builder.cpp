#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/networks/layer_shapes.hpp"
#include "models/networks/network_file.hpp"
#include "models/networks/size_limits.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

namespace {

/// Where a layer of a block stands: the name and the factors of its block, and what the block reads.
struct Placement {
  std::string prefix;  // "stage1.2."; empty outside blocks
  std::int64_t width = 1, stride = 1;
  bool frozen = false;
  LayerId block_input;  // invalid: the network's input
};

/// Appends layers until one does not fit; then `broken()` and nothing more is appended.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(LayerGraph& graph) : graph_(graph) {}
  [[nodiscard]] bool broken() const { return broken_; }

  void add(LayerSpec& spec, const Placement& place) {
    if (broken_) return;
    Layer layer = spec.layer;
    layer.name = place.prefix + layer.name;
    layer.id = LayerId(graph_.layers.size());
    if (spec.stride == LayerSpec::Stride::of_block) layer.stride = place.stride;
    layer.input = spec.input.empty() ? next_input() : find(spec.table, "input", spec.input, place);
    if (broken_) return;
    layer.in = layer.input.valid() ? graph_.layers[layer.input.index()].out : graph_.input;
    layer.frozen = layer.frozen || (place.frozen && has_weights(layer.kind));
    if (const auto misfit = set_shape(spec, layer, place)) {
      refuse(spec, misfit->key, layer, misfit->what, misfit->suggestion);
      return;
    }
    check_name(spec, layer);
    if (has_second_operand(layer.kind)) connect_skip(spec, layer, place);
    if (layer.tied) tie(spec, layer);
    if (const auto misfit = check_size(layer, parameters_)) {
      refuse(spec, misfit->key, layer, misfit->what, misfit->suggestion);
      return;
    }
    if (const auto misfit = check_classes(layer, graph_.classes)) {
      refuse(spec, misfit->key, layer, misfit->what, misfit->suggestion);
    }
    if (broken_) return;
    parameters_ += parameters(layer);
    graph_.layers.push_back(std::move(layer));
  }

  /// The next layer reads a layer by its name, unless it names another itself.
  void read_from(EntrySpec& entry) {
    if (!broken_) begin_ = find(entry.table, "input", entry.input, Placement{});
  }
  /// What the next layer reads: the last one, or where it was told to begin.
  [[nodiscard]] LayerId next() const {
    if (begin_.valid()) return begin_;
    return graph_.layers.empty() ? LayerId() : LayerId(graph_.layers.size() - 1);
  }

 private:
  static std::optional<Misfit> set_shape(const LayerSpec& spec, Layer& layer, const Placement& place) {
    layer.first_channel *= place.width;
    if (spec.groups == LayerSpec::Groups::own) return set_output_shape(layer, spec.units * place.width);
    layer.groups = layer.in.channels;
    return set_output_shape(layer, layer.in.channels);
  }

  LayerId next_input() {
    const LayerId input = next();
    begin_ = LayerId();
    return input;
  }

  void refuse(LayerSpec& spec, const std::string& key, const Layer& layer, const std::string& what,
              const std::string& suggestion = {}) {
    broken_ = true;
    spec.table.problem(key, fmt::format("layer \"{}\" ({}) does not fit: {}", layer.name, name_of(layer.kind), what),
                       giver(layer), suggestion);
  }

  [[nodiscard]] std::string giver(const Layer& layer) const {
    const std::string from = layer.input.valid() ? fmt::format("layer \"{}\"", graph_.layers[layer.input.index()].name)
                                                 : "the network's input";
    return fmt::format("{} gives {}", from, to_text(layer.in));
  }

  [[nodiscard]] const Layer* layer_named(const std::string& name) const {
    const auto found = std::find_if(graph_.layers.begin(), graph_.layers.end(),
                                    [&](const Layer& layer) { return layer.name == name; });
    return found == graph_.layers.end() ? nullptr : &*found;
  }

  /// A layer by the name written: "block" (what the block reads), a layer of the same block, or of the network.
  LayerId find(TomlTable& table, const std::string& key, const std::string& name, const Placement& place) {
    if (name == "block" && !place.prefix.empty()) return place.block_input;
    if (const Layer* layer = layer_named(place.prefix + name)) return layer->id;
    if (const Layer* layer = layer_named(name)) return layer->id;
    std::vector<std::string> known;
    for (const Layer& layer : graph_.layers) known.push_back(layer.name);
    broken_ = true;
    table.problem(key, fmt::format("no layer \"{}\" comes before this one", name), "",
                  did_you_mean(place.prefix + name, known));
    return {};
  }

  void check_name(LayerSpec& spec, const Layer& layer) {
    if (layer_named(layer.name) == nullptr) return;
    broken_ = true;
    spec.table.problem("name", fmt::format("two layers are named \"{}\"", layer.name),
                       "profiles and tables tell layers apart by their names");
  }

  void connect_skip(LayerSpec& spec, Layer& layer, const Placement& place) {
    layer.skip = find(spec.table, "skip", spec.skip, place);
    if (broken_) return;
    if (!layer.skip.valid()) {
      refuse(spec, "skip", layer,
             fmt::format("a block whose input is {} must not come first in the network", done_with_skip(layer.kind)));
      return;
    }
    if (const auto misfit = join_second_operand(layer, graph_.layers[layer.skip.index()])) {
      refuse(spec, misfit->key, layer, misfit->what, misfit->suggestion);
    }
  }

  static std::string_view done_with_skip(LayerKind kind) {
    if (kind == LayerKind::concatenate) return "appended";
    if (kind == LayerKind::residual_add || kind == LayerKind::add_vector) return "added";
    if (kind == LayerKind::dot_interaction) return "a list of vectors";
    return kind == LayerKind::multiply ? "multiplied" : "attended to";
  }

  /// A tied layer uses the weights of the nearest embedding before it, or the first rows of them, and is frozen with
  /// it.
  void tie(LayerSpec& spec, Layer& layer) {
    const auto embedding = std::find_if(graph_.layers.rbegin(), graph_.layers.rend(),
                                        [](const Layer& other) { return other.kind == LayerKind::embedding; });
    if (embedding == graph_.layers.rend() || embedding->vocabulary < layer.out.channels ||
        embedding->out.channels != layer.in.channels) {
      refuse(spec, "tied", layer,
             fmt::format("no embedding of vocabulary {} or more and width {} comes before it to share weights with",
                         layer.out.channels, layer.in.channels));
    } else if (layer.frozen && !embedding->frozen) {
      refuse(spec, "frozen", layer, fmt::format("its weights are those of \"{}\", which is trained", embedding->name),
             fmt::format("freeze \"{}\" too, or neither", embedding->name));
    } else {
      layer.frozen = embedding->frozen;
    }
  }

  LayerGraph& graph_;
  LayerId begin_;                // valid: what the next layer reads
  std::int64_t parameters_ = 0;  // of the layers so far
  bool broken_ = false;
};

void place_block(NetworkBuilder& builder, EntrySpec& entry, std::vector<LayerSpec>& layers) {
  const auto can_freeze = [](const LayerSpec& spec) { return has_weights(spec.layer.kind); };
  if (entry.frozen && std::none_of(layers.begin(), layers.end(), can_freeze)) {
    entry.table.problem("frozen", fmt::format("no layer of block \"{}\" has weights to freeze", entry.block));
  }
  if (!entry.input.empty()) builder.read_from(entry);
  const std::int64_t times = std::max<std::int64_t>(entry.repeat, 1);
  for (std::int64_t index = entry.first; index < entry.first + times; ++index) {
    const std::string name = entry.repeat == 0 ? entry.name : fmt::format("{}.{}", entry.name, index);
    const Placement place{name + ".", entry.width, entry.stride, entry.frozen, builder.next()};
    for (LayerSpec& spec : layers) builder.add(spec, place);
  }
}

void check_loss(const LayerGraph& graph, TomlTable& table) {
  const auto first =
      std::find_if(graph.layers.begin(), graph.layers.end(), [](const Layer& layer) { return is_loss(layer.kind); });
  if (first != graph.layers.end() && first + 1 == graph.layers.end()) return;
  table.problem("layers", "the last layer, and no other, is the loss",
                first == graph.layers.end() ? "there is none"
                                            : fmt::format("layer \"{}\" is a loss with layers after it", first->name),
                "end the list with kind = \"softmax_cross_entropy\"");
}

}  // namespace

LayerGraph build_network(NetworkFile& file) {
  LayerGraph graph = file.head;
  NetworkBuilder builder(graph);
  for (EntrySpec& entry : file.entries) {
    if (entry.block.empty()) {
      builder.add(entry.layer.front(), Placement{});
    } else {
      place_block(builder, entry, file.blocks.at(entry.block));
    }
  }
  if (!builder.broken()) check_loss(graph, file.table);
  return graph;
}

}  // namespace orrery
