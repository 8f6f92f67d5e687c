// The layer graph: one description drives execution, FLOP counts, memory and simulation, so that they cannot disagree.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/ids.hpp"

namespace orrery {

enum class LayerKind : std::uint8_t {
  dense,
  convolution,
  transposed_convolution,
  upsample,  // nearest neighbour, by `stride`
  max_pool,
  average_pool,
  global_average_pool,
  batch_norm,
  group_norm,
  layer_norm,
  rms_norm,
  relu,
  tanh,
  sigmoid,
  gelu,
  silu,
  swiglu,  // gated: a, b side by side, silu(a) x b
  geglu,   // the same with gelu(a)
  multiply,
  dropout,
  embedding,
  embedding_tables,  // one row of each of several tables: categorical inputs
  position_embedding,
  class_token,  // a trained token after the others
  memory,       // what the layer before it gave for the sample before, then what it gives: no gradient goes there
  attention,
  cross_attention,     // queries from the input, keys and values from `skip`
  mixture_of_experts,  // router and gated perceptrons of which each token visits some
  lstm,
  gru,
  last_token,
  flatten,
  rows_to_tokens,    // an image's rows become tokens: HxWxC to Hx1x(WC)
  pixels_to_tokens,  // an image's pixels become tokens: HxWxC to (HW)x1xC
  tokens_to_pixels,  // tokens become a square image: Tx1xC to HxHxC, T = H^2
  reshape,
  slice,            // a run of the channels
  channel_shuffle,  // channels of `groups` runs in turn: the first of each, the second of each, ...
  residual_add,
  add_vector,       // a vector 1x1xC (`skip`) added at every position
  dot_interaction,  // a vector, and N more (`skip`): the vector, then the products of every two of the N + 1
  concatenate,
  softmax_cross_entropy,
  mean_squared_error,
  binary_cross_entropy,
  detection_loss
};
std::string_view name_of(LayerKind kind);
/// What a network is trained to make small; the last layer, and no other, is one.
bool is_loss(LayerKind kind);
/// Attention over its own tokens or another layer's.
bool attends(LayerKind kind);
/// Hands its state from token to token.
bool is_recurrent(LayerKind kind);
/// The input's numbers under another shape: no work, no memory, no kernel.
bool is_view(LayerKind kind);
/// Reads a second operand (`skip`).
bool has_second_operand(LayerKind kind);

/// Every kind by its name in network files, in the order of the enumeration.
const std::vector<std::string>& layer_kind_names();

/// Shape of one sample. Images: height x width x channels (channels last). Vectors: 1 x 1 x features. Sequences: tokens
/// x 1 x hidden; token numbers: tokens x 1 x 1.
struct Shape {
  std::int64_t height = 1, width = 1, channels = 1;
  [[nodiscard]] std::int64_t count() const { return height * width * channels; }
  bool operator==(const Shape&) const = default;
};
std::string to_text(const Shape& shape);  // "28x28x1"

struct Layer {
  LayerId id;
  std::string name;
  LayerKind kind = LayerKind::dense;
  Shape in, out;
  std::int64_t kernel = 1, stride = 1, padding = 0, groups = 1;  // convolutions, pooling
  /// convolution: columns of a window that is not square, the padding left and right of it and its stride to the right
  /// (0: stride); 0 columns: square
  std::int64_t kernel_width = 0, padding_width = 0, stride_width = 0;
  std::int64_t heads = 1, kv_heads = 1;  // attention; kv_heads < heads: groups of query heads share keys and values.
                                         // rms_norm: heads that are normalised apart, with one scale for all
  bool causal = false;                   // attention: a token sees itself and what came before
  bool sinks = false;       // attention: a trained number per head stands beside the scores in their softmax (GPT-OSS)
  std::int64_t window = 0;  // causal attention: tokens that one sees at most, itself among them; 0: all
  /// attention: numbers per head of queries and keys, and of values; 0: what the input gives. shared_size of a key's
  /// numbers are the same for every head and come once (the rotary part of latent attention).
  std::int64_t head_size = 0, value_size = 0, shared_size = 0;
  std::int64_t key_tokens = 0;     // cross_attention: tokens of the second operand, set with it; 0: those of the input
  std::int64_t memory_tokens = 0;  // memory: of the sample before
  /// attention: tokens that ask, the last of the input (those before them are memory); 0: all
  std::int64_t queries = 0;
  /// attention: numbers of the fixed vector that stands for a distance, of which a trained product makes a key of its
  /// own for every head (Dai et al. 2019, arXiv 1901.02860, section 3.3); 0: none
  std::int64_t distance_size = 0;
  /// mixture_of_experts: routed experts, of which a token visits experts_per_token; shared ones, which all visit; the
  /// inner width of each, three products with `gated`, else two
  std::int64_t experts = 0, experts_per_token = 0, shared_experts = 0, expert_units = 0;
  /// routed experts stand in this many groups, of which those that a token visits are in so many at most (node-limited
  /// routing: DeepSeek-AI 2024, arXiv 2412.19437, section 2.1.2)
  std::int64_t expert_groups = 1, groups_per_token = 1;
  bool gated = false;
  bool shared_gate = false;  // mixture_of_experts: a product to one number per token scales what the shared ones give
  double rate = 0;           // dropout, attention (of its scores): share of the numbers dropped
  /// embedding: rows of the tables added up per token. attention: positions is the rows of a table of relative
  /// positions, one number per head each
  std::int64_t vocabulary = 0, positions = 0, segments = 0;
  std::vector<std::int64_t> tables{};  // embedding_tables: rows of each table
  std::int64_t first_channel = 0;      // slice: where it begins
  bool bias = true;                    // dense, convolutions; a mixture of experts: of the router and every product
  /// dense: the weights belong to the embedding (all rows of its vocabulary, or the first of them), are counted there
  /// and used here; an own bias is counted here.
  bool tied = false;
  /// Layer whose output is this one's input: the previous layer unless a branch starts (residual networks). Invalid:
  /// the network's input (first layer).
  LayerId input;
  /// Weights stay as they are (transfer learning): no gradient, no update, no gradient exchange. A tied layer is frozen
  /// with its embedding, its own bias with it.
  bool frozen = false;
  /// The second operand of kinds that have one; invalid for every other kind.
  LayerId skip;
};

struct LayerGraph {
  std::string name, title, source;
  std::string sample;  // what one sample is: image, sequence
  Shape input;
  std::int64_t classes = 0;
  std::vector<Layer> layers;         // in execution order; the last is the loss
  std::vector<std::string> notes{};  // what was assumed or left out where the network was made from another format
};

/// The products of the logits: a dense layer just before the loss, with an output for each class.
bool is_head(const LayerGraph& graph, const Layer& layer);
/// The embedding whose weights a tied layer uses (the nearest one before it). Invalid for layers with weights of their
/// own.
LayerId owner_of_tied_weights(const LayerGraph& graph, const Layer& layer);

/// Numbers of a window: kernel^2, or kernel x kernel_width.
std::int64_t kernel_area(const Layer& layer);
/// attention, cross_attention: numbers per head of queries and keys, and of values, given or following from the shapes.
std::int64_t head_size(const Layer& layer);
std::int64_t value_size(const Layer& layer);
std::int64_t key_tokens(const Layer& layer);
/// dot_interaction: M, the vectors whose M (M - 1) / 2 products it appends to its input, that input among them.
std::int64_t interacting_vectors(const Layer& layer);
/// Whether layers of a kind have weights of their own, so that they can be frozen.
bool has_weights(LayerKind kind);
/// Numbers a layer multiplies or looks up, without biases, wherever they live: dense in x out; convolution kernel^2 x
/// in / groups x out; transposed convolution kernel^2 x in x out; embedding rows x hidden; position embedding tokens x
/// channels; embedding tables (sum of their rows) x units; class token channels; lstm 4 h (in + h), gru 3 h (in + h)
/// for h units; batch, group and layer normalisation 2 per channel (scale and shift), rms normalisation 1 (scale) per
/// channel of a head; attention positions x heads, heads for sinks, distance_size x heads x head size; a mixture of
/// experts in x experts (the router)
/// + 2 or 3 (gated) in x expert_units for each expert, shared ones too, + in for their gate.
std::int64_t weights(const Layer& layer);
/// A convolution that has a group, and filters, for each channel.
bool is_depthwise(const Layer& layer);
/// Tensors that hold a layer's weights and biases, as PyTorch keeps them (a recurrent layer's biases are two; a tied
/// dense layer's weights are the embedding's); heads' queries, keys and values as the graph joins them.
std::int64_t weight_tensors(const Layer& layer);
/// Of these, those of experts that a token may visit or not; 0 of other layers.
std::int64_t expert_weight_tensors(const Layer& layer);
/// attention: of the keys those that a query sees at most, all or those in its window.
std::int64_t seen_tokens(const Layer& layer);
/// Numbers that the products of a mixture that choose and weigh experts give a token: one for each expert, one for the
/// gate of shared ones.
std::int64_t router_outputs(const Layer& layer);
/// Numbers of a mixture's router, its bias and the gate of shared experts included.
std::int64_t router_parameters(const Layer& layer);
/// Numbers that a layer, or a graph, holds: weights (0 when tied) and biases: out channels; lstm 4 h, gru 6 h (3 h of
/// either product); experts those of the router and of every product. The running mean and variance of a batch
/// normalisation are not counted.
std::int64_t parameters(const Layer& layer);
std::int64_t parameters(const LayerGraph& graph);
/// Those of them that training changes: none of a frozen layer.
std::int64_t trainable_parameters(const Layer& layer);
std::int64_t trainable_parameters(const LayerGraph& graph);
/// For each layer whether training needs the gradient of its output: it has weights that are not frozen, or a layer it
/// reads needs it. A layer that does not has no backward pass.
std::vector<bool> needs_gradient(const LayerGraph& graph);

/// Reads one network file; the format is in models/networks/README.md. Wrong keys, types and ranges are all recorded at
/// once. Shapes are checked when every key is right, up to the first layer that does not fit (what follows it would be
/// a guess): that problem names the layer and both shapes.
LayerGraph read_network(const std::filesystem::path& file, Problems& problems);
/// Same from a text; `file` stands for it in messages.
LayerGraph parse_network(std::string_view text, const std::string& file, Problems& problems);
/// Names of the networks that ship with Orrery (models/networks/*.toml and transformers.csv), sorted.
std::vector<std::string> network_names();
/// Whether a name is a path: it ends in .toml (a network file), .json (a Hugging Face config.json) or .onnx.
bool is_network_path(std::string_view name);
/// By name, or by path. Throws InvalidInput; an unknown name gets a did-you-mean. `tokens`: of a config.json, the
/// length of a sample (0: as many as the model has positions).
LayerGraph load_network(const std::string& name, std::int64_t tokens = 0);

}  // namespace orrery
