#include "models/layouts/share_out.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Workers of one pace: all of them are done with one more piece at the same time.
struct Alike {
  Pace pace;
  std::vector<std::size_t> workers;
  std::int64_t share = 1;  // of each
  [[nodiscard]] double done_with_next() const {
    return (pace.fixed + pace.each * static_cast<double>(share + 1)).value();
  }
};

std::vector<Alike> alike_among(const std::vector<Pace>& workers) {
  std::map<std::pair<double, double>, std::size_t> known;
  std::vector<Alike> all;
  for (std::size_t worker = 0; worker < workers.size(); ++worker) {
    const Pace& pace = workers[worker];
    const auto [at, is_new] = known.try_emplace({pace.fixed.value(), pace.each.value()}, all.size());
    if (is_new) all.push_back({pace, {}});
    all[at->second].workers.push_back(worker);
  }
  return all;
}

/// Those that are done with one more piece first.
std::vector<Alike*> first_of(std::vector<Alike>& all) {
  double least = all.front().done_with_next();
  for (const Alike& each : all) least = std::min(least, each.done_with_next());
  std::vector<Alike*> first;
  for (Alike& each : all) {
    if (each.done_with_next() <= least) first.push_back(&each);
  }
  return first;
}

std::vector<std::size_t> workers_of(const std::vector<Alike*>& some) {
  std::vector<std::size_t> workers;
  for (const Alike* each : some) workers.insert(workers.end(), each->workers.begin(), each->workers.end());
  std::sort(workers.begin(), workers.end());
  return workers;
}

/// Gives every one of the first a piece as long as there are enough for all of them; what is left is fewer.
std::int64_t give_to_all(std::vector<Alike>& all, std::int64_t pieces) {
  while (true) {
    const std::vector<Alike*> first = first_of(all);
    std::int64_t needed = 0;
    for (const Alike* each : first) needed += static_cast<std::int64_t>(each->workers.size());
    if (needed > pieces) return pieces;
    for (Alike* each : first) ++each->share;
    pieces -= needed;
  }
}

}  // namespace

std::vector<std::int64_t> share_out(const std::vector<Pace>& workers, std::int64_t pieces) {
  const auto count = static_cast<std::int64_t>(workers.size());
  ORRERY_EXPECT(count >= 1 && pieces >= count);
  std::vector<Alike> all = alike_among(workers);
  const std::int64_t left = give_to_all(all, pieces - count);
  std::vector<std::int64_t> shares(workers.size());
  for (const Alike& each : all) {
    for (const std::size_t worker : each.workers) shares[worker] = each.share;
  }
  if (left == 0) return shares;
  const std::vector<std::size_t> last = workers_of(first_of(all));
  for (std::int64_t i = 0; i < left; ++i) ++shares[last[static_cast<std::size_t>(i)]];
  return shares;
}

}  // namespace orrery
