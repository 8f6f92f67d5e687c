#include "models/networks/hf_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "models/networks/hf_checks.hpp"
#include "models/networks/hf_families.hpp"
#include "models/networks/json_places.hpp"
#include "models/networks/size_limits.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

namespace {

using Json = nlohmann::json;

constexpr auto most_layers = static_cast<std::int64_t>(most_places);
constexpr int most_nesting = 256;  // copying a JSON value recurses

std::optional<Json> parse_json(std::string_view text, const std::string& file, Problems& problems) {
  try {
    int deepest = 0;
    const auto keep_flat = [&deepest](int depth, Json::parse_event_t /*event*/, Json& /*value*/) {
      deepest = std::max(deepest, depth);
      return depth <= most_nesting;
    };
    Json json = Json::parse(text.begin(), text.end(), keep_flat);
    if (deepest > most_nesting) {
      problems.add({{file, 1, 1}, {}, fmt::format("is nested deeper than {} levels", most_nesting), {}, {}, {}});
      return std::nullopt;
    }
    if (json.is_object()) return json;
    problems.add({{file, 1, 1}, {}, "holds no object", "a config.json is { \"model_type\": ... }", {}, {}});
  } catch (const Json::parse_error& error) {
    const bool ends = error.byte > text.size();
    JsonPlace place = place_in(text, error.byte > 0 ? error.byte - 1 : 0, file);
    problems.add({place.at,
                  {},
                  "is not JSON",
                  ends ? "the text ends too early" : "the text goes wrong here",
                  {},
                  std::move(place.line)});
  }
  return std::nullopt;
}

class ConfigReader {
 public:
  ConfigReader(std::string_view text, std::string file, std::int64_t tokens, Problems& problems,
               std::vector<std::string>& assumed)
      : text_(text), file_(std::move(file)), tokens_(tokens), problems_(problems), assumed_(assumed) {}

  LayerGraph read() {
    std::optional<Json> config = parse_json(text_, file_, problems_);
    if (!config) return {};
    const std::size_t before = problems_.all().size();
    HfKeys keys = open(*config);
    keys.check_repeats();
    const HfFamily* family = find_family(keys);
    if (family == nullptr) return {};
    keys.family(family->name);
    HfModel model = family->read(keys);
    check_layers(keys, model);
    check_dimensions(keys, model);
    name(keys, *family, model.shape);
    if (model.patches.image == 0) set_tokens(keys, model);
    return problems_.all().size() == before ? build(model) : LayerGraph();
  }

 private:
  /// The object that holds the dimensions: the whole, or text_config of a model of several kinds of data.
  HfKeys open(const Json& config) {
    const auto part = config.find("text_config");
    if (part == config.end() || !part->is_object()) return {config, "", text_, file_, problems_, assumed_};
    assumed_.emplace_back("text_config alone: the other parts of the model are left out");
    return {*part, "text_config.", text_, file_, problems_, assumed_};
  }

  const HfFamily* find_family(HfKeys& keys) {
    std::vector<std::string> known = hf_families();
    if (!keys.has("model_type")) {
      keys.problem("model_type", "is missing (required)", "it says which keys there are",
                   "known: " + fmt::format("{}", fmt::join(known, ", ")));
      return nullptr;
    }
    const std::string name = keys.text("model_type", "");
    if (keys.is_wrong("model_type")) return nullptr;
    const auto& table = hf_family_table();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const HfFamily& family) { return family.name == name; });
    if (found != table.end()) return &*found;
    const std::optional<std::string> near = nearest(name, known);
    keys.problem("model_type", fmt::format("unknown family \"{}\"", name), {},
                 (near ? fmt::format("did you mean \"{}\"? ", *near) : std::string()) +
                     fmt::format("known: {}", fmt::join(known, ", ")));
    return nullptr;
  }

  static void check_layers(HfKeys& keys, const HfModel& model) {
    const auto refuse = [&keys](const char* key) {
      keys.problem(key, "is out of range", fmt::format("networks have at most {} blocks", most_layers));
    };
    for (const char* key : {"num_hidden_layers", "n_layer", "num_layers"}) {
      if (model.shape.layers > most_layers && keys.has(key)) return refuse(key);
    }
    if (model.shape.decoder_layers > most_layers) refuse("num_decoder_layers");
  }

  void name(HfKeys& keys, const HfFamily& family, TransformerShape& shape) const {
    const std::string path = keys.has("_name_or_path") ? keys.text("_name_or_path", "") : std::string();
    shape.name = std::filesystem::path(path).filename().string();
    if (shape.name.empty()) shape.name = family.name;
    shape.title = fmt::format("{} of {}: {} blocks, {} wide", family.name,
                              std::filesystem::path(file_).filename().string(), shape.layers, shape.hidden);
    shape.source = file_;
  }

  void set_tokens(HfKeys& keys, HfModel& model) {
    model.shape.tokens = tokens_ > 0 ? tokens_ : model.positions;
    if (tokens_ == 0) keys.note(fmt::format("tokens = {} (the positions the model was made for)", model.positions));
    if (keys.is_wrong("n_positions") || keys.is_wrong("max_position_embeddings")) return;
    if (model.shape.position == Positions::learned && model.shape.tokens > model.positions) {
      problems_.add({{file_, 0, 0},
                     "tokens",
                     fmt::format("{} tokens are more than the {} positions that the model has learned",
                                 model.shape.tokens, model.positions),
                     {},
                     fmt::format("use at most {}", model.positions),
                     {}});
    }
  }

  LayerGraph build(const HfModel& model) {
    try {
      return model.patches.image > 0 ? vision_transformer_graph(model.shape, model.patches)
                                     : transformer_graph(model.shape);
    } catch (const Infeasible& infeasible) {
      problems_.add({{file_, 0, 0}, {}, infeasible.what(), {}, {}, {}});
      return {};
    }
  }

  std::string_view text_;
  std::string file_;
  std::int64_t tokens_;
  Problems& problems_;
  std::vector<std::string>& assumed_;
};

}  // namespace

std::vector<std::string> hf_families() {
  std::vector<std::string> names;
  for (const HfFamily& family : hf_family_table()) names.push_back(family.name);
  return names;
}

LayerGraph parse_hf_config(std::string_view text, const std::string& file, std::int64_t tokens, Problems& problems,
                           std::vector<std::string>& assumed) {
  return ConfigReader(text, file, tokens, problems, assumed).read();
}

LayerGraph read_hf_config(const std::filesystem::path& file, std::int64_t tokens, Problems& problems,
                          std::vector<std::string>& assumed) {
  const std::optional<std::string> text = read_input(file.string(), problems);
  return text ? parse_hf_config(*text, file.string(), tokens, problems, assumed) : LayerGraph();
}

}  // namespace orrery
