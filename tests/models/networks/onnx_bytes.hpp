// ONNX models written byte by byte, as the wire format says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace orrery::onnx_bytes {

using Dims = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>((value & 0x7FU) | 0x80U);
  return bytes + static_cast<char>(value);
}
inline std::string number(std::uint64_t field, std::int64_t value) {
  return varint(field << 3U) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(std::uint64_t field, const std::string& content) {
  return varint(field << 3U | 2U) + varint(content.size()) + content;
}

/// TensorProto: dims 1, data_type 2, name 8.
inline std::string tensor(const std::string& name, const Dims& dims, std::int64_t type = 1) {
  std::string body;
  for (const std::int64_t size : dims) body += number(1, size);
  return body + number(2, type) + bytes(8, name);
}
/// GraphProto.initializer
inline std::string weight(const std::string& name, const Dims& dims, std::int64_t type = 1) {
  return bytes(5, tensor(name, dims, type));
}
/// ValueInfoProto; a negative size is a dimension by name ("batch").
inline std::string value(const std::string& name, const Dims& dims, std::int64_t type = 1) {
  std::string shape;
  for (const std::int64_t size : dims) shape += bytes(1, size < 0 ? bytes(2, "batch") : number(1, size));
  return bytes(1, name) + bytes(2, bytes(1, number(1, type) + bytes(2, shape)));
}
inline std::string input(const std::string& name, const Dims& dims, std::int64_t type = 1) {
  return bytes(11, value(name, dims, type));
}
inline std::string output(const std::string& name, const Dims& dims) {
  return bytes(12, value(name, dims));
}
inline std::string info(const std::string& name, const Dims& dims) {
  return bytes(13, value(name, dims));
}
/// AttributeProto: name 1, i 3, ints 8 (packed).
inline std::string integer(const std::string& name, std::int64_t one) {
  return bytes(5, bytes(1, name) + number(3, one));
}
inline std::string integers(const std::string& name, const Dims& many) {
  std::string packed;
  for (const std::int64_t each : many) packed += varint(static_cast<std::uint64_t>(each));
  return bytes(5, bytes(1, name) + bytes(8, packed));
}
inline std::string node(const std::string& op, const Names& inputs, const Names& outputs,
                        const std::string& attributes = {}) {
  std::string body;
  for (const std::string& name : inputs) body += bytes(1, name);
  for (const std::string& name : outputs) body += bytes(2, name);
  return bytes(1, body + bytes(3, outputs.front() + "_" + op) + bytes(4, op) + attributes);
}
/// ModelProto: ir_version 1, graph 7.
inline std::string model(const std::string& graph) {
  return number(1, 8) + bytes(7, graph + bytes(2, "made by hand"));
}

}  // namespace orrery::onnx_bytes
