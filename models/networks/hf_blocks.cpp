#include "models/networks/hf_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "models/networks/size_limits.hpp"

namespace orrery {

namespace {

/// More blocks than there may be are told later (hf_config): no list of them is made.
std::int64_t listed_blocks(const TransformerShape& shape) {
  return std::min(shape.layers, static_cast<std::int64_t>(most_places));
}

/// Blocks without experts: those of which `has_experts`, which counts from 0, is false.
template <class HasExperts>
void set_dense_blocks(TransformerShape& shape, const HasExperts& has_experts) {
  for (std::int64_t index = 0; index < listed_blocks(shape); ++index) {
    if (!has_experts(index)) shape.dense_blocks.push_back(index + 1);
  }
}

bool contains(const std::vector<std::int64_t>& blocks, std::int64_t index) {
  return std::binary_search(blocks.begin(), blocks.end(), index);
}

/// A list of blocks, counted from 0, ascending; what is no block is a problem.
std::optional<std::vector<std::int64_t>> read_blocks(HfKeys& keys, const TransformerShape& shape,
                                                     const std::string& key) {
  std::optional<std::vector<std::int64_t>> blocks = keys.integers(key, 0);
  if (!blocks) return blocks;
  std::sort(blocks->begin(), blocks->end());
  const bool are_judged = !keys.is_wrong(key) && !keys.is_wrong("num_hidden_layers");
  if (are_judged && !blocks->empty() && blocks->back() >= shape.layers) {
    keys.problem(key, fmt::format("{} is no block", blocks->back()), fmt::format("they are 0 to {}", shape.layers - 1));
  }
  return blocks;
}

}  // namespace

void read_layer_types(HfKeys& keys, TransformerShape& shape, const std::string& windowed) {
  const std::optional<std::vector<std::string>> types = keys.texts("layer_types");
  if (!types) return;
  if (keys.is_wrong("num_hidden_layers")) return;
  if (static_cast<std::int64_t>(types->size()) != shape.layers) {
    keys.problem("layer_types", fmt::format("names {} blocks of {}", types->size(), shape.layers));
    return;
  }
  shape.full_every = 0;
  for (std::size_t index = 0; index < types->size(); ++index) {
    const std::string& type = (*types)[index];
    if (type == "full_attention") {
      shape.full_blocks.push_back(static_cast<std::int64_t>(index) + 1);
    } else if (type != windowed) {
      keys.problem("layer_types", fmt::format("\"{}\" is not known", type), {},
                   fmt::format("known: full_attention, {}", windowed));
      return;
    }
  }
}

void read_windows(HfKeys& keys, TransformerShape& shape, const WindowDefaults& defaults) {
  shape.full_every = defaults.full_every;
  if (defaults.tokens == 0) {
    shape.window = keys.optional_integer("sliding_window").value_or(0);
    if (!keys.has("sliding_window") && !keys.is_null("sliding_window")) keys.defaulted("sliding_window", "null");
  } else if (!keys.is_null("sliding_window")) {
    shape.window = keys.integer("sliding_window", defaults.tokens);
  }
  read_layer_types(keys, shape, "sliding_attention");
}

void read_qwen_windows(HfKeys& keys, TransformerShape& shape) {
  if (!keys.boolean("use_sliding_window", false)) return;
  read_windows(keys, shape, {4096, 0});
  if (keys.has("layer_types")) return;
  const std::int64_t before = std::min(listed_blocks(shape), keys.integer("max_window_layers", 28, 0));
  for (std::int64_t block = 1; block <= before; ++block) shape.full_blocks.push_back(block);
}

void read_qwen_moe_windows(HfKeys& keys, TransformerShape& shape) {
  if (!keys.boolean("use_sliding_window", false)) return;
  read_windows(keys, shape, {4096, 2});
  if (keys.has("layer_types")) return;
  const std::int64_t before = keys.integer("max_window_layers", 28, 0);
  for (std::int64_t block = before + 1; block <= listed_blocks(shape); ++block) shape.full_blocks.push_back(block);
}

void read_sparse_step(HfKeys& keys, TransformerShape& shape) {
  const std::int64_t step = keys.integer("decoder_sparse_step", 1);
  if (!keys.has("mlp_only_layers")) keys.defaulted("mlp_only_layers", "[]");
  const std::vector<std::int64_t> dense =
      read_blocks(keys, shape, "mlp_only_layers").value_or(std::vector<std::int64_t>());
  set_dense_blocks(shape, [&](std::int64_t index) { return (index + 1) % step == 0 && !contains(dense, index); });
}

void read_interleaved_experts(HfKeys& keys, TransformerShape& shape) {
  if (const auto blocks = read_blocks(keys, shape, "moe_layers")) {
    set_dense_blocks(shape, [&](std::int64_t index) { return contains(*blocks, index); });
    return;
  }
  const std::int64_t step = keys.integer("interleave_moe_layer_step", 1);
  set_dense_blocks(shape, [&](std::int64_t index) { return (index + 1) % step == 0; });
}

void read_late_experts(HfKeys& keys, TransformerShape& shape, std::int64_t dense_layers) {
  shape.dense_layers = keys.integer("first_k_dense_replace", dense_layers, 0);
  const std::int64_t step = keys.optional_integer("moe_layer_freq").value_or(1);
  set_dense_blocks(shape, [&](std::int64_t index) { return index < shape.dense_layers || index % step == 0; });
}

}  // namespace orrery
