// An ONNX model as written: nodes, constants and shapes. The weights themselves are not read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

struct OnnxAttribute {
  std::int64_t integer = 0;
  std::vector<std::int64_t> integers;
};

struct OnnxNode {
  std::string op, name;
  std::vector<std::string> inputs, outputs;  // an empty name: an optional one that is not there
  std::map<std::string, OnnxAttribute, std::less<>> attributes;
  std::vector<std::int64_t> tensor;  // dimensions of the value of a Constant
  bool has_graph = false;            // control flow

  [[nodiscard]] std::int64_t integer(std::string_view attribute, std::int64_t fallback) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view attribute) const;
};

/// Dimensions of a tensor; -1 where one is named or unknown, not fixed.
struct OnnxTensor {
  std::vector<std::int64_t> dims;
  std::vector<std::string> names;  // of dimensions that are not fixed; "" for the others
  std::int64_t type = 0;  // TensorProto.DataType: 1 float, 6 int32, 7 int64, 10 float16, 11 double, 16 bfloat16
};

struct OnnxModel {
  std::string name;
  std::vector<OnnxNode> nodes;
  std::map<std::string, OnnxTensor> constants;  // initializers
  std::map<std::string, OnnxTensor> shapes;     // inputs, outputs and value_info
  std::vector<std::string> inputs, outputs;     // inputs without those that are initializers
};

/// How many numbers a tensor has; a scalar one.
std::int64_t numbers_of(const std::vector<std::int64_t>& dims);

/// Whether numbers of a type are weights: a floating-point type.
bool is_floating(std::int64_t onnx_type);

/// Problems: a file that ends too early, bytes that are no message, a message without a graph.
OnnxModel parse_onnx_model(std::string_view bytes, const std::string& file, Problems& problems);

}  // namespace orrery
