// Clients without work that are waited for, by the instant at which they come online.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "sim/base/units.hpp"

namespace orrery {

class Newcomers {
 public:
  /// The client is offline now. One that never comes online is forgotten.
  void add(std::size_t client, Seconds comes) {
    if (std::isfinite(comes.value())) queue_.emplace(comes.value(), client);
  }
  /// When the next one comes.
  [[nodiscard]] std::optional<Seconds> next() const {
    return queue_.empty() ? std::nullopt : std::optional(Seconds(queue_.top().first));
  }
  /// Those who have come by now, in the order in which they did.
  std::vector<std::size_t> arrived(Seconds now) {
    std::vector<std::size_t> clients;
    for (; !queue_.empty() && queue_.top().first <= now.value(); queue_.pop()) clients.push_back(queue_.top().second);
    return clients;
  }
  void clear() { queue_ = {}; }

 private:
  using Entry = std::pair<double, std::size_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
};

}  // namespace orrery
