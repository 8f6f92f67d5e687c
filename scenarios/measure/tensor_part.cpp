#include "scenarios/measure/tensor_part.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using Channels = std::vector<std::int64_t>;

Channels run_of(std::int64_t first, std::int64_t count) {
  Channels channels(static_cast<std::size_t>(count));
  std::iota(channels.begin(), channels.end(), first);
  return channels;
}

class Parts {
 public:
  Parts(const ExecutionPlan& plan, const TensorSplit& split, int devices, int device)
      : plan_(plan), graph_(plan.graph()), split_(split), devices_(devices), device_(device) {}

  std::vector<LayerPart> all() {
    for (const Layer& layer : graph_.layers) {
      parts_.push_back(part_of(layer));
      if (layer.id.index() < plan_.kernels()) place_numbers(layer, parts_.back());
    }
    return std::move(parts_);
  }

 private:
  [[noreturn]] static void refuse(const Layer& layer, const std::string& why) {
    throw Infeasible(fmt::format("{} cannot be executed split over devices: {}", layer.name, why));
  }

  [[nodiscard]] bool is_split(LayerId layer) const { return layer.valid() && parts_[layer.index()].split_output; }

  LayerPart part_of(const Layer& layer) const {
    LayerPart part;
    part.layer = layer;
    part.mode = split_.layers[layer.id.index()].mode;
    part.split_input = part.mode == SplitMode::row || part.mode == SplitMode::channelwise;
    part.split_output = part.mode == SplitMode::column || part.mode == SplitMode::channelwise;
    if (part.split_input) part.layer.in.channels = channels_of(layer.input);
    switch (part.mode) {
      case SplitMode::replicated:
        break;
      case SplitMode::column:
        part.channels = column_channels(layer);
        break;
      case SplitMode::row:
        if (layer.kind != LayerKind::dense) refuse(layer, "only dense layers read a split input");
        part.layer.bias = layer.bias && device_ == 0;
        break;
      case SplitMode::channelwise:
        part.channels = channelwise_channels(layer);
        break;
      case SplitMode::vocabulary:
        part.first_token = share(layer, layer.vocabulary) * device_;
        part.layer.vocabulary = share(layer, layer.vocabulary) + 1;
        if (device_ > 0) part.layer.positions = part.layer.segments = 0;
        break;
    }
    if (part.split_output) part.layer.out.channels = static_cast<std::int64_t>(part.channels.size());
    return part;
  }

  [[nodiscard]] std::int64_t channels_of(LayerId layer) const {
    return static_cast<std::int64_t>(parts_[layer.index()].channels.size());
  }

  /// An equal part of `units`.
  [[nodiscard]] std::int64_t share(const Layer& layer, std::int64_t units) const {
    if (units % devices_ != 0) refuse(layer, fmt::format("{} is not a multiple of {}", units, devices_));
    return units / devices_;
  }

  /// A run of channels; before attention the own heads' queries, keys and values, which lie apart.
  [[nodiscard]] Channels column_channels(const Layer& layer) const {
    for (const Layer& reader : graph_.layers) {
      const bool own_heads =
          reader.kind == LayerKind::attention && split_.layers[reader.id.index()].mode == SplitMode::channelwise;
      if (own_heads && reader.input == layer.id) return head_channels(reader);
    }
    const std::int64_t count = share(layer, layer.out.channels);
    return run_of(count * device_, count);
  }

  [[nodiscard]] Channels head_channels(const Layer& attention) const {
    const std::int64_t size = head_size(attention), numbers = value_size(attention);
    const std::int64_t heads = share(attention, attention.heads), kv_heads = share(attention, attention.kv_heads);
    const std::int64_t first_key = attention.heads * size, first_value = first_key + attention.kv_heads * size;
    Channels channels = run_of(heads * device_ * size, heads * size);
    for (const Channels& own : {run_of(first_key + kv_heads * device_ * size, kv_heads * size),
                                run_of(first_value + kv_heads * device_ * numbers, kv_heads * numbers)}) {
      channels.insert(channels.end(), own.begin(), own.end());
    }
    return channels;
  }

  Channels channelwise_channels(const Layer& layer) const {
    const Channels& input = parts_[layer.input.index()].channels;
    switch (layer.kind) {
      case LayerKind::attention: {
        if (input != head_channels(layer)) refuse(layer, "its queries, keys and values must come from one dense layer");
        const std::int64_t own = share(layer, layer.out.channels);
        return run_of(own * device_, own);
      }
      case LayerKind::flatten: {
        Channels flat;
        for (std::int64_t position = 0; position < layer.in.height * layer.in.width; ++position) {
          for (const std::int64_t channel : input) flat.push_back(position * layer.in.channels + channel);
        }
        return flat;
      }
      case LayerKind::rms_norm:
        refuse(layer, "its scale belongs to the heads of all devices - measure another split or kind");
      case LayerKind::concatenate:
        refuse(layer,
               "queries, keys and values from layers of their own are not shared out here - measure another split or "
               "kind");
      case LayerKind::cross_attention:
        refuse(layer, "the heads of cross attention are not shared out here - measure another split or kind");
      case LayerKind::residual_add:
      case LayerKind::add_vector:
      case LayerKind::multiply:
        if (input != parts_[layer.skip.index()].channels) refuse(layer, "its operands are split differently");
        return input;
      case LayerKind::convolution: {
        const std::int64_t own = share(layer, layer.out.channels), own_in = share(layer, layer.in.channels);
        if (input != run_of(own_in * device_, own_in)) refuse(layer, "its input's channels do not lie side by side");
        return run_of(own * device_, own);
      }
      default:
        if (layer.out.channels != layer.in.channels) refuse(layer, "it changes the number of channels");
        return input;
    }
  }

  /// Groups of a grouped convolution are shared out with the channels.
  static void share_attributes(LayerPart& part, int devices) {
    if (part.mode != SplitMode::channelwise) return;
    if (part.layer.kind == LayerKind::attention) {
      part.layer.heads /= devices;
      part.layer.kv_heads /= devices;
    }
    if (part.layer.kind == LayerKind::convolution) part.layer.groups /= devices;
  }

  void place_numbers(const Layer& layer, LayerPart& part) const {
    share_attributes(part, devices_);
    const LayerSteps& steps = plan_.steps(layer.id.index());
    const std::vector<std::size_t> local = places(layer, part, steps.parameters.count);
    for (const std::size_t place : local) {
      part.parameters.push_back(place == nowhere ? nowhere : steps.parameters.first + place);
    }
    // Running means, then variances, per channel.
    for (std::size_t i = 0; i < steps.state.count; ++i) {
      const auto channel = static_cast<std::int64_t>(i) % layer.out.channels;
      const bool own =
          !part.split_output || std::find(part.channels.begin(), part.channels.end(), channel) != part.channels.end();
      if (own) part.state.push_back(steps.state.first + i);
    }
  }

  /// Places of the part's parameters among those of the whole layer, in the part's order.
  [[nodiscard]] std::vector<std::size_t> places(const Layer& layer, const LayerPart& part, std::size_t count) const {
    if (part.mode == SplitMode::vocabulary) return vocabulary_places(layer, part);
    if (part.mode == SplitMode::replicated || count == 0) {
      std::vector<std::size_t> all(count);
      std::iota(all.begin(), all.end(), std::size_t{0});
      return all;
    }
    switch (layer.kind) {
      case LayerKind::dense:
      case LayerKind::convolution:
        return matrix_places(layer, part, count);
      case LayerKind::transposed_convolution:
        return transposed_places(layer, part, count);
      case LayerKind::batch_norm:
        return per_channel_places(layer, part, count);
      default:
        refuse(layer, "its weights are not known to lie by channel");
    }
  }

  /// Matrix of out channels x columns, column-major, then biases. Dense: a column per input number; convolution: the
  /// columns of a kernel, all of them.
  static std::vector<std::size_t> matrix_places(const Layer& layer, const LayerPart& part, std::size_t count,
                                                const Channels& inputs) {
    const auto rows = static_cast<std::size_t>(layer.out.channels);
    const std::size_t weights = count - (layer.bias ? rows : 0);
    const Channels outputs = part.split_output ? part.channels : run_of(0, layer.out.channels);
    std::vector<std::size_t> places;
    if (!layer.tied) {
      const Channels columns = inputs.empty() ? run_of(0, static_cast<std::int64_t>(weights / rows)) : inputs;
      for (const std::int64_t column : columns) {
        for (const std::int64_t row : outputs) {
          places.push_back(static_cast<std::size_t>(column) * rows + static_cast<std::size_t>(row));
        }
      }
    }
    for (std::size_t i = 0; part.layer.bias && i < outputs.size(); ++i) {
      places.push_back(weights + static_cast<std::size_t>(outputs[i]));
    }
    return places;
  }
  [[nodiscard]] std::vector<std::size_t> matrix_places(const Layer& layer, const LayerPart& part,
                                                       std::size_t count) const {
    const bool row = part.mode == SplitMode::row;
    if (row && layer.tied) refuse(layer, "a tied layer reads its whole input");
    return matrix_places(layer, part, count, row ? parts_[layer.input.index()].channels : Channels{});
  }

  /// Matrix of in channels x (kernel place, out channel), column-major, then biases.
  static std::vector<std::size_t> transposed_places(const Layer& layer, const LayerPart& part, std::size_t count) {
    const auto rows = static_cast<std::size_t>(layer.in.channels), out = static_cast<std::size_t>(layer.out.channels);
    const std::size_t weights = count - (layer.bias ? out : 0);
    std::vector<std::size_t> places;
    for (std::size_t kernel_place = 0; kernel_place < weights / rows / out; ++kernel_place) {
      for (const std::int64_t channel : part.channels) {
        const std::size_t column = kernel_place * out + static_cast<std::size_t>(channel);
        for (std::size_t row = 0; row < rows; ++row) places.push_back(column * rows + row);
      }
    }
    for (std::size_t i = 0; layer.bias && i < part.channels.size(); ++i) {
      places.push_back(weights + static_cast<std::size_t>(part.channels[i]));
    }
    return places;
  }

  /// Several numbers per channel: all channels' first, then all channels' second.
  static std::vector<std::size_t> per_channel_places(const Layer& layer, const LayerPart& part, std::size_t count) {
    std::vector<std::size_t> places;
    for (std::size_t first = 0; first < count; first += static_cast<std::size_t>(layer.out.channels)) {
      for (const std::int64_t channel : part.channels) places.push_back(first + static_cast<std::size_t>(channel));
    }
    return places;
  }

  static std::vector<std::size_t> vocabulary_places(const Layer& layer, const LayerPart& part) {
    const auto hidden = static_cast<std::size_t>(layer.out.channels);
    const std::size_t own = static_cast<std::size_t>(part.layer.vocabulary - 1) * hidden;
    std::vector<std::size_t> places(own);
    std::iota(places.begin(), places.end(), static_cast<std::size_t>(part.first_token) * hidden);
    places.insert(places.end(), hidden, nowhere);
    const auto tables = static_cast<std::size_t>(part.layer.positions + part.layer.segments) * hidden;
    for (std::size_t i = 0; i < tables; ++i) places.push_back(static_cast<std::size_t>(layer.vocabulary) * hidden + i);
    return places;
  }

  const ExecutionPlan& plan_;
  const LayerGraph& graph_;
  const TensorSplit& split_;
  int devices_, device_;
  std::vector<LayerPart> parts_;
};

}  // namespace

std::vector<LayerPart> parts_of(const ExecutionPlan& plan, const TensorSplit& split, int devices, int device) {
  return Parts(plan, split, devices, device).all();
}

}  // namespace orrery
