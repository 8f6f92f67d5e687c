// A platform as SimGrid has it: its hosts and links, and which of them a flow goes between.
#pragma once

#include <simgrid/s4u.hpp>

#include <utility>
#include <vector>

#include "sim/engine/platform.hpp"

namespace orrery {

/// A star zone gives a member one way up and one way down, so a host with two ports is two SimGrid hosts: we pick the
/// pair per flow, and bytes take no processor time.
class SimGridPlatform {
 public:
  struct Hosts {
    simgrid::s4u::Host* inside = nullptr;
    simgrid::s4u::Host* network = nullptr;
    [[nodiscard]] simgrid::s4u::Host* computing() const { return network ? network : inside; }
  };

  /// Makes it in `engine`; `platform` stays the caller's, and has to outlive this. Throws runtime_error where SimGrid
  /// goes another way than route().
  SimGridPlatform(simgrid::s4u::Engine& engine, const Platform& platform);

  [[nodiscard]] const Hosts& hosts(DeviceId id) const { return hosts_[id.index()]; }
  [[nodiscard]] simgrid::s4u::Link* link(LinkId id) const { return links_[id.index()]; }
  /// The two SimGrid hosts between which a flow goes: the same choice as route().
  [[nodiscard]] std::pair<simgrid::s4u::Host*, simgrid::s4u::Host*> ends(DeviceId from, DeviceId to) const;

 private:
  void add(const PlatformHost& host, simgrid::s4u::NetZone* inside, const std::vector<simgrid::s4u::NetZone*>& leaves);
  template <class End>
  void connect(simgrid::s4u::NetZone* zone, End* end, const std::vector<LinkId>& up, const std::vector<LinkId>& down);
  [[nodiscard]] std::vector<simgrid::s4u::LinkInRoute> in_route(const std::vector<LinkId>& ids) const;
  void check_route(DeviceId from, DeviceId to) const;
  void check_sample_routes() const;

  const Platform& platform_;
  std::vector<simgrid::s4u::Link*> links_;
  std::vector<Hosts> hosts_;
};

/// SimGrid counts whole bytes; ours are fractions. All sizes and bandwidths are multiplied alike.
inline constexpr double simgrid_units_per_byte = 65536.0;

}  // namespace orrery
