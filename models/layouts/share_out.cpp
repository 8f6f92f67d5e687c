#include "models/layouts/share_out.hpp"

#include <cstddef>
#include <functional>
#include <queue>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {

std::vector<std::int64_t> share_out(const std::vector<Pace>& workers, std::int64_t pieces) {
  const auto count = static_cast<std::int64_t>(workers.size());
  ORRERY_EXPECT(count >= 1 && pieces >= count);
  std::vector<std::int64_t> shares(workers.size(), 1);
  using Done = std::pair<double, std::size_t>;  // with one piece more
  std::priority_queue<Done, std::vector<Done>, std::greater<>> next;
  const auto queue = [&](std::size_t worker) {
    const Pace& pace = workers[worker];
    next.emplace((pace.fixed + pace.each * static_cast<double>(shares[worker] + 1)).value(), worker);
  };
  for (std::size_t worker = 0; worker < workers.size(); ++worker) queue(worker);
  for (std::int64_t left = pieces - count; left > 0; --left) {
    const std::size_t worker = next.top().second;
    next.pop();
    ++shares[worker];
    queue(worker);
  }
  return shares;
}

}  // namespace orrery
