// Links of a folded platform tell what the links that they stand for do.
#include <map>
#include <numeric>
#include <set>

#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

struct Wire {
  double rate = 0, bytes = 0, copies = 1, standing = 0;
  bool is_of_leaf = false;
};

/// Links between a leaf and the core.
std::set<LinkId> of_leaves(const Platform& platform) {
  std::set<LinkId> links;
  for (const Zone& zone : platform.zones) {
    links.insert(zone.up.begin(), zone.up.end());
    links.insert(zone.down.begin(), zone.down.end());
  }
  return links;
}

/// Of the links by name. Uplinks of leaves that their ports cannot fill are left out where no simulated flow crosses
/// them: folded collectives stay below them.
std::map<std::string, Wire> wires_of(const std::string& cluster, const std::string& keys) {
  const Way way = simulated(
      shipped_lab("[workload]\nnetwork = \"llama3.2-1b\"\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
                  "framework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 4\n" +
                  cluster + "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + keys));
  std::map<std::string, Wire> wires;
  for (const LinkUse& use : way.records.links) {
    const PlatformLink& link = way.platform.links[use.link.index()];
    const bool is_of_leaf = of_leaves(way.platform).contains(use.link);
    if (is_of_leaf && use.bytes <= Bytes()) continue;
    const double copies = way.link_copies.empty() ? 1.0 : way.link_copies[use.link.index()];
    wires[link.name] = {link.bandwidth.value(), use.bytes.value(), copies,
                        way.link_power[use.link.index()].always_on.value() * copies, is_of_leaf};
  }
  return wires;
}

/// Over the links of ports.
double sum_of(const std::map<std::string, Wire>& wires, double (*figure)(const Wire&)) {
  return std::accumulate(wires.begin(), wires.end(), 0.0, [figure](double sum, const auto& wire) {
    return wire.second.is_of_leaf ? sum : sum + figure(wire.second);
  });
}

}  // namespace

TEST_CASE("a link of a folded platform has the rate and bytes of the same one unfolded") {
  const std::string cluster =
      GENERATE(as<std::string>(), "", "nics = 2\nnetwork_link = \"eth-25g\"\n",
               "fabric = \"dragonfly\"\nnodes_per_leaf = 2\noversubscription = 2\n",
               "fabric = \"fat-tree\"\nnodes_per_leaf = 2\noversubscription = 2\n", "fabric = \"torus\"\nnics = 4\n");
  const std::string keys = GENERATE(as<std::string>(), "pp = 8\n", "pp = 8\ninterleave = 2\n", "zero_stage = 3\n",
                                    "tp = 2\npp = 2\ncp = 2\nzero_stage = 1\n", "tp = 8\npp = 4\n");
  INFO(cluster << keys);
  const auto folded = wires_of(cluster, keys), whole = wires_of(cluster, keys + "fold = \"never\"\n");
  for (const auto& [name, wire] : folded) {
    INFO(name);
    const Wire& same = whole.at(name);
    CHECK(wire.rate == same.rate);
    CHECK(wire.bytes == Approx(same.bytes).epsilon(1e-6));
  }
  const auto bytes = [](const Wire& wire) { return wire.bytes * wire.copies; };
  CHECK(sum_of(folded, bytes) == Approx(sum_of(whole, bytes)).epsilon(1e-6));
  const auto standing = [](const Wire& wire) { return wire.standing; };
  CHECK(sum_of(folded, standing) == Approx(sum_of(whole, standing)).epsilon(1e-6));
}

TEST_CASE("four devices that share a NIC are one rank, and the NIC carries four messages") {
  // Of 32 devices pp = 8 puts the four replicas of a stage behind one of a node's two NICs.
  const std::string cluster = "nics = 2\nnetwork_link = \"eth-25g\"\n";
  const auto folded = wires_of(cluster, "pp = 8\n");
  const Wire& nic = folded.at("node0.nic1.up");
  CHECK(nic.copies == 1);
  // Boundaries of 16 micro-batches of one sample: 8192 tokens of 2048 numbers of 2 bytes, from each of four devices.
  CHECK(nic.bytes == Approx(4 * 16 * 8192.0 * 2048 * 2).epsilon(1e-9));
  CHECK(nic.rate == wires_of(cluster, "pp = 8\nfold = \"never\"\n").at("node0.nic1.up").rate);
}

}  // namespace orrery
