// A network around one layer.
#pragma once

#include <string>

#include "tests/models/small_networks.hpp"

namespace orrery {

inline const std::string loss = "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n";
inline const std::string dense = "{ name = \"dense\", kind = \"dense\", units = 4 },\n";

/// A network of one layer of interest, followed by a dense layer and a loss.
inline LayerGraph around(const std::string& input, const std::string& layer) {
  return small_network(
      network_text(input, "4", layer + ",\n{ name = \"flatten\", kind = \"flatten\" },\n" + dense + loss));
}

/// The text of its problems; the layer stands in line 9.
inline std::string problem_around(const std::string& input, const std::string& layer) {
  return problems_of(network_text(input, "4", layer + ",\n" + dense + loss));
}

}  // namespace orrery
