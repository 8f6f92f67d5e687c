// A network file as written: layers and repeated blocks, keys checked, shapes not yet known.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "sim/base/toml_reader.hpp"

namespace orrery {

/// One layer as written. Inside a block, units, filters and channels are multiples of the block's width.
struct LayerSpec {
  TomlTable table;  // for the position of problems
  Layer layer;      // name, kind and the keys of the kind; shapes and connections are set by the builder
  std::int64_t units = 0;
  enum class Stride : std::uint8_t { own, of_block } stride = Stride::own;
  enum class Groups : std::uint8_t { own, per_channel } groups = Groups::own;  // per_channel: depthwise
  std::string input, skip;  // names as written; empty: the previous layer, none
};

/// One entry of `layers`: a layer (block empty) or a block, placed `repeat` times one after the other.
struct EntrySpec {
  TomlTable table;
  std::string name, block;
  std::vector<LayerSpec> layer;  // one element, or none for a block
  std::int64_t width = 1, stride = 1, repeat = 0, first = 1;
  bool frozen = false;  // every layer of the block
  std::string input{};  // of a block: what it reads; empty: the previous layer
};

struct NetworkFile {
  TomlTable table;  // [network]
  LayerGraph head;  // everything but the layers
  std::vector<EntrySpec> entries;
  std::map<std::string, std::vector<LayerSpec>> blocks;
};

/// Reads every key of a document; defects are recorded in `problems`, those of the document, with their position. The
/// tables refer to the document.
NetworkFile read_network_keys(TomlDocument& document, const Problems& problems);

/// Puts blocks in place, connects the layers and computes their shapes, up to the first that does not fit.
LayerGraph build_network(NetworkFile& file);

}  // namespace orrery
