// Where the values of a JSON text stand.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

struct JsonPlace {
  Position at;
  std::string line;  // the whole line
};

/// Line and column of byte `offset` (0-based; beyond the end: the end) of a text.
JsonPlace place_in(std::string_view text, std::size_t offset, const std::string& file);

/// Offsets of the values of objects by their dotted path ("text_config.hidden_size"); objects within arrays are left
/// out. `text` is valid JSON.
std::map<std::string, std::size_t> json_offsets(std::string_view text);

/// A key that stands twice in one object, of which parsers keep the last.
struct JsonRepeat {
  std::string path;  // dotted
  std::size_t first, second;
};
/// All of them in order, also of objects within arrays. `text` is valid JSON.
std::vector<JsonRepeat> json_repeats(std::string_view text);

}  // namespace orrery
