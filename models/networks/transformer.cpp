#include "models/networks/transformer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/networks/transformer_blocks.hpp"
#include "sim/base/text.hpp"

namespace orrery {

namespace {

constexpr std::int64_t t5_buckets = 32;  // Raffel et al. 2020, section 2.1

/// Collects what of a shape cannot be, and throws it at once.
class ShapeCheck {
 public:
  explicit ShapeCheck(const TransformerShape& shape) : shape_(shape) {}

  ShapeCheck& whole() {
    at_least_one("layers", shape_.layers);
    at_least_one("hidden", shape_.hidden);
    at_least_one("heads", shape_.heads);
    if (shape_.head_size == 0 && shape_.kv_rank == 0) divides("heads", shape_.heads, "hidden", shape_.hidden);
    if (shape_.kv_heads > 0) divides("heads of keys and values", shape_.kv_heads, "heads", shape_.heads);
    within("dense layers", shape_.dense_layers, "layers", shape_.layers);
    within("experts per token", shape_.experts_per_token, "experts", shape_.experts);
    if (shape_.experts > 0) needs_experts();
    if (shape_.kv_rank == 0) return *this;
    at_least_one("nope_size", shape_.nope_size);
    at_least_one("value_size", shape_.value_size);
    return *this;
  }

  ShapeCheck& needs_tokens() {
    at_least_one("vocabulary", shape_.vocabulary);
    at_least_one("tokens", shape_.tokens);
    if (shape_.position == Positions::learned && shape_.positions > 0) {
      within("tokens", shape_.tokens, "learned positions", shape_.positions);
    }
    return *this;
  }

  ShapeCheck& needs_patches(const PatchShape& patches) {
    at_least_one("channels", patches.channels);
    at_least_one("classes", patches.classes);
    at_least_one("patch", patches.patch);
    within("pixels of a patch's side", patches.patch, "of the image's", patches.image);
    return *this;
  }

  void done() const {
    if (faults_.empty()) return;
    throw Infeasible(fmt::format("transformer \"{}\": {}", shape_.name, join(faults_, "; ")));
  }

 private:
  void needs_experts() {
    at_least_one("experts_per_token", shape_.experts_per_token);
    divides("groups of experts", shape_.expert_groups, "experts", shape_.experts);
    within("groups per token", shape_.groups_per_token, "groups of experts",
           std::max<std::int64_t>(1, shape_.expert_groups));
    if (shape_.expert_groups == 0 || shape_.groups_per_token == 0) return;
    within("experts per token", shape_.experts_per_token, "experts in the groups of a token",
           shape_.groups_per_token * (shape_.experts / shape_.expert_groups));
  }
  void at_least_one(const std::string& key, std::int64_t value) {
    if (value < 1) faults_.push_back(fmt::format("{} is {}, but must be at least 1", key, value));
  }
  void divides(const std::string& part, std::int64_t divisor, const std::string& whole, std::int64_t number) {
    if (divisor > 0 && number % divisor != 0) {
      faults_.push_back(fmt::format("{} {} do not divide {} {}", divisor, part, whole, number));
    }
  }
  void within(const std::string& part, std::int64_t number, const std::string& whole, std::int64_t limit) {
    if (number > limit) faults_.push_back(fmt::format("{} {} are more than {} {}", number, part, limit, whole));
  }

  const TransformerShape& shape_;
  std::vector<std::string> faults_;
};

TransformerShape with_defaults(TransformerShape shape) {
  if (shape.kv_heads == 0) shape.kv_heads = shape.heads;
  if (shape.head_size == 0) shape.head_size = shape.hidden / shape.heads;
  if (shape.ffn == 0) shape.ffn = 4 * shape.hidden;
  if (shape.expert_ffn == 0) shape.expert_ffn = shape.ffn;
  if (shape.expert_groups == 0) shape.expert_groups = 1;
  if (shape.groups_per_token == 0) shape.groups_per_token = shape.expert_groups;
  if (shape.decoder_layers == 0) shape.decoder_layers = shape.layers;
  if (shape.window >= shape.tokens) shape.window = 0;  // as wide as the sample: none
  if (shape.positions == 0) shape.positions = shape.position == Positions::relative ? t5_buckets : shape.tokens;
  return shape;
}

Layer dropout(const std::string& name, double rate) {
  Layer layer;
  layer.name = name;
  layer.kind = LayerKind::dropout;
  layer.rate = rate;
  return layer;
}

void add_embedding(GraphWriter& writer, const TransformerShape& shape) {
  Layer layer;
  layer.name = "embedding";
  layer.kind = LayerKind::embedding;
  layer.vocabulary = shape.vocabulary;
  layer.positions = shape.position == Positions::learned ? shape.positions : 0;
  layer.segments = shape.segments;
  writer.add(std::move(layer), shape.hidden);
  if (shape.embedding_norm) writer.add("embedding_norm", kind_of(shape.normalisation));
  if (shape.dropout > 0) writer.add(dropout("embedding_drop", shape.dropout));
}

bool is_listed(const std::vector<std::int64_t>& blocks, std::int64_t block) {
  return std::binary_search(blocks.begin(), blocks.end(), block);
}

bool sees_all(const TransformerShape& shape, std::int64_t block) {
  return (shape.full_every > 0 && block % shape.full_every == 0) || is_listed(shape.full_blocks, block);
}

bool has_experts(const TransformerShape& shape, std::int64_t block) {
  return shape.experts > 0 && block > shape.dense_layers && !is_listed(shape.dense_blocks, block);
}

/// A run of blocks, the first of which reads `place.input`.
void add_stack(GraphWriter& writer, const TransformerShape& shape, std::int64_t layers, const std::string& name,
               BlockPlace place) {
  for (std::int64_t index = 1; index <= layers; ++index) {
    place.prefix = fmt::format("{}.{}.", name, index);
    place.is_first = index == 1;
    place.window = sees_all(shape, index) ? 0 : shape.window;
    place.has_experts = has_experts(shape, index);
    add_block(writer, shape, place);
    place.input = writer.last();
  }
}

void add_stacks(GraphWriter& writer, const TransformerShape& shape) {
  BlockPlace place;
  place.input = writer.last();
  if (shape.family != TransformerFamily::encoder_decoder) {
    place.causal = shape.family == TransformerFamily::decoder;
    add_stack(writer, shape, shape.layers, "block", place);
  } else {
    add_stack(writer, shape, shape.layers, "encoder", place);
    place.memory = writer.add("encoder_norm", kind_of(shape.normalisation));
    place.causal = true;
    add_stack(writer, shape, shape.decoder_layers, "decoder", place);
  }
  if (shape.norms != NormPlaces::after) writer.add("norm", kind_of(shape.normalisation));
}

void add_head(GraphWriter& writer, const TransformerShape& shape) {
  if (shape.family == TransformerFamily::encoder) {  // BERT's, Devlin et al. 2019: transform, then the decoder
    writer.add("head", LayerKind::dense, shape.hidden);
    writer.add("head_gelu", LayerKind::gelu);
    writer.add("head_norm", kind_of(shape.normalisation));
  }
  Layer head;
  head.name = shape.family == TransformerFamily::encoder ? "decoder" : "head";
  head.bias = shape.head_bias || shape.family == TransformerFamily::encoder;
  head.tied = shape.tied;
  writer.add(std::move(head), shape.vocabulary);
  writer.add("loss", LayerKind::softmax_cross_entropy);
}

LayerGraph head_of(const TransformerShape& shape, const std::string& sample, Shape input, std::int64_t classes) {
  LayerGraph graph;
  graph.name = shape.name;
  graph.title = shape.title.empty() ? shape.name : shape.title;
  graph.source = shape.source;
  graph.sample = sample;
  graph.input = input;
  graph.classes = classes;
  return graph;
}

}  // namespace

LayerGraph transformer_graph(const TransformerShape& given) {
  ShapeCheck(given).whole().needs_tokens().done();
  const TransformerShape shape = with_defaults(given);
  LayerGraph graph = head_of(shape, "sequence", {shape.tokens, 1, 1}, shape.vocabulary);
  GraphWriter writer(graph);
  add_embedding(writer, shape);
  add_stacks(writer, shape);
  add_head(writer, shape);
  return graph;
}

LayerGraph vision_transformer_graph(const TransformerShape& given, const PatchShape& patches) {
  ShapeCheck(given).whole().needs_patches(patches).done();
  const TransformerShape shape = with_defaults(given);
  LayerGraph graph = head_of(shape, "image", {patches.image, patches.image, patches.channels}, patches.classes);
  GraphWriter writer(graph);
  Layer cut;
  cut.name = "patches";
  cut.kind = LayerKind::convolution;
  cut.kernel = cut.stride = patches.patch;
  writer.add(std::move(cut), shape.hidden);
  writer.add("tokens", LayerKind::pixels_to_tokens);
  writer.add("class_token", LayerKind::class_token);
  writer.add("positions", LayerKind::position_embedding);
  if (shape.dropout > 0) writer.add(dropout("embedding_drop", shape.dropout));
  add_stacks(writer, shape);
  writer.add("class", LayerKind::last_token);
  writer.add("head", LayerKind::dense, patches.classes);
  writer.add("loss", LayerKind::softmax_cross_entropy);
  return graph;
}

}  // namespace orrery
