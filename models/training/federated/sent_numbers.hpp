// Which numbers of a model cross the wire, and which stay on the clients. Internal to this folder.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "models/training/number_range.hpp"

namespace orrery {

/// Runs of the vector of weights (parameters of every layer, then running statistics of every layer: see
/// ExecutionPlan), in order.
struct SentNumbers {
  std::vector<NumberRange> parameters, statistics;  // sent and averaged
  std::vector<NumberRange> frozen;                  // parameters that nobody trains: sent down with the model, never up
  std::vector<NumberRange> personal;                // both kinds, of the layers that stay on the client
};

/// personal_layers: patterns (models/networks/layer_patterns.hpp). Throws InvalidInput for a pattern that no layer with
/// weights matches, and when nothing is left to send.
SentNumbers sent_numbers(const LayerGraph& graph, const std::vector<std::string>& personal_layers);

std::size_t count_of(std::span<const NumberRange> runs);
/// The numbers in these runs, one after the other, and back.
std::vector<float> gathered(std::span<const float> all, std::span<const NumberRange> runs);
void scatter(std::span<const float> numbers, std::span<const NumberRange> runs, std::span<float> all);

}  // namespace orrery
