#include "topologies/precision.hpp"

#include <array>
#include <cstddef>

namespace orrery {
namespace {

struct Format {
  std::string_view name;
  double bytes;
};

constexpr std::array<Format, 7> formats{
    {{"fp64", 8}, {"fp32", 4}, {"tf32", 4}, {"fp16", 2}, {"bf16", 2}, {"fp8", 1}, {"int8", 1}}};

}  // namespace

std::string_view name_of(Precision precision) {
  return formats.at(static_cast<std::size_t>(precision)).name;
}

Bytes bytes_per_number(Precision precision) {
  return Bytes(formats.at(static_cast<std::size_t>(precision)).bytes);
}

}  // namespace orrery
