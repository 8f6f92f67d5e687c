// Trained weights in a file: for transfer learning.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "models/training/execution_plan.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

/// Writes parameters and running statistics, layer by layer. The file: the line "orrery weights 1"; a line of JSON
/// {"network": name, "layers": [[name, parameters, running statistics], ...], "crc32": of the numbers, as a number};
/// the numbers, float32, little-endian, in the order of ExecutionPlan. Throws std::system_error when it cannot be
/// written.
void write_weights(const std::filesystem::path& file, const ExecutionPlan& plan, std::span<const float> weights);

/// Puts the file's numbers in their places in `weights`, layer by layer, by name; the layers whose names match a
/// pattern of `fresh` keep what `weights` has. Problems, all at once: no weights file, truncated, damaged (by its
/// checksum), a layer that the file lacks or has in another size. What the file has besides is ignored, so another
/// network's weights will do where its layers fit.
void read_weights(const std::filesystem::path& file, const ExecutionPlan& plan, const std::vector<std::string>& fresh,
                  std::span<float> weights, Problems& problems);

}  // namespace orrery
