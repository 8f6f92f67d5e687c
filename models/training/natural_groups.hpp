// Whom the samples of a data set come from, known without reading it.
#pragma once

#include <cstdint>
#include <string>

namespace orrery {

/// Groups of the training samples of a set of data_sets() (writers, roles), each of which a natural partition deals to
/// one client; 0: the set does not say whom its samples come from, or is not known.
std::int64_t natural_groups(const std::string& data_set);

}  // namespace orrery
