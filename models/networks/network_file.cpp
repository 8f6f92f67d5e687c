#include "models/networks/network_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "models/networks/size_limits.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

namespace {

/// Whether there are new problems since: of what is wrong already nothing more is said.
class Since {
 public:
  explicit Since(const Problems& problems) : problems_(problems), before_(problems.all().size()) {}
  [[nodiscard]] bool is_sound() const { return problems_.all().size() == before_; }

 private:
  const Problems& problems_;
  std::size_t before_;
};

constexpr Range places{1.0, most_places}, size{1.0, largest_size}, size_or_zero{0.0, largest_size},
    rows_of_a_table{1.0, most_rows};

void read_window(TomlTable& table, LayerSpec& spec) {
  Layer& layer = spec.layer;
  const bool pools = layer.kind == LayerKind::max_pool || layer.kind == LayerKind::average_pool;
  layer.kernel = pools ? table.required_integer("kernel", size) : table.integer("kernel", 1, size);
  layer.stride = table.integer("stride", pools ? layer.kernel : 1, size);
  layer.padding = table.integer("padding", 0, size_or_zero);
}

void read_convolution(TomlTable& table, LayerSpec& spec) {
  read_window(table, spec);
  spec.layer.kernel_width = table.integer("kernel_width", 0, size);
  spec.layer.padding_width = table.integer("padding_width", 0, size_or_zero);
  spec.layer.stride_width = table.integer("stride_width", 0, size_or_zero);
  for (const char* key : {"padding_width", "stride_width"}) {
    if (table.has("kernel_width") || !table.has(key)) continue;
    table.problem(key, "the window is square", "it is of one with columns of its own", "give kernel_width too");
  }
  spec.layer.bias = table.boolean("bias", true);
  spec.stride = table.boolean("strided", false) ? LayerSpec::Stride::of_block : LayerSpec::Stride::own;
  if (table.boolean("depthwise", false)) {
    spec.groups = LayerSpec::Groups::per_channel;
    return;
  }
  spec.units = table.required_integer("filters", size);
  spec.layer.groups = table.integer("groups", 1, size);
}

void read_transposed_convolution(TomlTable& table, LayerSpec& spec) {
  read_window(table, spec);
  spec.units = table.required_integer("filters", size);
  spec.layer.bias = table.boolean("bias", true);
}

void read_embedding(TomlTable& table, LayerSpec& spec) {
  spec.units = table.required_integer("units", size);
  spec.layer.vocabulary = table.required_integer("vocabulary", size);
  spec.layer.positions = table.integer("positions", 0, size_or_zero);
  spec.layer.segments = table.integer("segments", 0, size_or_zero);
}

void read_embedding_tables(TomlTable& table, LayerSpec& spec, const Problems& problems) {
  spec.units = table.required_integer("units", size);
  const Since before(problems);
  spec.layer.tables = table.integers("rows", rows_of_a_table);
  if (spec.layer.tables.empty() && before.is_sound()) {
    table.problem("rows", "there is no table", "", "write the rows of each table, for example rows = [1460, 583, 24]");
  }
}

double checked_rate(TomlTable& table, double rate) {
  if (!(rate >= 0.0 && rate < 1.0)) {
    table.problem("rate", fmt::format("{} is out of range", rate), "must be at least 0 and below 1");
  }
  return rate;
}

void read_attention(TomlTable& table, Layer& layer) {
  layer.heads = table.required_integer("heads", size);
  layer.kv_heads = table.integer("kv_heads", layer.heads, size);
  layer.head_size = table.integer("head_size", 0, size_or_zero);
  layer.value_size = table.integer("value_size", 0, size_or_zero);
  layer.rate = checked_rate(table, table.number("rate", 0.0));
  if (layer.kind != LayerKind::attention) return;
  layer.shared_size = table.integer("shared_size", 0, size_or_zero);
  layer.causal = table.boolean("causal", false);
  layer.positions = table.integer("positions", 0, size_or_zero);
  layer.queries = table.integer("queries", 0, size_or_zero);
  layer.distance_size = table.integer("distance_size", 0, size_or_zero);
}

void read_experts(TomlTable& table, Layer& layer) {
  layer.experts = table.required_integer("experts", size);
  layer.experts_per_token = table.required_integer("experts_per_token", size);
  layer.shared_experts = table.integer("shared_experts", 0, size_or_zero);
  layer.expert_groups = table.integer("expert_groups", 1, size);
  layer.groups_per_token = table.integer("groups_per_token", layer.expert_groups, size);
  layer.expert_units = table.required_integer("expert_units", size);
  layer.gated = table.boolean("gated", true);
  layer.bias = false;
}

/// The keys that belong to the kind; any other key is unknown.
void read_keys_of_kind(TomlTable& table, LayerSpec& spec, const Problems& problems) {
  switch (spec.layer.kind) {
    case LayerKind::dense:
      spec.units = table.required_integer("units", size);
      spec.layer.bias = table.boolean("bias", true);
      spec.layer.tied = table.boolean("tied", false);
      break;
    case LayerKind::convolution:
      read_convolution(table, spec);
      break;
    case LayerKind::transposed_convolution:
      read_transposed_convolution(table, spec);
      break;
    case LayerKind::lstm:
    case LayerKind::gru:
      spec.units = table.required_integer("units", size);
      break;
    case LayerKind::max_pool:
    case LayerKind::average_pool:
      read_window(table, spec);
      break;
    case LayerKind::embedding:
      read_embedding(table, spec);
      break;
    case LayerKind::embedding_tables:
      read_embedding_tables(table, spec, problems);
      break;
    case LayerKind::slice:
      spec.units = table.required_integer("channels", size);
      spec.layer.first_channel = table.integer("first", 0, size_or_zero);
      break;
    case LayerKind::reshape:
      spec.layer.out.height = table.required_integer("height", size);
      spec.layer.out.width = table.required_integer("width", size);
      break;
    case LayerKind::memory:
      spec.layer.memory_tokens = table.required_integer("tokens", size);
      break;
    case LayerKind::attention:
      read_attention(table, spec.layer);
      break;
    case LayerKind::dropout:
      spec.layer.rate = checked_rate(table, table.required_number("rate"));
      break;
    case LayerKind::cross_attention:
      read_attention(table, spec.layer);
      spec.skip = table.required_text("skip");
      break;
    case LayerKind::mixture_of_experts:
      read_experts(table, spec.layer);
      break;
    case LayerKind::group_norm:
    case LayerKind::channel_shuffle:
      spec.layer.groups = table.required_integer("groups", size);
      break;
    case LayerKind::rms_norm:
      spec.layer.heads = table.integer("heads", 1, size);
      break;
    case LayerKind::upsample:
      spec.layer.stride = table.required_integer("stride", size);
      break;
    case LayerKind::multiply:
    case LayerKind::residual_add:
    case LayerKind::add_vector:
    case LayerKind::dot_interaction:
    case LayerKind::concatenate:
      spec.skip = table.required_text("skip");
      break;
    default:
      break;
  }
}

LayerSpec read_layer(TomlTable table, const Problems& problems) {
  LayerSpec spec{table, {}, 0, LayerSpec::Stride::own, LayerSpec::Groups::own, {}, {}};
  spec.layer.name = table.required_text("name");
  const std::string kind = table.required_text("kind");
  const auto& names = layer_kind_names();
  const auto found = std::find(names.begin(), names.end(), kind);
  if (found == names.end()) {  // which keys belong to it is unknown: the others are not judged
    if (!kind.empty()) table.problem("kind", "unknown kind \"" + kind + "\"", "", did_you_mean(kind, names));
    return spec;
  }
  spec.layer.kind = static_cast<LayerKind>(found - names.begin());
  spec.input = table.text("input", "");
  if (has_weights(spec.layer.kind)) spec.layer.frozen = table.boolean("frozen", false);
  read_keys_of_kind(table, spec, problems);
  table.finish();
  return spec;
}

EntrySpec read_entry(TomlTable table, const Problems& problems) {
  EntrySpec entry{table, {}, {}, {}, 1, 1, 0, 1, false};
  if (!table.has("block")) {
    entry.layer.push_back(read_layer(table, problems));
    entry.name = entry.layer.front().layer.name;
    return entry;
  }
  entry.name = table.required_text("name");
  entry.block = table.required_text("block");
  entry.width = table.integer("width", 1, size);
  entry.stride = table.integer("stride", 1, size);
  entry.repeat = table.integer("repeat", 0, places);
  entry.first = table.integer("first", 1, size);
  entry.frozen = table.boolean("frozen", false);
  entry.input = table.text("input", "");
  table.finish();
  return entry;
}

/// Whether an entry says neither a kind nor a block that there is: it may mean any, and none is called unknown.
bool may_mean_any_block(const EntrySpec& entry, const TomlTable& blocks) {
  return entry.layer.empty() ? !blocks.has(entry.block) : !entry.table.has("kind");
}

void read_blocks(std::optional<TomlTable> blocks, NetworkFile& file, const Problems& problems) {
  for (EntrySpec& entry : file.entries) {
    if (entry.block.empty() || file.blocks.contains(entry.block)) continue;
    std::vector<LayerSpec>& layers = file.blocks[entry.block];
    if (!blocks || !blocks->has(entry.block)) {
      entry.table.problem("block", "unknown block \"" + entry.block + "\"", "[blocks] does not define it",
                          "add it as an array of layers under [blocks]");
      continue;
    }
    for (TomlTable& table : blocks->tables(entry.block)) layers.push_back(read_layer(table, problems));
  }
  if (!blocks || file.entries.empty()) return;
  const auto is_lost = [&](const EntrySpec& entry) { return may_mean_any_block(entry, *blocks); };
  if (std::none_of(file.entries.begin(), file.entries.end(), is_lost)) blocks->finish();
}

void read_input(TomlTable& network, LayerGraph& head, const Problems& problems) {
  const Since before(problems);
  const std::vector<std::int64_t> shape = network.integers("input", size);
  if (!before.is_sound()) return;
  if (shape.size() != 3) {
    network.problem("input", "an input shape has three numbers, but " + std::to_string(shape.size()) + " are given", "",
                    "write [height, width, channels], or [tokens, 1, 1] for a sequence");
    return;
  }
  head.input = {shape[0], shape[1], shape[2]};
  if (is_too_large(head.input)) {
    network.problem("input", fmt::format("{} is larger than any sample", to_text(head.input)), most_numbers_text(), "");
  }
}

void read_head(TomlTable& network, LayerGraph& head) {
  head.name = network.required_text("name");
  head.title = network.required_text("title");
  head.source = network.required_text("source");
  head.sample = network.required_choice("sample", {"image", "sequence", "vector"});
  head.classes = network.required_integer("classes", size);
}

}  // namespace

NetworkFile read_network_keys(TomlDocument& document, const Problems& problems) {
  TomlTable root = document.root();
  std::optional<TomlTable> network = root.table("network");
  NetworkFile file{network.value_or(root), {}, {}, {}};
  if (!network) {
    root.problem("network", "the table [network] is missing", "a network file describes one network");
    root.finish();
    return file;
  }
  read_head(*network, file.head);
  read_input(*network, file.head, problems);
  const Since before(problems);
  for (TomlTable& table : network->tables("layers")) file.entries.push_back(read_entry(table, problems));
  if (file.entries.empty() && before.is_sound()) network->problem("layers", "a network has at least one layer", "", "");
  network->finish();
  read_blocks(root.table("blocks"), file, problems);
  root.finish();
  return file;
}

}  // namespace orrery
