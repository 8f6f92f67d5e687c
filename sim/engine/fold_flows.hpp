// What fold() compares: the flows of the whole job, those that stand for them, and the links of both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sim/engine/fold.hpp"
#include "sim/engine/library_run.hpp"

namespace orrery {

/// Flows with the same key are equal in size and time, and one folded flow stands for all of them.
struct FoldFlow {
  std::uint32_t key = 0;
  RankId from;                // of the whole job
  std::vector<LinkId> links;  // of the whole platform
};

class FoldFlows {
 public:
  FoldFlows(const Platform& platform, const FoldRequest& request);

  /// The flows of the folded job, once its platform is made; `original`: see Fold.
  std::vector<FoldFlow> folded(const Platform& folded_platform, const std::vector<LinkId>& original) const;

  [[nodiscard]] const std::vector<FoldFlow>& whole() const { return whole_; }
  [[nodiscard]] const std::vector<NetworkReach>& reach() const { return reach_; }
  [[nodiscard]] const std::vector<std::string>& obstacles() const { return obstacles_; }
  [[nodiscard]] const FoldTraffic& traffic(std::uint32_t key) const { return request_.traffic[traffic_of_[key]]; }
  [[nodiscard]] std::size_t keys() const { return traffic_of_.size(); }

 private:
  enum class Way : std::uint8_t { node, network, message };
  using Name = std::tuple<std::size_t, Way, std::size_t, std::size_t>;  // traffic, way, stand-ins of both ends

  void list_collective(std::size_t traffic);
  void list_messages(std::size_t traffic);
  void compare_groups(std::size_t traffic);
  std::uint32_t key(const Name& name);
  [[nodiscard]] DeviceId host_of(RankId rank) const { return request_.hosts[rank.index()]; }
  [[nodiscard]] std::size_t stand_in(RankId rank) const { return request_.stand_in[rank.index()]; }
  [[nodiscard]] NextNode next_in(std::size_t traffic) const;
  [[nodiscard]] bool crosses_core(DeviceId from, DeviceId to) const;
  /// Per group of a traffic: the representatives among its members, as ranks of the folded job.
  [[nodiscard]] std::vector<std::vector<std::size_t>> simulated(std::size_t traffic) const;

  const Platform& platform_;
  const FoldRequest& request_;
  std::map<Name, std::uint32_t> keys_;
  std::vector<std::size_t> traffic_of_;  // per key
  std::vector<FoldFlow> whole_;
  std::vector<NetworkReach> reach_;
  std::vector<std::string> obstacles_;
};

/// By how much each link of the whole platform is narrower for the folded flows, and why that is not the same for all.
struct FoldShares {
  std::vector<double> divisor;  // per link of the whole platform
  std::vector<std::string> obstacles;
};
FoldShares compare_flows(const Platform& platform, const FoldFlows& flows, const std::vector<FoldFlow>& folded);

}  // namespace orrery
