#include "sim/engine/fold_flows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace orrery {

FoldFlows::FoldFlows(const Platform& platform, const FoldRequest& request) : platform_(platform), request_(request) {
  for (std::size_t traffic = 0; traffic < request.traffic.size(); ++traffic) {
    reach_.push_back(NetworkReach::leaf);
    if (request.traffic[traffic].kind == FoldTraffic::Kind::messages) {
      list_messages(traffic);
    } else {
      compare_groups(traffic);
      list_collective(traffic);
    }
  }
}

std::uint32_t FoldFlows::key(const Name& name) {
  const auto [place, fresh] = keys_.try_emplace(name, static_cast<std::uint32_t>(traffic_of_.size()));
  if (fresh) traffic_of_.push_back(std::get<0>(name));
  return place->second;
}

NextNode FoldFlows::next_in(std::size_t traffic) const {
  const bool is_all_to_all = request_.traffic[traffic].kind == FoldTraffic::Kind::all_to_all;
  return is_all_to_all ? NextNode::half_way : NextNode::neighbour;
}

bool FoldFlows::crosses_core(DeviceId from, DeviceId to) const {
  return platform_.hosts[from.index()].network->zone != platform_.hosts[to.index()].network->zone;
}

/// The ranks for which one stands must be in groups of equal size over equally many nodes, or their collectives would
/// not cost the same.
void FoldFlows::compare_groups(std::size_t traffic) {
  std::map<std::size_t, std::pair<std::size_t, std::size_t>> shapes;  // by stand-in: members, nodes
  for (const auto& group : request_.traffic[traffic].groups) {
    std::map<std::int64_t, std::size_t> nodes;
    for (const RankId rank : group) ++nodes[joined_node(platform_, host_of(rank))];
    const auto by_count = [](const auto& one, const auto& other) { return one.second < other.second; };
    const auto [few, many] = std::minmax_element(nodes.begin(), nodes.end(), by_count);
    const std::size_t fewest = few->second, most = many->second;
    if (fewest != most) {
      obstacles_.push_back(fmt::format("{}: of a group of {} ranks there are {} on one node and {} on another",
                                       request_.traffic[traffic].name, group.size(), most, fewest));
      return;
    }
    const std::pair shape(group.size(), nodes.size());
    for (const RankId rank : group) {
      const auto [place, fresh] = shapes.try_emplace(stand_in(rank), shape);
      if (fresh || place->second == shape) continue;
      obstacles_.push_back(fmt::format("{}: groups of {} ranks on {} nodes and of {} on {} are not alike",
                                       request_.traffic[traffic].name, place->second.first, place->second.second,
                                       shape.first, shape.second));
      return;
    }
  }
}

void FoldFlows::list_collective(std::size_t traffic) {
  constexpr std::size_t equals = 0;  // the other end is one that stands for it, whichever
  std::size_t far = 0, near = 0;
  for (const auto& group : request_.traffic[traffic].groups) {
    std::vector<DeviceId> members;
    for (const RankId rank : group) members.push_back(host_of(rank));
    const std::vector<LibraryTargets> targets =
        library_targets(platform_, members, NetworkReach::leaf, next_in(traffic));
    for (std::size_t i = 0; i < group.size(); ++i) {
      const auto add = [&](Way way, DeviceId to) {
        if (!to.valid()) return;
        whole_.push_back(
            {key({traffic, way, stand_in(group[i]), equals}), group[i], route(platform_, members[i], to).links});
        if (way == Way::network) ++(crosses_core(members[i], to) ? far : near);
      };
      add(Way::node, targets[i].node);
      for (const NetworkTarget& target : targets[i].network) add(Way::network, target.to);
    }
  }
  if (far > 0 && near == 0) reach_[traffic] = NetworkReach::core;
}

void FoldFlows::list_messages(std::size_t traffic) {
  for (const auto& pair : request_.traffic[traffic].groups) {
    const RankId from = pair.front(), to = pair.back();
    whole_.push_back({key({traffic, Way::message, stand_in(from), stand_in(to)}), from,
                      route(platform_, host_of(from), host_of(to)).links});
  }
}

std::vector<std::vector<std::size_t>> FoldFlows::simulated(std::size_t traffic) const {
  std::vector<std::vector<std::size_t>> groups;
  for (const auto& group : request_.traffic[traffic].groups) {
    groups.emplace_back();
    for (const RankId rank : group) {
      if (request_.representatives[stand_in(rank)] == rank) groups.back().push_back(stand_in(rank));
    }
  }
  return groups;
}

std::vector<FoldFlow> FoldFlows::folded(const Platform& folded_platform, const std::vector<LinkId>& original) const {
  std::vector<FoldFlow> flows;
  const auto add = [&](std::uint32_t key, std::size_t from, DeviceId to) {
    std::vector<LinkId> links;
    for (const LinkId link : route(folded_platform, DeviceId(from), to).links) links.push_back(original[link.index()]);
    flows.push_back({key, request_.representatives[from], std::move(links)});
  };
  for (std::size_t traffic = 0; traffic < request_.traffic.size(); ++traffic) {
    if (request_.traffic[traffic].kind == FoldTraffic::Kind::messages) continue;
    for (const auto& group : simulated(traffic)) {
      std::vector<DeviceId> members;
      for (const std::size_t rank : group) members.emplace_back(rank);
      const std::vector<LibraryTargets> targets =
          library_targets(folded_platform, members, reach_[traffic], next_in(traffic));
      for (std::size_t i = 0; i < group.size(); ++i) {
        const auto add_way = [&](Way way, DeviceId to) {
          const auto found = keys_.find({traffic, way, group[i], 0});
          if (found != keys_.end() && to.valid()) add(found->second, group[i], to);
        };
        add_way(Way::node, targets[i].node);
        for (const NetworkTarget& target : targets[i].network) add_way(Way::network, target.to);
      }
    }
  }
  for (const auto& [name, key] : keys_) {
    const auto& [traffic, way, from, to] = name;
    if (way == Way::message) add(key, from, DeviceId(to));
  }
  return flows;
}

}  // namespace orrery
