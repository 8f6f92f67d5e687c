// Dimensions of a Hugging Face config.json that are right alone and cannot be together.
#pragma once

#include "models/networks/hf_families.hpp"

namespace orrery {

/// Records what does not divide or is more than there is, at the key of the file that is most to blame, beside the
/// other problems: of keys that are wrong themselves nothing is said.
void check_dimensions(HfKeys& keys, const HfModel& model);

}  // namespace orrery
