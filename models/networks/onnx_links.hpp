// Who gives and who reads the values of an ONNX model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/networks/onnx_model.hpp"

namespace orrery {

class OnnxLinks {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// `constants`: names of values that do not depend on the network's input. Both outlive this.
  OnnxLinks(const OnnxModel& model, const std::set<std::string>& constants);

  [[nodiscard]] const OnnxNode& node(std::size_t index) const { return model_.nodes[index]; }
  [[nodiscard]] std::size_t nodes() const { return model_.nodes.size(); }
  [[nodiscard]] bool is_constant(const std::string& value) const { return constants_.contains(value); }
  /// The node that gives a value; none for inputs and initializers.
  [[nodiscard]] std::size_t producer(const std::string& value) const;
  /// The node that reads a value, when there is just one.
  [[nodiscard]] std::size_t only_reader(const std::string& value) const;
  /// The same for the (first) output of a node, when the reader is an operator of that kind; an index of none has none.
  [[nodiscard]] std::size_t only_reader(std::size_t index, std::string_view op) const;
  /// The operand of a node that is not constant, when there is just one.
  [[nodiscard]] std::optional<std::string> only_operand(const OnnxNode& node) const;

  /// Dimensions of a value as the model says them; none when it does not.
  [[nodiscard]] std::vector<std::int64_t> dims(const std::string& value) const;

 private:
  const OnnxModel& model_;
  const std::set<std::string>& constants_;
  std::map<std::string, std::size_t> producer_;
  std::map<std::string, std::vector<std::size_t>> readers_;
};

}  // namespace orrery
