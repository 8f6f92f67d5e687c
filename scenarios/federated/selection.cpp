#include "scenarios/federated/selection.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

std::vector<std::size_t> first_sorted(std::vector<std::size_t> clients, std::size_t count) {
  clients.resize(count);
  std::sort(clients.begin(), clients.end());
  return clients;
}

std::vector<std::size_t> everyone(const SelectionInput& input) {
  std::vector<std::size_t> clients(input.expected_seconds.size());
  std::iota(clients.begin(), clients.end(), std::size_t{0});
  return clients;
}

std::vector<std::size_t> select_random(const SelectionInput& input, Random& random) {
  std::vector<std::size_t> clients = everyone(input);
  random.shuffle(clients);
  return first_sorted(std::move(clients), input.count);
}

std::vector<std::size_t> select_round_robin(const SelectionInput& input, Random& /*random*/) {
  std::vector<std::size_t> clients = everyone(input);
  const std::size_t start = static_cast<std::size_t>(input.round) * input.count % clients.size();
  std::rotate(clients.begin(), clients.begin() + static_cast<std::ptrdiff_t>(start), clients.end());
  return first_sorted(std::move(clients), input.count);
}

std::vector<std::size_t> select_fastest(const SelectionInput& input, Random& /*random*/) {
  std::vector<std::size_t> clients = everyone(input);
  std::stable_sort(clients.begin(), clients.end(),
                   [&](std::size_t a, std::size_t b) { return input.expected_seconds[a] < input.expected_seconds[b]; });
  return first_sorted(std::move(clients), input.count);
}

}  // namespace

const std::vector<SelectionEntry>& selections() {
  static const std::vector<SelectionEntry> table = {
      {Selection::random, "random", "drawn uniformly without replacement (McMahan et al. 2017)", select_random},
      {Selection::round_robin, "round-robin", "the next ones in turn", select_round_robin},
      {Selection::fastest, "fastest", "those expected to report first", select_fastest},
  };
  return table;
}

}  // namespace orrery
