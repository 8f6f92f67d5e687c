// The catalogue: devices, links, systems, prices and carbon as data rows (topologies/catalogue/*.csv), every row with
// its source.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/units.hpp"
#include "topologies/precision.hpp"

namespace orrery {

struct Device {
  std::string id, name, kind, vendor;  // kind: cpu, gpu, tpu, npu, fpga, edge, phone, host
  int year = 0;
  std::array<FlopsPerSecond, 7> peak{};  // by Precision; 0 = the source gives none
  Bytes memory;
  BytesPerSecond memory_bandwidth;
  Watts idle, typical, maximum;  // idle; while training (large kernels); board power limit
  double gemm_fraction = 1.0;    // share of the peak that large matrix products reach
  std::string link;              // catalogue id of its scale-up link; empty when none
  std::string source, notes;
  std::string assumed;  // fields not read in a source, separated by ';'

  /// Peak for a precision; falls back to the next wider format the device has (fp8 -> bf16 -> fp16 -> tf32 -> fp32).
  /// Throws Infeasible when there is none.
  [[nodiscard]] FlopsPerSecond peak_for(Precision precision) const;
};

struct Link {
  std::string id, name, kind;    // kind: nvlink, pcie, infiniband, roce, ethernet, wifi, cellular, wan, ici, ...
  BytesPerSecond down, up;       // nominal, per direction; equal unless asymmetric
  Seconds latency;               // one way, hardware + software stack
  double efficiency = 1.0;       // share of the nominal rate that payload reaches
  Watts port;                    // always on: switch share + NIC + optics of one port
  double energy_pJ_per_bit = 0;  // marginal; 0 when the source gives none
  Watts client_active;           // radio or NIC of a client while it moves data; 0 when none is given
  std::string source, notes, assumed;

  [[nodiscard]] BytesPerSecond effective_down() const { return down * efficiency; }
  [[nodiscard]] BytesPerSecond effective_up() const { return up * efficiency; }
};

struct System {
  std::string id, name;
  std::string device;  // catalogue ids
  int devices_per_node = 1;
  std::string node_link;  // inside the node; empty when one device per node
  int nics_per_node = 1;
  std::string network_link;        // of one NIC
  int max_nodes = 0;               // 0 = no limit known
  Watts node_idle, node_training;  // whole node; 0 when unknown
  double price_per_hour = 0;       // of one node; 0 when unknown
  std::string currency;
  std::string source, notes, assumed;
};

struct GridIntensity {
  std::string id, name;
  double gCO2e_per_kWh = 0;
  std::string source;
};

struct Catalogue {
  std::vector<Device> devices;
  std::vector<Link> links;
  std::vector<System> systems;
  std::vector<GridIntensity> grids;

  /// Nothing when unknown; the ids for did-you-mean come from ids_of().
  [[nodiscard]] const Device* device(std::string_view id) const;
  [[nodiscard]] const Link* link(std::string_view id) const;
  [[nodiscard]] const System* system(std::string_view id) const;
  [[nodiscard]] const GridIntensity* grid(std::string_view id) const;
};

/// Reads devices.csv, links.csv, systems.csv, carbon.csv of `folder`; every defect of every row is a problem. Where the
/// measured host profile (host.csv, written by `orrery profile --device`) exists, its device is added under the id
/// `host`.
Catalogue read_catalogue(const std::filesystem::path& folder, Problems& problems);

template <class Row>
std::vector<std::string> ids_of(const std::vector<Row>& rows) {
  std::vector<std::string> ids;
  ids.reserve(rows.size());
  for (const Row& row : rows) ids.push_back(row.id);
  return ids;
}

}  // namespace orrery
