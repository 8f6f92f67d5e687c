// Networks small enough to count by hand, written as their files are.
#pragma once

#include <string>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// The [network] table around a list of layers, each a line.
inline std::string network_text(const std::string& input, const std::string& classes, const std::string& layers,
                                const std::string& blocks = {}) {
  return "[network]\nname = \"small\"\ntitle = \"Small\"\nsource = \"made up\"\nsample = \"vector\"\ninput = " + input +
         "\nclasses = " + classes + "\nlayers = [\n" + layers + "]\n" + blocks;
}

inline LayerGraph small_network(const std::string& text) {
  Problems problems;
  LayerGraph graph = parse_network(text, "small.toml", problems);
  problems.throw_if_any();
  return graph;
}

/// 1000 -> 500 -> relu -> 10: 500,500 + 5,010 parameters.
inline LayerGraph small_perceptron() {
  return small_network(network_text("[1, 1, 1000]", "10",
                                    "{ name = \"dense1\", kind = \"dense\", units = 500 },\n"
                                    "{ name = \"relu\", kind = \"relu\" },\n"
                                    "{ name = \"dense2\", kind = \"dense\", units = 10 },\n"
                                    "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
}

/// Tables of three rows each that read the first two of 784 numbers: pixels are no rows.
inline LayerGraph tables_of_pixels() {
  return small_network(network_text("[28, 28, 1]", "10",
                                    "{ name = \"sample\", kind = \"flatten\" },\n"
                                    "{ name = \"two\", kind = \"slice\", channels = 2 },\n"
                                    "{ name = \"tables\", kind = \"embedding_tables\", units = 2, rows = [3, 3] },\n"
                                    "{ name = \"mean\", kind = \"global_average_pool\" },\n"
                                    "{ name = \"head\", kind = \"dense\", units = 10 },\n"
                                    "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
}

/// The text of the problems of a network file; empty when there are none.
inline std::string problems_of(const std::string& text) {
  Problems problems;
  (void)parse_network(text, "small.toml", problems);
  try {
    problems.throw_if_any();
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

}  // namespace orrery
