// A ClientView of clients that are always there and of whom nothing is known: for the rules that ask for no more.
#pragma once

#include <cstddef>
#include <numeric>
#include <vector>

#include "scenarios/federated/selection.hpp"

namespace orrery {

class EveryClient : public ClientView {
 public:
  explicit EveryClient(std::size_t clients) : in_order_(clients) { std::iota(in_order_.begin(), in_order_.end(), 0U); }
  [[nodiscard]] std::size_t clients() const override { return in_order_.size(); }
  [[nodiscard]] bool available(std::size_t /*client*/) override { return true; }
  [[nodiscard]] double expected_seconds(std::size_t /*client*/) override { return 1; }
  [[nodiscard]] double expected_joules(std::size_t /*client*/) override { return 1; }
  [[nodiscard]] std::int64_t samples(std::size_t /*client*/) const override { return 1; }
  [[nodiscard]] std::optional<Known> known(std::size_t /*client*/) const override { return std::nullopt; }
  [[nodiscard]] std::vector<Known> all_known() const override { return {}; }
  [[nodiscard]] const std::vector<std::uint32_t>& fastest_first() override { return in_order_; }

 private:
  std::vector<std::uint32_t> in_order_;
};

}  // namespace orrery
