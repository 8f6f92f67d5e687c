#include "models/training/weights_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/networks/layer_patterns.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/files.hpp"

namespace orrery {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view magic = "orrery weights 1\n";

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));  // NOLINT: zlib's type
}

struct StoredLayer {
  std::size_t parameters = 0, state = 0;        // how many
  std::size_t at_parameters = 0, at_state = 0;  // where, in numbers
};

struct WeightsFile {
  std::string network;
  std::map<std::string, StoredLayer> layers;
  std::string_view numbers;  // bytes
  std::uint32_t crc32 = 0;
  std::size_t count = 0;

  void copy(std::size_t first, std::span<float> to) const {
    std::memcpy(to.data(), numbers.data() + first * sizeof(float), to.size_bytes());
  }
};

/// Places follow from the counts: all parameters first, then all running statistics.
void place(WeightsFile& file, const std::vector<std::string>& order) {
  for (const std::string& name : order) {
    file.layers[name].at_parameters = file.count;
    file.count += file.layers[name].parameters;
  }
  for (const std::string& name : order) {
    file.layers[name].at_state = file.count;
    file.count += file.layers[name].state;
  }
}

/// Throws Json::exception when the header is not what write_weights() writes.
WeightsFile parse_header(std::string_view line) {
  const Json header = Json::parse(line);
  WeightsFile file;
  file.network = header.at("network").get<std::string>();
  file.crc32 = header.at("crc32").get<std::uint32_t>();
  std::vector<std::string> order;
  for (const Json& layer : header.at("layers")) {
    order.push_back(layer.at(0).get<std::string>());
    file.layers[order.back()] = {layer.at(1).get<std::uint32_t>(), layer.at(2).get<std::uint32_t>()};
  }
  place(file, order);
  return file;
}

class WeightsReader {
 public:
  WeightsReader(const std::filesystem::path& path, Problems& problems) : path_(path.string()), problems_(problems) {}

  /// `content` must stay while the result is used.
  std::optional<WeightsFile> read(std::string_view content) {
    if (!content.starts_with(magic)) {
      return wrong("is no weights file",
                   fmt::format("it does not begin with \"{}\"", magic.substr(0, magic.size() - 1)));
    }
    const std::size_t end = content.find('\n', magic.size());
    if (end == std::string_view::npos) return wrong("is cut off in its header");
    std::optional<WeightsFile> file;
    try {
      file = parse_header(content.substr(magic.size(), end - magic.size()));
    } catch (const Json::exception& error) {
      return wrong("has a broken header", error.what());
    }
    file->numbers = content.substr(end + 1);
    const std::size_t bytes = file->count * sizeof(float);
    if (file->numbers.size() != bytes) {
      return wrong(fmt::format("holds {} bytes of numbers instead of {}", file->numbers.size(), bytes));
    }
    const std::uint32_t found = checksum(file->numbers);
    if (found == file->crc32) return file;
    return wrong(fmt::format("is damaged: its checksum is {:08x} instead of {:08x}", found, file->crc32));
  }

  void check(const WeightsFile& file, const Layer& layer, const LayerSteps& wanted) {
    const auto found = file.layers.find(layer.name);
    if (found == file.layers.end()) {
      wrong(fmt::format("has no weights of layer \"{}\"", layer.name), "they are those of " + file.network,
            "let the layer start anew with fresh_layers");
    } else if (found->second.parameters != wanted.parameters.count || found->second.state != wanted.state.count) {
      wrong(fmt::format("has {} numbers for layer \"{}\" instead of {}", found->second.parameters + found->second.state,
                        layer.name, wanted.parameters.count + wanted.state.count),
            "they are those of " + file.network, "let the layer start anew with fresh_layers");
    }
  }

 private:
  std::nullopt_t wrong(std::string what, std::string why = {}, std::string suggestion = {}) {
    Problem problem;
    problem.at.file = path_;
    problem.what = std::move(what);
    problem.why = std::move(why);
    problem.suggestion = std::move(suggestion);
    problems_.add(std::move(problem));
    return std::nullopt;
  }

  std::string path_;
  Problems& problems_;
};

bool is_fresh(const Layer& layer, const std::vector<std::string>& fresh) {
  return std::any_of(fresh.begin(), fresh.end(),
                     [&](const std::string& pattern) { return matches(pattern, layer.name); });
}

}  // namespace

void write_weights(const std::filesystem::path& file, const ExecutionPlan& plan, std::span<const float> weights) {
  ORRERY_EXPECT(weights.size() == plan.weight_count());
  std::string numbers(weights.size_bytes(), '\0');
  std::memcpy(numbers.data(), weights.data(), numbers.size());
  Json header;
  header["network"] = plan.graph().name;
  header["layers"] = Json::array();
  for (std::size_t i = 0; i < plan.kernels(); ++i) {
    const LayerSteps& steps = plan.steps(i);
    if (steps.parameters.count + steps.state.count == 0) continue;
    header["layers"].push_back({plan.graph().layers[i].name, steps.parameters.count, steps.state.count});
  }
  header["crc32"] = checksum(numbers);
  write_file(file, std::string(magic) + header.dump() + "\n" + numbers);
}

void read_weights(const std::filesystem::path& path, const ExecutionPlan& plan, const std::vector<std::string>& fresh,
                  std::span<float> weights, Problems& problems) {
  ORRERY_EXPECT(weights.size() == plan.weight_count());
  const std::optional<std::string> content = read_input(path.string(), problems);
  if (!content) return;
  WeightsReader reader(path, problems);
  const std::optional<WeightsFile> file = reader.read(*content);
  if (!file) return;
  const std::size_t before = problems.all().size();
  std::vector<std::size_t> taken;
  for (std::size_t i = 0; i < plan.kernels(); ++i) {
    const LayerSteps& steps = plan.steps(i);
    const Layer& layer = plan.graph().layers[i];
    if (steps.parameters.count + steps.state.count == 0 || is_fresh(layer, fresh)) continue;
    reader.check(*file, layer, steps);
    taken.push_back(i);
  }
  if (problems.all().size() > before) return;
  for (const std::size_t i : taken) {
    const StoredLayer& stored = file->layers.at(plan.graph().layers[i].name);
    file->copy(stored.at_parameters, plan.steps(i).parameters.of(weights));
    file->copy(stored.at_state, plan.steps(i).state.of(weights));
  }
}

}  // namespace orrery
