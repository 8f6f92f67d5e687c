#include "models/networks/attention_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace orrery {

namespace {

std::int64_t asking_tokens(const Layer& layer) {
  return layer.queries > 0 ? layer.queries : layer.in.height;
}

Misfit misfit(std::string key, std::string what, std::string suggestion = {}) {
  return {std::move(key), std::move(what), std::move(suggestion)};
}

std::string heads_wanted(const Layer& layer) {
  if (layer.kv_heads == layer.heads) {
    return fmt::format("{} heads need queries, keys and values side by side (Tx1x3h, h a multiple of {})", layer.heads,
                       layer.heads);
  }
  return fmt::format("{} heads of queries, {} of keys and {} of values need Tx1xN, N a multiple of {}", layer.heads,
                     layer.kv_heads, layer.kv_heads, layer.heads + 2 * layer.kv_heads);
}

std::optional<Misfit> check_key_heads(const Layer& layer) {
  if (layer.heads % layer.kv_heads == 0) return std::nullopt;
  return misfit("kv_heads",
                fmt::format("{} heads of queries cannot share {} heads of keys and values evenly; the input is {}",
                            layer.heads, layer.kv_heads, to_text(layer.in)),
                "use a divisor of heads");
}

/// Attention whose heads have a size of their own, which the input must add up to.
std::optional<Misfit> attend_with_sizes(Layer& layer) {
  const std::int64_t queries = layer.heads * layer.head_size;
  const std::int64_t keys = layer.kv_heads * (layer.head_size - layer.shared_size) + layer.shared_size;
  const std::int64_t values = layer.kv_heads * value_size(layer);
  if (layer.shared_size > layer.head_size) {
    return misfit("shared_size", fmt::format("{} numbers of a key cannot be shared of {}; the input is {}",
                                             layer.shared_size, layer.head_size, to_text(layer.in)));
  }
  if (layer.in.width != 1 || layer.in.channels != queries + keys + values) {
    return misfit("head_size", fmt::format("queries of {}, keys of {} and values of {} numbers side by side need "
                                           "Tx1x{}, but the input is {}",
                                           queries, keys, values, queries + keys + values, to_text(layer.in)));
  }
  layer.out = {asking_tokens(layer), 1, layer.heads * value_size(layer)};
  return std::nullopt;
}

}  // namespace

std::optional<Misfit> attend(Layer& layer) {
  if (auto uneven = check_key_heads(layer)) return uneven;
  if (layer.queries > layer.in.height) {
    return misfit("queries", fmt::format("{} tokens cannot ask, the input is {}", layer.queries, to_text(layer.in)),
                  fmt::format("use at most {}", layer.in.height));
  }
  if (layer.head_size > 0) return attend_with_sizes(layer);
  const std::int64_t parts = layer.heads + 2 * layer.kv_heads;
  if (layer.in.width != 1 || layer.in.channels % parts != 0) {
    return misfit("heads", fmt::format("{}, but the input is {}", heads_wanted(layer), to_text(layer.in)));
  }
  layer.out = {asking_tokens(layer), 1, layer.in.channels / parts * layer.heads};
  return std::nullopt;
}

std::optional<Misfit> attend_across(Layer& layer) {
  if (auto uneven = check_key_heads(layer)) return uneven;
  if (layer.in.width != 1 || layer.in.channels % layer.heads != 0 ||
      (layer.head_size > 0 && layer.in.channels != layer.heads * layer.head_size)) {
    return misfit("heads", fmt::format("{} heads of queries need Tx1xh, h {} {}, but the input is {}", layer.heads,
                                       layer.head_size > 0 ? "being" : "a multiple of",
                                       layer.heads * std::max<std::int64_t>(layer.head_size, 1), to_text(layer.in)));
  }
  layer.out = {layer.in.height, 1, layer.heads * value_size(layer)};
  return std::nullopt;
}

std::optional<Misfit> take_keys_and_values(Layer& layer, const Layer& second) {
  const std::int64_t wanted = layer.kv_heads * (head_size(layer) + value_size(layer));
  if (second.out.width == 1 && second.out.channels == wanted) {
    layer.key_tokens = second.out.height;
    return std::nullopt;
  }
  return misfit("skip", fmt::format("{} heads of keys and values side by side need Tx1x{}, but \"{}\" gives {}",
                                    layer.kv_heads, wanted, second.name, to_text(second.out)));
}

}  // namespace orrery
