#include "sim/program/op.hpp"

#include <array>
#include <cstddef>

namespace orrery {

namespace {

template <std::size_t Count, class Enum>
std::string_view pick(const std::array<std::string_view, Count>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < Count ? names[index] : std::string_view("?");
}

}  // namespace

std::string_view name_of(Stream stream) {
  static constexpr std::array<std::string_view, stream_count> names{"compute", "collective", "send", "receive", "host"};
  return pick(names, stream);
}

std::string_view name_of(Phase phase) {
  static constexpr std::array<std::string_view, 9> names{"input",     "forward",           "backward",
                                                         "recompute", "gradient_exchange", "optimizer",
                                                         "transfer",  "aggregate",         "evaluate"};
  return pick(names, phase);
}

std::string_view name_of(Dimension dimension) {
  static constexpr std::array<std::string_view, dimension_count> names{"none", "dp", "tp", "pp", "cp", "ep"};
  return pick(names, dimension);
}

std::string_view name_of(CollectiveKind kind) {
  static constexpr std::array<std::string_view, 5> names{"all_reduce", "reduce_scatter", "all_gather", "broadcast",
                                                         "all_to_all"};
  return pick(names, kind);
}

std::string_view name_of(Algorithm algorithm) {
  static constexpr std::array<std::string_view, 7> names{
      "ring", "double-binary-tree", "halving-doubling", "hierarchical", "parameter-server", "pairwise", "library"};
  return pick(names, algorithm);
}

}  // namespace orrery
