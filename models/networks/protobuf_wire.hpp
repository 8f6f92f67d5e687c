// The wire format of protocol buffers, read without a schema: a message is a run of fields, each a number and a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// A message that ends too early or holds what no message can; what() names the byte.
class WireDamage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct WireField {
  enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint64_t number = 0;  // of the field
  Type type = Type::varint;
  std::uint64_t value = 0;  // varint, fixed
  std::string_view bytes;   // texts, messages, packed numbers
  std::size_t offset = 0;   // of bytes, in the file
};

/// Walks the fields of one message. `offset`: where the message begins in the file, for messages of damage.
class WireReader {
 public:
  explicit WireReader(std::string_view message, std::size_t offset = 0) : message_(message), offset_(offset) {}
  explicit WireReader(const WireField& field) : WireReader(field.bytes, field.offset) {}

  /// Nothing at the end. Throws WireDamage.
  std::optional<WireField> next();

 private:
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t bytes);
  [[noreturn]] void damaged(const std::string& what) const;

  std::string_view message_;
  std::size_t offset_ = 0, at_ = 0;
};

/// The numbers of a repeated integer field, packed or one by one: appended.
void append_integers(const WireField& field, std::vector<std::int64_t>& to);

}  // namespace orrery
