#include "models/layouts/split_obstacles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/layouts/nearest_degrees.hpp"

namespace orrery {
namespace {

/// Of attention layers alone: other kinds have no heads.
bool splits_heads(const Layer& attention, std::int64_t tp) {
  if (attention.kind != LayerKind::attention) return true;
  return attention.heads % tp == 0 && (attention.kv_heads % tp == 0 || tp % attention.kv_heads == 0);
}

/// Whether sequence parallelism gives every rank as many tokens, as Megatron-LM asserts
/// (core/tensor_parallel/mappings.py, "First dimension of the tensor should be divisible by tensor parallel size").
/// What context parallelism does not divide is refused as such.
bool splits_tokens(const Layer& attention, const Layout& layout, std::int64_t tp) {
  if (layout.sequence_parallel == SequenceParallel::off) return true;
  return attention.in.height % layout.cp != 0 || attention.in.height / layout.cp % tp == 0;
}

/// Nearest degrees that split every layer like this one, on the devices that there are.
std::string nearest_tp(const Layer& attention, const TrainingJob& job, const Layout& layout) {
  return nearest_degrees(job, layout, layout.tp, attention.heads, [&](std::int64_t tp) {
    const auto splits = [&](const Layer& layer) {
      return !attends(layer.kind) || (splits_heads(layer, tp) && splits_tokens(layer, layout, tp));
    };
    const std::vector<Layer>& layers = job.network.layers;
    return std::all_of(layers.begin(), layers.end(), splits);
  });
}

std::string heads_obstacle(const Layer& attention, const TrainingJob& job, const Layout& layout) {
  if (attention.heads % layout.tp != 0) {
    return fmt::format("tp {} does not divide the {} heads of {} - use tp {}", layout.tp, attention.heads,
                       job.network.name, nearest_tp(attention, job, layout));
  }
  return fmt::format(
      "tp {} neither divides the {} heads of keys and values of {} nor is a multiple of them - use tp {}", layout.tp,
      attention.kv_heads, job.network.name, nearest_tp(attention, job, layout));
}

std::string tokens_obstacle(const Layer& attention, const TrainingJob& job, const Layout& layout) {
  const std::string parts =
      layout.cp > 1 ? fmt::format("tp {} x cp {} = {}", layout.tp, layout.cp, std::int64_t{layout.tp} * layout.cp)
                    : fmt::format("tp {}", layout.tp);
  return fmt::format(
      "sequence_parallel gives every rank as many tokens, but {} does not divide the {} of {} - use tp {}, or "
      "sequence_parallel false",
      parts, attention.in.height, job.network.name, nearest_tp(attention, job, layout));
}

}  // namespace

void add_tensor_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found) {
  if (layout.tp == 1) return;
  bool has_attention = false;
  for (const Layer& layer : job.network.layers) {
    if (!attends(layer.kind)) continue;
    has_attention = has_attention || layer.kind == LayerKind::attention;
    if (!splits_heads(layer, layout.tp)) return found.push_back(heads_obstacle(layer, job, layout));
    if (!splits_tokens(layer, layout, layout.tp)) return found.push_back(tokens_obstacle(layer, job, layout));
  }
  if (!has_attention) {
    found.push_back(fmt::format("tp {}: {} has no attention blocks to split - use tp 1, or kind = \"model\"", layout.tp,
                                job.network.name));
  }
}

void add_context_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found) {
  if (layout.cp == 1) return;
  const std::int64_t tokens = job.network.input.height;
  for (const Layer& layer : job.network.layers) {
    if (!is_recurrent(layer.kind)) continue;
    return found.push_back(fmt::format(
        "cp {}: {} of {} hands its state from token to token, so ranks of later tokens would wait for those of earlier "
        "ones - use cp 1",
        layout.cp, layer.name, job.network.name));
  }
  if (job.network.sample != "sequence") {
    found.push_back(
        fmt::format("cp {} splits sequences, which {} does not read - use cp 1", layout.cp, job.network.name));
  } else if (tokens % layout.cp != 0) {
    const auto divides = [&](std::int64_t cp) { return tokens % cp == 0; };
    found.push_back(fmt::format("cp {} does not divide the {} tokens of a sample - use cp {}", layout.cp, tokens,
                                nearest_degrees(job, layout, layout.cp, job.cluster.devices(), divides)));
  }
}

}  // namespace orrery
