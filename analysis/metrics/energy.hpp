// Energy from Records: states of devices (busy, blocked in communication, idle), links (always on, per bit, radio), the
// rest of the nodes, the wide-area network, and the facility (PUE).
//
//   device:  busy x typical + blocked x max(idle, blocked_fraction x maximum) + rest x idle
//   link:    always on x time + active x time in use + pJ/bit x bits
//   node:    power of its rest (host, fans): training while one of its devices computes, else idle
//   WAN:     wan_J_per_GB (or fixed_kWh_per_GB) x bytes of the messages that leave their site, each counted once
//
// What stands in a data centre is multiplied by PUE; the WAN is not: PUE is a property of the facility. A device
// without a figure for its training power takes its maximum; one with neither makes the energy unknown. Co-simulated
// ways: federated_energy.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/metrics/intervals.hpp"
#include "scenarios/way.hpp"

namespace orrery {

struct EnergyParts {
  Joules compute;        // devices busy, and the rest of their nodes meanwhile
  Joules communication;  // devices blocked in communication, links in use, WAN
  Joules idle;           // devices, rest of the nodes and links standing by
  [[nodiscard]] Joules total() const { return compute + communication + idle; }
  EnergyParts& operator+=(const EnergyParts& other);
  friend EnergyParts operator*(EnergyParts parts, double factor);
};

/// How long one device was in each state; the three sum to the time looked at.
struct DeviceTime {
  Seconds busy;     // computing
  Seconds blocked;  // communicating or waiting for it, and neither computing nor waiting for its host
  Seconds idle;     // its host at work, training data on its way, or nothing
};

/// Nodes of a group that so many of its devices stand on: they fill one after the other, and one of which a part is in
/// use is powered, and rented, whole.
double whole_nodes(double devices, const NodeGroup& group);

/// `own`: the activities of one rank. From ready to start a communication is waited for in a busy wait: blocked. Where
/// its host is at work a device stands by, whatever moves beside, but for exchanges within the pass (ActivityRole); and
/// while it waits for training data (waits_of_loading_ranks), for its next message is not asked for before its pass.
DeviceTime device_time(std::span<const Activity> own, std::span<const Interval> data_waits, Seconds from, Seconds to);

/// While blocked in communication: this fraction of the maximum (of typical when that is unknown), but never below
/// idle.
Watts blocked_power(const Device& device, double blocked_fraction);

/// Without PUE. Nothing when the device's power is unknown.
std::optional<EnergyParts> device_energy(const DeviceTime& time, const Device& device, double blocked_fraction);

/// Of the bytes and the time a link was in use, beyond its standby: active x busy + pJ/bit x 8 x bytes.
Joules energy_in_use(const LinkPower& power, const LinkUse& use);

/// Joules per byte of a port of this link, in either direction: pJ/bit x 8.
double energy_per_byte(const Link& link);

/// Carbon of energy from a grid of this intensity.
double kilograms(Joules energy, double gCO2e_per_kWh);

/// wan_J_per_GB x bytes; with network = intensity: fixed_kWh_per_GB instead.
Joules wan_energy(Bytes bytes, const EnergySpec& energy);

/// Of the links of these devices' ports, and of the leaves when they stand in more than one, whatever crosses them.
Watts standing_power(const Cluster& cluster, const std::vector<DeviceId>& placement);

/// One step of a centralised way: the devices of its ranks, the rest of the nodes they stand in, the links of their
/// ports (and of the leaves when they stand in more than one). Devices and links that the way does not use are not
/// charged. Time added for stragglers (Way::straggler_share) is spent blocked; between kernels (Way::gap_share) a
/// device stands by.
std::optional<EnergyParts> step_energy(const Way& way, const EnergySpec& energy, const ClusterSpec& cluster);

}  // namespace orrery
