// Networks from the config.json of a Hugging Face model: its dimensions, without its weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// The families (`model_type`) that are known, sorted.
std::vector<std::string> hf_families();

/// The network that a config.json describes, for samples of `tokens` tokens (0: as many as it has positions; of a
/// vision transformer its image says it). Keys that are missing take the default of the family's own code and are told
/// in `assumed`, as is what is left out: what has no weights and little work (caps, multipliers, some normalisations),
/// heads that predict several tokens, the vision part of a model whose language part stands under text_config. Unknown
/// keys say nothing about shapes and are passed over. Problems: no JSON (with line and column), a key that stands
/// twice, an unknown family, wrong types and ranges, dimensions that do not divide, all at once; then the graph is
/// empty.
LayerGraph read_hf_config(const std::filesystem::path& file, std::int64_t tokens, Problems& problems,
                          std::vector<std::string>& assumed);
/// Same from a text; `file` stands for it in messages.
LayerGraph parse_hf_config(std::string_view text, const std::string& file, std::int64_t tokens, Problems& problems,
                           std::vector<std::string>& assumed);

}  // namespace orrery
