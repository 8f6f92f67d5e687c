#include "models/networks/layer_shapes.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "models/networks/arrangement_shapes.hpp"
#include "models/networks/attention_shapes.hpp"
#include "models/networks/vector_shapes.hpp"

namespace orrery {

namespace {

constexpr std::int64_t box_numbers = 5;  // objectness, x, y, width, height

Misfit misfit(std::string key, std::string what, std::string suggestion = {}) {
  return {std::move(key), std::move(what), std::move(suggestion)};
}

/// A window that is not square: rows as the others, columns with a size, a padding and a stride of their own.
std::optional<Misfit> slide_oblong_window(Layer& layer, std::int64_t channels) {
  const std::int64_t height = layer.in.height + 2 * layer.padding, width = layer.in.width + 2 * layer.padding_width;
  if (layer.kernel > height || layer.kernel_width > width) {
    return misfit("kernel_width",
                  fmt::format("a {}x{} window is larger than the input {} with padding {} and {}", layer.kernel,
                              layer.kernel_width, to_text(layer.in), layer.padding, layer.padding_width));
  }
  const std::int64_t stride_width = layer.stride_width > 0 ? layer.stride_width : layer.stride;
  layer.out = {(height - layer.kernel) / layer.stride + 1, (width - layer.kernel_width) / stride_width + 1, channels};
  return std::nullopt;
}

std::optional<Misfit> slide_window(Layer& layer, std::int64_t channels) {
  if (layer.kernel_width > 0) return slide_oblong_window(layer, channels);
  const std::int64_t height = layer.in.height + 2 * layer.padding, width = layer.in.width + 2 * layer.padding;
  if (layer.kernel > height || layer.kernel > width) {
    return misfit("kernel",
                  fmt::format("a {0}x{0} window is larger than the input {1} with padding {2}", layer.kernel,
                              to_text(layer.in), layer.padding),
                  "use a smaller kernel, more padding, or fewer pooling layers before it");
  }
  if (layer.padding >= layer.kernel) {
    return misfit("padding",
                  fmt::format("a padding of {} leaves {}x{} windows that see no input {}", layer.padding, layer.kernel,
                              layer.kernel, to_text(layer.in)),
                  "use a padding smaller than the kernel");
  }
  layer.out = {(height - layer.kernel) / layer.stride + 1, (width - layer.kernel) / layer.stride + 1, channels};
  return std::nullopt;
}

std::optional<Misfit> convolve(Layer& layer, std::int64_t filters) {
  if (layer.in.channels % layer.groups != 0 || filters % layer.groups != 0) {
    return misfit("groups", fmt::format("{} groups do not divide both the channels of the input {} and the {} filters",
                                        layer.groups, to_text(layer.in), filters));
  }
  return slide_window(layer, filters);
}

std::optional<Misfit> convolve_transposed(Layer& layer, std::int64_t filters) {
  if (layer.padding >= layer.kernel) {
    return misfit("padding",
                  fmt::format("a padding of {0} cuts whole {1}x{1} windows off the border of the input {2}",
                              layer.padding, layer.kernel, to_text(layer.in)),
                  "use a padding smaller than the kernel");
  }
  const auto size = [&](std::int64_t in) { return (in - 1) * layer.stride - 2 * layer.padding + layer.kernel; };
  layer.out = {size(layer.in.height), size(layer.in.width), filters};
  if (layer.out.height >= 1 && layer.out.width >= 1) return std::nullopt;
  return misfit(
      "padding",
      fmt::format("a padding of {} makes {} of the input {}", layer.padding, to_text(layer.out), to_text(layer.in)),
      "use a smaller padding or a larger kernel");
}

std::optional<Misfit> densify(Layer& layer, std::int64_t units) {
  if (layer.in.width != 1) {
    return misfit("kind",
                  fmt::format("takes vectors (1x1xN) or sequences (Tx1xN), but its input is {}", to_text(layer.in)),
                  "put a flatten layer before it");
  }
  layer.out = {layer.in.height, 1, units};
  return std::nullopt;
}

/// A layer over the tokens of a sequence that gives `out`.
std::optional<Misfit> take_sequence(Layer& layer, Shape out) {
  if (layer.in.width != 1) {
    return misfit("kind", fmt::format("takes sequences (Tx1xN), but its input is {}", to_text(layer.in)),
                  "put a rows_to_tokens or pixels_to_tokens layer before it");
  }
  layer.out = out;
  return std::nullopt;
}

std::optional<Misfit> embed(Layer& layer, std::int64_t units) {
  if (layer.in.width != 1 || layer.in.channels != 1) {
    return misfit("kind", fmt::format("takes token numbers (Tx1x1), but its input is {}", to_text(layer.in)));
  }
  if (layer.positions != 0 && layer.positions < layer.in.height) {
    return misfit("positions", fmt::format("{} positions are fewer than the tokens of the input {}", layer.positions,
                                           to_text(layer.in)));
  }
  layer.out = {layer.in.height, 1, units};
  return std::nullopt;
}

/// Two halves of the channels side by side become one.
std::optional<Misfit> gate(Layer& layer) {
  if (layer.in.channels % 2 != 0) {
    return misfit("kind", fmt::format("takes two halves side by side, but its input {} has an odd number of channels",
                                      to_text(layer.in)));
  }
  layer.out = {layer.in.height, layer.in.width, layer.in.channels / 2};
  return std::nullopt;
}

/// What works on parts of the channels, all of one size.
std::optional<Misfit> keep_parts(Layer& layer, const std::string& key, std::int64_t parts) {
  if (layer.in.channels % parts != 0) {
    return misfit(key, fmt::format("{} {} do not divide the channels of the input {}", parts, key, to_text(layer.in)));
  }
  layer.out = layer.in;
  return std::nullopt;
}

std::optional<Misfit> visit_experts(Layer& layer) {
  if (layer.experts % layer.expert_groups != 0) {
    return misfit("expert_groups",
                  fmt::format("{} groups do not divide {} experts", layer.expert_groups, layer.experts));
  }
  if (layer.groups_per_token > layer.expert_groups) {
    return misfit("groups_per_token", fmt::format("a token cannot choose {} of {} groups of experts",
                                                  layer.groups_per_token, layer.expert_groups));
  }
  const std::int64_t choice = layer.groups_per_token * (layer.experts / layer.expert_groups);
  if (layer.experts_per_token > choice) {
    return misfit("experts_per_token", fmt::format("a token cannot visit {} of {} experts; the input is {}",
                                                   layer.experts_per_token, choice, to_text(layer.in)));
  }
  return take_sequence(layer, layer.in);
}

Misfit same_shape_needed(const Layer& layer, const Layer& second, const std::string& verb) {
  return misfit("skip",
                fmt::format("it {} {} of \"{}\" {} {}", verb, to_text(second.out), second.name,
                            layer.kind == LayerKind::multiply ? "with" : "to", to_text(layer.in)),
                "give both branches the same shape, for example by a 1x1 convolution");
}

}  // namespace

std::optional<Misfit> set_output_shape(Layer& layer, std::int64_t units) {
  switch (layer.kind) {
    case LayerKind::dense:
      return densify(layer, units);
    case LayerKind::convolution:
      return convolve(layer, units);
    case LayerKind::transposed_convolution:
      return convolve_transposed(layer, units);
    case LayerKind::max_pool:
    case LayerKind::average_pool:
      return slide_window(layer, layer.in.channels);
    case LayerKind::global_average_pool:
      layer.out = {1, 1, layer.in.channels};
      return std::nullopt;
    case LayerKind::flatten:
      layer.out = {1, 1, layer.in.count()};
      return std::nullopt;
    case LayerKind::rows_to_tokens:
      layer.out = {layer.in.height, 1, layer.in.width * layer.in.channels};
      return std::nullopt;
    case LayerKind::pixels_to_tokens:
      layer.out = {layer.in.height * layer.in.width, 1, layer.in.channels};
      return std::nullopt;
    case LayerKind::tokens_to_pixels:
      return make_pixels(layer);
    case LayerKind::reshape:
      return reshape(layer);
    case LayerKind::slice:
      return take_channels(layer, units);
    case LayerKind::embedding:
      return embed(layer, units);
    case LayerKind::embedding_tables:
      return look_up(layer, units);
    case LayerKind::position_embedding:
      return take_sequence(layer, layer.in);
    case LayerKind::lstm:
    case LayerKind::gru:
      return take_sequence(layer, {layer.in.height, 1, units});
    case LayerKind::last_token:
      return take_sequence(layer, {1, 1, layer.in.channels});
    case LayerKind::class_token:
      return take_sequence(layer, {layer.in.height + 1, 1, layer.in.channels});
    case LayerKind::memory:
      return take_sequence(layer, {layer.memory_tokens + layer.in.height, 1, layer.in.channels});
    case LayerKind::attention:
      return attend(layer);
    case LayerKind::cross_attention:
      return attend_across(layer);
    case LayerKind::swiglu:
    case LayerKind::geglu:
      return gate(layer);
    case LayerKind::group_norm:
    case LayerKind::channel_shuffle:
      return keep_parts(layer, "groups", layer.groups);
    case LayerKind::rms_norm:
      return keep_parts(layer, "heads", layer.heads);
    case LayerKind::upsample:
      layer.out = {layer.in.height * layer.stride, layer.in.width * layer.stride, layer.in.channels};
      return std::nullopt;
    case LayerKind::mixture_of_experts:
      return visit_experts(layer);
    default:
      layer.out = is_loss(layer.kind) ? Shape{1, 1, 1} : layer.in;  // one loss per sample
      return std::nullopt;
  }
}

std::optional<Misfit> join_second_operand(Layer& layer, const Layer& second) {
  switch (layer.kind) {
    case LayerKind::residual_add:
    case LayerKind::multiply:
      if (second.out == layer.in) return std::nullopt;
      return same_shape_needed(layer, second, layer.kind == LayerKind::multiply ? "multiplies" : "adds");
    case LayerKind::add_vector:
      return check_vector(layer, second);
    case LayerKind::dot_interaction:
      return interact(layer, second);
    case LayerKind::cross_attention:
      return take_keys_and_values(layer, second);
    default:
      if (second.out.height != layer.in.height || second.out.width != layer.in.width) {
        return misfit("skip",
                      fmt::format("it appends the channels of {} of \"{}\" to {}", to_text(second.out), second.name,
                                  to_text(layer.in)),
                      "give both branches the same height and width");
      }
      layer.out.channels = layer.in.channels + second.out.channels;
      return std::nullopt;
  }
}

std::optional<Misfit> check_classes(const Layer& layer, std::int64_t classes) {
  if (!is_loss(layer.kind)) return std::nullopt;
  if (layer.kind == LayerKind::detection_loss) {
    const std::int64_t numbers = box_numbers + classes;
    if (layer.in.channels == numbers) return std::nullopt;
    return misfit("kind",
                  fmt::format("{} classes need a grid of HxWx{} (a box of {} numbers and the classes), but its input "
                              "is {}",
                              classes, numbers, box_numbers, to_text(layer.in)),
                  fmt::format("end with a 1x1 convolution of {} filters", numbers));
  }
  const bool is_vector = layer.in.width == 1 || layer.kind != LayerKind::softmax_cross_entropy;
  if (layer.in.channels == classes && is_vector) return std::nullopt;
  return misfit("kind", fmt::format("the network has {} classes, but its input is {}", classes, to_text(layer.in)),
                fmt::format("end with a dense layer of {} units", classes));
}

}  // namespace orrery
