// Whether every flow of the whole job finds what the flow that stands for it finds. A link is described by its speed,
// its latency and how many flows of each key cross it; two flows of a key must cross links of the same descriptions.
// Links of leaves that carry all that the ports below them can bring never hold a flow up and do not count.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sim/engine/fold_flows.hpp"

namespace orrery {

namespace {

using Counts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // (key, flows), sorted by key

/// Per link of the platform: how many flows of which key cross it.
std::vector<Counts> count(const std::vector<FoldFlow>& flows, std::size_t links) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> crossings;  // (link, key)
  for (const FoldFlow& flow : flows) {
    for (const LinkId link : flow.links) crossings.emplace_back(static_cast<std::uint32_t>(link.index()), flow.key);
  }
  std::sort(crossings.begin(), crossings.end());
  std::vector<Counts> counts(links);
  for (const auto& [link, key] : crossings) {
    Counts& here = counts[link];
    if (here.empty() || here.back().first != key) here.emplace_back(key, 0);
    ++here.back().second;
  }
  return counts;
}

/// Links of leaves through which less can come than they carry: what the ports next to them bring or take.
std::vector<char> never_full(const Platform& platform, const std::vector<FoldFlow>& flows) {
  std::vector<char> up(platform.links.size(), 0), down(platform.links.size(), 0), result(platform.links.size(), 0);
  for (const Zone& zone : platform.zones) {
    for (const LinkId link : zone.up) up[link.index()] = 1;
    for (const LinkId link : zone.down) down[link.index()] = 1;
  }
  std::set<std::pair<LinkId, LinkId>> next_to;  // (link of a leaf, link of a port)
  for (const FoldFlow& flow : flows) {
    for (std::size_t i = 0; i < flow.links.size(); ++i) {
      if (up[flow.links[i].index()] && i > 0) next_to.emplace(flow.links[i], flow.links[i - 1]);
      if (down[flow.links[i].index()] && i + 1 < flow.links.size()) next_to.emplace(flow.links[i], flow.links[i + 1]);
    }
  }
  std::map<LinkId, double> most;
  for (const auto& [leaf, port] : next_to) most[leaf] += platform.links[port.index()].bandwidth.value();
  for (const auto& [leaf, bytes_per_second] : most) {
    result[leaf.index()] = bytes_per_second <= platform.links[leaf.index()].bandwidth.value() * (1 + 1e-9);
  }
  return result;
}

class Comparison {
 public:
  Comparison(const Platform& platform, const FoldFlows& flows, const std::vector<FoldFlow>& folded)
      : platform_(platform),
        flows_(flows),
        folded_(folded),
        whole_counts_(count(flows.whole(), platform.links.size())),
        folded_counts_(count(folded, platform.links.size())),
        free_(never_full(platform, flows.whole())) {
    describe_links();
  }

  FoldShares run() {
    compare_ways();
    FoldShares shares;
    shares.divisor.assign(platform_.links.size(), 1.0);
    for (std::size_t link = 0; link < platform_.links.size(); ++link) {
      if (!free_[link] && !folded_counts_[link].empty()) shares.divisor[link] = divisor(link);
    }
    shares.obstacles.assign(obstacles_.begin(), obstacles_.end());
    return shares;
  }

 private:
  using Description = std::tuple<double, double, Counts>;

  void describe_links() {
    std::map<Description, std::uint32_t> known;
    for (std::size_t i = 0; i < platform_.links.size(); ++i) {
      const PlatformLink& link = platform_.links[i];
      const Description description{link.bandwidth.value(), link.latency.value(), whole_counts_[i]};
      description_.push_back(known.try_emplace(description, static_cast<std::uint32_t>(known.size())).first->second);
    }
  }

  /// Descriptions of the links that a flow crosses, in no order.
  [[nodiscard]] std::vector<std::uint32_t> way(const FoldFlow& flow) const {
    std::vector<std::uint32_t> result;
    for (const LinkId link : flow.links) {
      if (!free_[link.index()]) result.push_back(description_[link.index()]);
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  void compare_ways() {
    std::map<std::uint32_t, std::vector<std::uint32_t>> ways;
    std::map<std::uint32_t, RankId> who;
    for (const FoldFlow& flow : folded_) {
      ways[flow.key] = way(flow);
      who[flow.key] = flow.from;
    }
    for (const FoldFlow& flow : flows_.whole()) {
      const auto found = ways.find(flow.key);
      const std::string& name = flows_.traffic(flow.key).name;
      if (found == ways.end()) {
        obstacles_.insert(fmt::format("{}: nobody stands for rank {}", name, flow.from.index()));
      } else if (!told_[flow.key] && found->second != way(flow)) {
        told_[flow.key] = true;
        obstacles_.insert(fmt::format("{}: rank {} does not share its links as rank {} does, which would stand for it",
                                      name, flow.from.index(), who[flow.key].index()));
      }
    }
  }

  /// Flows of the whole job on a link per folded flow on it, the same for every key.
  double divisor(std::size_t link) {
    const Counts &whole = whole_counts_[link], &folded = folded_counts_[link];
    double ratio = 0;
    bool alike = whole.size() == folded.size();
    for (std::size_t i = 0; alike && i < whole.size(); ++i) {
      const double here = static_cast<double>(whole[i].second) / folded[i].second;
      alike = whole[i].first == folded[i].first && (i == 0 || here == ratio);
      ratio = here;
    }
    if (alike) return ratio;
    obstacles_.insert(
        fmt::format("{}: the ranks that cross it are not all folded by the same factor", platform_.links[link].name));
    return 1.0;
  }

  const Platform& platform_;
  const FoldFlows& flows_;
  const std::vector<FoldFlow>& folded_;
  std::vector<Counts> whole_counts_, folded_counts_;
  std::vector<char> free_;
  std::vector<std::uint32_t> description_;  // per link
  std::map<std::uint32_t, bool> told_;      // per key
  std::set<std::string> obstacles_;
};

}  // namespace

FoldShares compare_flows(const Platform& platform, const FoldFlows& flows, const std::vector<FoldFlow>& folded) {
  return Comparison(platform, flows, folded).run();
}

}  // namespace orrery
