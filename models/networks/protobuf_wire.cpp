#include "models/networks/protobuf_wire.hpp"

#include <fmt/format.h>
#include <cstdint>

namespace orrery {

void WireReader::damaged(const std::string& what) const {
  throw WireDamage(fmt::format("byte {}: {}", offset_ + at_, what));
}

std::uint64_t WireReader::varint() {
  constexpr int most_bits = 64;
  std::uint64_t value = 0;
  for (int shift = 0; shift < most_bits; shift += 7) {
    if (at_ >= message_.size()) damaged("a number ends too early");
    const auto byte = static_cast<std::uint8_t>(message_[at_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << static_cast<unsigned>(shift);
    if ((byte & 0x80U) == 0) return value;
  }
  damaged("a number of more than 64 bits");
}

std::uint64_t WireReader::fixed(std::size_t bytes) {
  if (message_.size() - at_ < bytes) damaged("a number ends too early");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(message_[at_ + i])) << (8 * i);
  }
  at_ += bytes;
  return value;
}

std::optional<WireField> WireReader::next() {
  if (at_ >= message_.size()) return std::nullopt;
  const std::uint64_t key = varint();
  WireField field;
  field.number = key >> 3U;
  if (field.number == 0) damaged("a field of number 0");
  switch (key & 7U) {
    case 0:
      field.value = varint();
      break;
    case 1:
      field.type = WireField::Type::fixed64;
      field.value = fixed(8);
      break;
    case 2: {
      field.type = WireField::Type::bytes;
      const std::uint64_t size = varint();
      if (size > message_.size() - at_) {
        damaged(fmt::format("a field of {} bytes, but {} are left", size, message_.size() - at_));
      }
      field.offset = offset_ + at_;
      field.bytes = message_.substr(at_, static_cast<std::size_t>(size));
      at_ += static_cast<std::size_t>(size);
      break;
    }
    case 5:
      field.type = WireField::Type::fixed32;
      field.value = fixed(4);
      break;
    default:
      damaged(fmt::format("a field of type {}", key & 7U));
  }
  return field;
}

void append_integers(const WireField& field, std::vector<std::int64_t>& to) {
  if (field.type != WireField::Type::bytes) {
    to.push_back(static_cast<std::int64_t>(field.value));
    return;
  }
  // Packed numbers are keys without values: each is read as a varint of its own message.
  std::string_view rest = field.bytes;
  while (!rest.empty()) {
    std::size_t length = 1;
    while (length < rest.size() && (static_cast<std::uint8_t>(rest[length - 1]) & 0x80U) != 0) ++length;
    const std::string one = '\x08' + std::string(rest.substr(0, length));
    const std::size_t at = field.offset + (field.bytes.size() - rest.size());
    to.push_back(static_cast<std::int64_t>(WireReader(one, at).next()->value));
    rest.remove_prefix(length);
  }
}

}  // namespace orrery
