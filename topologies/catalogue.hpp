// The catalogue: devices, links, systems and carbon as data rows (topologies/catalogue/*.csv), every row with its
// source. What the columns mean and in which units stands in topologies/catalogue/README.md.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/units.hpp"
#include "topologies/precision.hpp"

namespace orrery {

struct Device {
  std::string id, name, kind, vendor;    // kind: cpu, gpu, tpu, npu, fpga, edge, phone, host
  int year = 0;                          // 0 = unknown
  std::array<FlopsPerSecond, 7> peak{};  // by Precision; 0 = the source gives none
  Bytes memory;
  BytesPerSecond memory_bandwidth;
  Watts idle, typical, maximum;  // idle; while training (large kernels); board power limit. 0 = no source gives one
  double gemm_fraction = 1.0;    // share of the peak that large matrix products reach
  Seconds step_overhead;         // of one training step beside its samples; the default of ClientGroup::step_overhead
  std::string link;              // catalogue id of its scale-up (or only) link; empty when none
  std::string source, notes;
  std::string assumed;  // columns not read in a source, separated by ';'; `all` = the whole row

  /// The format in which it multiplies: the precision's own, or the next wider one that the device has a peak for (fp8
  /// -> bf16 -> fp16 -> tf32 -> fp32). fp64 and int8 have no fallback. Throws Infeasible when there is none.
  [[nodiscard]] Precision format_for(Precision precision) const;
  /// The peak of that format.
  [[nodiscard]] FlopsPerSecond peak_for(Precision precision) const;
};

/// While training: typical, else maximum; zero when neither is known.
inline Watts training_power(const Device& device) {
  return device.typical > Watts{} ? device.typical : device.maximum;
}

/// What a client's radio (or NIC) draws beyond the device's idle power; topologies/radio.hpp makes joules of it.
struct Radio {
  std::string id, name;
  double up_nJ_per_bit = 0, down_nJ_per_bit = 0;  // 1 nJ/bit = 1 mW per Mbit/s = 0.008 J/MB
  Watts base;                                     // while data moves, whatever the rate
  Watts maximum;                                  // never draws more while data moves; 0: no limit known
  Joules tail;        // of staying awake after a burst, unless it moves data again within tail_time
  Seconds tail_time;  // the tail is drawn evenly over it
  std::string source, assumed, notes;
};

struct Link {
  std::string id, name, kind;    // kind: nvlink, nvswitch, xgmi, socket, pcie, ici, infiniband, roce, ethernet, ...
  BytesPerSecond down, up;       // nominal, per direction; equal unless asymmetric
  Seconds latency;               // one way, as seen through latency_stack (hardware and software together)
  double efficiency = 1.0;       // share of the nominal rate that payload reaches
  Watts port;                    // always on: switch share + NIC + optics of one port
  double energy_pJ_per_bit = 0;  // marginal; 0 when the source gives none
  Watts client_active;           // radio or NIC of a client while it moves data; 0 when none is given
  std::optional<Radio> radio;    // takes the place of client_active where it is given
  std::string source, notes, assumed;
  std::string latency_stack;   // the software whose latency it is: nccl-simple-hop, kernel TCP one way, ...
  BytesPerSecond host_bridge;  // pcie only: what the root complex of a node forwards for all its devices; 0 = unlimited
  Watts trunk;                 // always on: one end of a switch-to-switch line (switch share + optics, no NIC)

  [[nodiscard]] BytesPerSecond effective_down() const { return down * efficiency; }
  [[nodiscard]] BytesPerSecond effective_up() const { return up * efficiency; }
};

struct System {
  std::string id, name;
  std::string device;  // catalogue ids
  int devices_per_node = 1;
  std::string node_link;  // inside the node; empty when one device per node, or when devices talk over the network
  int nics_per_node = 1;
  std::string network_link;        // of one NIC
  int max_nodes = 0;               // 0 = no limit known
  Watts node_idle, node_training;  // whole node; 0 when unknown
  double price_per_hour = 0;       // of one node, on demand; 0 when unknown
  std::string currency;
  std::string source, notes, assumed;
  std::string vendor;
  int year = 0;
  Watts node_maximum;             // rating of the whole node; 0 when unknown
  std::string fabric = "star";    // a name in the table of shapes
  int nodes_per_leaf = 16;        // fat-tree
  double oversubscription = 1.0;  // leaf down capacity / leaf up capacity
  int torus_axes = 3;             // torus
};

struct GridIntensity {
  std::string id, name;
  double gCO2e_per_kWh = 0;
  std::string source;
  std::string kind;  // country, region, cloud_region
  int year = 0;
  std::string assumed, notes;
};

/// What a source id stands for.
struct Source {
  std::string id, title, where, version, used_for;
};

struct Catalogue {
  std::vector<Device> devices;
  std::vector<Link> links;
  std::vector<Radio> radios;
  std::vector<System> systems;
  std::vector<GridIntensity> grids;
  std::vector<Source> sources;

  /// Nothing when unknown; the ids for did-you-mean come from ids_of().
  [[nodiscard]] const Device* device(std::string_view id) const;
  [[nodiscard]] const Link* link(std::string_view id) const;
  [[nodiscard]] const Radio* radio(std::string_view id) const;
  [[nodiscard]] const System* system(std::string_view id) const;
  [[nodiscard]] const GridIntensity* grid(std::string_view id) const;
};

/// Reads sources.csv, radios.csv, links.csv, devices.csv, systems.csv, carbon.csv of `folder`; every defect of every
/// row is a problem. Where the measured host profile (host.csv, written by `orrery profile --device`) exists, its
/// device is added under the id `host`.
Catalogue read_catalogue(const std::filesystem::path& folder, Problems& problems);

/// Reads a CSV of the columns of devices.csv with exactly one row: a measured host (models/profiles/*.host.csv). Source
/// and link ids are not resolved. Nothing when a problem was recorded.
std::optional<Device> read_device_file(const std::filesystem::path& path, Problems& problems);

/// That file's text: header and row, numbers as the shortest text that reads back (to the last bit of the column's
/// unit).
std::string device_csv(const Device& device);

template <class Row>
std::vector<std::string> ids_of(const std::vector<Row>& rows) {
  std::vector<std::string> ids;
  ids.reserve(rows.size());
  for (const Row& row : rows) ids.push_back(row.id);
  return ids;
}

}  // namespace orrery
