// How each family of Hugging Face models spells its dimensions.
#pragma once

#include <string>
#include <vector>

#include "models/networks/hf_keys.hpp"
#include "models/networks/transformer.hpp"

namespace orrery {

/// A transformer by its dimensions; `patches.image` 0 for models of language.
struct HfModel {
  TransformerShape shape;
  PatchShape patches{0, 0, 0, 0};
  std::int64_t positions = 0;  // tokens that it was made for
};

struct HfFamily {
  std::string name;  // model_type
  HfModel (*read)(HfKeys& keys);
};

/// Sorted by name. Defaults: the configuration classes of the transformers library (4.5x).
const std::vector<HfFamily>& hf_family_table();

}  // namespace orrery
