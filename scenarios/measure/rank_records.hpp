// What the ranks of a real step recorded, put together as the simulation would have recorded it.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/platform.hpp"
#include "sim/program/records.hpp"

namespace orrery {

/// by_rank: each on its own clock, which began when all ranks had passed the same barrier. A rank knows when it was
/// ready for a communication, and when that had ended; when the first byte could move follows from the other ranks: a
/// collective's once its last member was ready, a message's once sender and receiver were.
Records join_ranks(std::vector<std::vector<Activity>> by_rank);

/// Bytes on every link of the platform when rank a sends bytes[a][b] to rank b and rank r is host placement[r]. How
/// long a link was busy cannot be seen from here: 0.
std::vector<LinkUse> links_used(const Platform& platform, const std::vector<DeviceId>& placement,
                                const std::vector<std::vector<Bytes>>& bytes);

/// Numbers and activities as bytes, between processes of one program.
template <class T>
std::string to_raw(const std::vector<T>& items) {
  return {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T)};
}
template <class T>
std::vector<T> from_raw(const std::string& bytes) {
  std::vector<T> items(bytes.size() / sizeof(T));
  bytes.copy(reinterpret_cast<char*>(items.data()), bytes.size());
  return items;
}

}  // namespace orrery
