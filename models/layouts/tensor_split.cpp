#include "models/layouts/tensor_split.hpp"

#include <fmt/format.h>

namespace orrery {
namespace {

class TensorSplitter {
 public:
  TensorSplitter(const LayerGraph& graph, int devices)
      : graph_(graph), devices_(devices), needs_gradient_(needs_gradient(graph)) {
    split_.layers.resize(graph.layers.size());
    outputs_.resize(graph.layers.size());
    for (const Layer& layer : graph.layers) {
      if (layer.kind == LayerKind::embedding) vocabulary_ = layer.vocabulary;
    }
    find_operands_of_attention();
  }

  TensorSplit split() {
    for (const Layer& layer : graph_.layers) {
      const SplitMode mode = choose(layer);
      apply(layer, mode);
    }
    exchange_gradients();
    return std::move(split_);
  }

 private:
  /// Queries, keys and values that come from layers of their own are put side by side before attention.
  void find_operands_of_attention() {
    attention_after_.resize(graph_.layers.size());
    for (std::size_t i = graph_.layers.size(); i-- > 0;) {
      const Layer& layer = graph_.layers[i];
      const bool joins = layer.kind == LayerKind::concatenate && attention_after_[i] != nullptr;
      if (layer.kind != LayerKind::attention && !joins) continue;
      const Layer* attention = joins ? attention_after_[i] : &layer;
      if (layer.input.valid()) attention_after_[layer.input.index()] = attention;
      if (layer.skip.valid()) attention_after_[layer.skip.index()] = attention;
    }
  }

  /// How the output of a layer lies on the devices, and what its readers made of it.
  struct Output {
    bool is_split = false;
    bool is_gathered = false;
    LayerId partial_reader;  // first column layer that reads all of it: its gradient comes as partial sums
  };

  [[nodiscard]] bool divides(std::int64_t units) const { return units % devices_ == 0; }
  [[nodiscard]] bool is_split(LayerId layer) const { return layer.valid() && outputs_[layer.index()].is_split; }
  /// Whose rows are padded as those of the embedding.
  [[nodiscard]] bool is_padded_head(const Layer& layer) const {
    return is_head(graph_, layer) && layer.out.channels == vocabulary_;
  }

  /// Fewer heads of keys and values than devices, each on as many of them.
  [[nodiscard]] bool repeats_keys(const Layer& attention) const {
    return attention.kv_heads > 0 && devices_ % attention.kv_heads == 0 && divides(attention.heads);
  }

  /// Whether a layer's outputs are queries, keys or values, whole heads of which every device has.
  [[nodiscard]] bool repeats_outputs(const Layer& layer) const {
    const Layer* attention = attention_after_[layer.id.index()];
    return attention != nullptr && !divides(attention->kv_heads) && repeats_keys(*attention);
  }

  /// Whether it norms the heads of such keys, of which every device has a whole one.
  [[nodiscard]] bool norms_repeated_keys(const Layer& norm) const {
    const Layer* attention = attention_after_[norm.id.index()];
    return norm.kind == LayerKind::rms_norm && attention != nullptr && norm.heads == attention->kv_heads &&
           !divides(norm.heads) && repeats_keys(*attention);
  }

  /// Of the outputs of a layer on one device: before attention whose keys and values are repeated, those of its
  /// queries, and of one head of keys and values.
  [[nodiscard]] double column_part(const Layer& layer) const {
    const double part = 1.0 / devices_;
    if (!repeats_outputs(layer)) return part;
    const Layer* attention = attention_after_[layer.id.index()];
    const auto all = static_cast<double>(layer.out.channels);
    const auto queries = static_cast<double>(attention->heads * head_size(*attention));
    if (all < queries) return 1.0 / static_cast<double>(attention->kv_heads);
    return (queries * part + (all - queries) / static_cast<double>(attention->kv_heads)) / all;
  }

  SplitMode choose(const Layer& layer) {
    switch (layer.kind) {
      case LayerKind::dense:
        if (is_split(layer.input)) return SplitMode::row;
        return divides(layer.out.channels) || is_padded_head(layer) || repeats_outputs(layer)
                   ? SplitMode::column
                   : whole(layer, layer.out.channels);
      case LayerKind::convolution:
      case LayerKind::transposed_convolution:
        return choose_convolution(layer);
      case LayerKind::embedding:
        return SplitMode::vocabulary;
      case LayerKind::attention:
        if (!is_split(layer.input)) return SplitMode::replicated;
        return divides(layer.kv_heads) || repeats_keys(layer) ? SplitMode::channelwise : whole(layer, layer.kv_heads);
      case LayerKind::embedding_tables:
        return divides(layer.out.channels) ? SplitMode::column : whole(layer, layer.out.channels);
      case LayerKind::residual_add:
      case LayerKind::add_vector:
      case LayerKind::multiply:
        return is_split(layer.input) && is_split(layer.skip) ? SplitMode::channelwise : SplitMode::replicated;
      case LayerKind::concatenate: {
        const bool own_heads =
            attention_after_[layer.id.index()] != nullptr && is_split(layer.input) && is_split(layer.skip);
        return own_heads ? SplitMode::channelwise : SplitMode::replicated;
      }
      case LayerKind::rms_norm: {
        // Of all heads together, queries or keys: ranks exchange one sum per token, which is left out.
        const bool stays = layer.heads > 1 ? divides(layer.heads) || norms_repeated_keys(layer)
                                           : attention_after_[layer.id.index()] != nullptr;
        return stays && is_split(layer.input) ? SplitMode::channelwise : SplitMode::replicated;
      }
      case LayerKind::lstm:
      case LayerKind::gru:
        return whole_recurrence(layer);
      case LayerKind::layer_norm:  // they read all channels, or would mix those of different devices
      case LayerKind::position_embedding:
      case LayerKind::rows_to_tokens:
      case LayerKind::reshape:
      case LayerKind::slice:
      case LayerKind::channel_shuffle:
      case LayerKind::dot_interaction:
        return SplitMode::replicated;
      default:
        return is_split(layer.input) && !is_loss(layer.kind) ? SplitMode::channelwise : SplitMode::replicated;
    }
  }

  SplitMode choose_convolution(const Layer& layer) {
    if (layer.groups == 1) return divides(layer.out.channels) ? SplitMode::column : whole(layer, layer.out.channels);
    if (!divides(layer.groups)) return whole(layer, layer.groups);
    return is_split(layer.input) ? SplitMode::channelwise : SplitMode::replicated;
  }

  SplitMode whole(const Layer& layer, std::int64_t units) {
    split_.notes.push_back(
        fmt::format("{} stays whole on every device: {} is not a multiple of {}", layer.name, units, devices_));
    return SplitMode::replicated;
  }

  SplitMode whole_recurrence(const Layer& layer) {
    split_.notes.push_back(
        fmt::format("{} stays whole on every device: split, it would exchange its state after each of its {} tokens",
                    layer.name, layer.in.height));
    return SplitMode::replicated;
  }

  void apply(const Layer& layer, SplitMode mode) {
    LayerSplit& split = split_.layers[layer.id.index()];
    Output& output = outputs_[layer.id.index()];
    const double part = 1.0 / devices_;
    split.mode = mode;
    switch (mode) {
      case SplitMode::replicated:
        if (is_loss(layer.kind)) note_gathered_predictions(layer);
        gather(layer, layer.input);
        gather(layer, layer.skip);
        break;
      case SplitMode::column:
        gather(layer, layer.input);
        expect_partial_gradient(layer);
        split.share = {is_padded_head(layer) ? padded_part() : column_part(layer), 1.0};
        output.is_split = true;
        break;
      case SplitMode::row:
        split.share = {part, part, 1.0};
        add_up_output(layer);
        break;
      case SplitMode::channelwise:
        split.share = {column_part(layer), column_part(layer)};
        output.is_split = true;
        break;
      case SplitMode::vocabulary:
        split.share = {padded_part(), 1.0, 1.0};
        add_up_output(layer);
        break;
    }
  }

  /// Share of the vocabulary on one device when it is padded to a multiple of the group, as Megatron-LM does.
  [[nodiscard]] double padded_part() const {
    const std::int64_t rows = (vocabulary_ + devices_ - 1) / devices_;
    return static_cast<double>(rows) / static_cast<double>(vocabulary_);
  }

  void gather(const Layer& reader, LayerId producer) {
    if (!is_split(producer) || outputs_[producer.index()].is_gathered) return;
    outputs_[producer.index()].is_gathered = true;
    split_.layers[reader.id.index()].before_forward.push_back(
        {CollectiveKind::all_gather, numbers_out(producer), reader.id});
  }

  void note_gathered_predictions(const Layer& loss) {
    if (!is_split(loss.input)) return;
    if (loss.kind != LayerKind::softmax_cross_entropy) {
      split_.notes.push_back(
          fmt::format("{} reads all {} predictions: they are gathered before it", loss.name, loss.in.count()));
      return;
    }
    split_.notes.push_back(
        fmt::format("{} reads all {} logits: they are gathered before it (Megatron-LM's loss works on the split ones "
                    "and exchanges sums only)",
                    loss.name, loss.in.channels));
  }

  void expect_partial_gradient(const Layer& reader) {
    if (!reader.input.valid()) return;
    if (!reader.frozen) split_.layers[reader.input.index()].gathered_again = numbers_out(reader.input);
    Output& output = outputs_[reader.input.index()];
    const bool is_first = !output.partial_reader.valid();
    if (is_first && needs_gradient_[reader.input.index()]) output.partial_reader = reader.id;
  }

  void add_up_output(const Layer& layer) {
    split_.layers[layer.id.index()].after_forward.push_back(
        {CollectiveKind::all_reduce, numbers_out(layer.id), layer.id});
  }

  void exchange_gradients() {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const Output& output = outputs_[i];
      if (!output.partial_reader.valid()) continue;
      const CollectiveKind kind = output.is_split ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce;
      split_.layers[i].before_backward.push_back({kind, numbers_out(LayerId(i)), output.partial_reader});
    }
  }

  [[nodiscard]] double numbers_out(LayerId layer) const {
    return static_cast<double>(graph_.layers[layer.index()].out.count());
  }

  const LayerGraph& graph_;
  int devices_;
  std::vector<bool> needs_gradient_;
  std::int64_t vocabulary_ = 0;
  TensorSplit split_;
  std::vector<Output> outputs_;
  std::vector<const Layer*> attention_after_;  // that reads a layer, directly or put side by side with others
};

}  // namespace

TensorSplit split_tensor(const LayerGraph& graph, int devices) {
  return TensorSplitter(graph, devices).split();
}

}  // namespace orrery
