// Hand checks of the library's collectives with the constants of A100 nodes (fits to nccl-tests).
#include "sim/collectives/library.hpp"

#include <cmath>

#include "tests/catch.hpp"

namespace orrery {

namespace {

constexpr double us = 1e-6;

LibraryPath nvswitch() {
  LibraryPath path;
  path.bus = BytesPerSecond(239e9);
  path.base = Seconds(34 * us);
  path.hop = Seconds(2.2 * us);
  path.fill = Seconds(199 * us);
  path.fill_bytes = Bytes(172e6);
  path.small_ring_loss = 0.157;
  return path;
}

LibraryPath nic() {
  LibraryPath path;
  path.bus = BytesPerSecond(0.85 * 25e9);
  path.base = Seconds(34 * us);
  path.hop = Seconds(15 * us);
  return path;
}

double time_in_node(CollectiveKind kind, int ranks, double bytes) {
  return library_cost(kind, {ranks, ranks}, Bytes(bytes), nvswitch(), nic()).total().value();
}

double time_between(CollectiveKind kind, GroupPlace place, double bytes) {
  return library_cost(kind, place, Bytes(bytes), nvswitch(), nic()).total().value();
}

}  // namespace

TEST_CASE("all-reduces inside a node take base, steps, wire and filling", "[library]") {
  using enum CollectiveKind;
  // 34 + 14 x 2.2 + 1.835 MB / 234.3 GB/s + 199 (1 - exp(-1.835 / 172)) = 34 + 30.8 + 7.8 + 2.1 us
  CHECK(time_in_node(all_reduce, 8, mebi) == Approx(74.7 * us).epsilon(0.001));
  CHECK(time_in_node(all_reduce, 8, 16 * mebi) == Approx(221 * us).epsilon(0.003));
  CHECK(time_in_node(all_reduce, 8, 64 * mebi) == Approx(665 * us).epsilon(0.001));
  CHECK(time_in_node(all_reduce, 8, gibi) == Approx(8283 * us).epsilon(0.001));
  CHECK(time_in_node(all_reduce, 2, 16 * mebi) == Approx(133.1 * us).epsilon(0.001));
  CHECK(time_in_node(all_reduce, 8, 50.3e6) == Approx(0.520e-3).epsilon(0.002));
}

TEST_CASE("small messages between nodes go along trees by a protocol of their own, at a quarter of the rate",
          "[library]") {
  LibraryPath node = nvswitch(), network = nic();
  node.small_hop = Seconds(0.6 * us), network.small_hop = Seconds(5 * us);
  const auto time = [&](double bytes) {
    return library_cost(CollectiveKind::all_reduce, {64, 8}, Bytes(bytes), node, network).total().value();
  };
  // 34 + 2 (3 x 5 + 7 x 0.6) + 2 x 63/64 x 1 KiB / 8 / (21.25 / 4 GB/s) = 34 + 38.4 + 0.05 us
  CHECK(time(kibi) == Approx(72.45 * us).epsilon(0.0005));
  CHECK(time(kibi) < 0.3 * time_between(CollectiveKind::all_reduce, {64, 8}, kibi));
  for (const double bytes : {64 * mebi, gibi}) {
    CHECK(time(bytes) == time_between(CollectiveKind::all_reduce, {64, 8}, bytes));
  }
  double before = 0;
  constexpr int sizes = 52;  // to over a GiB
  for (int i = 0; i < sizes; ++i) {
    const double bytes = std::pow(1.5, i);
    CHECK(time(bytes) > before);
    before = time(bytes);
  }
  // Inside a node, and where the network has no such protocol, nothing changes.
  CHECK(library_cost(CollectiveKind::all_reduce, {8, 8}, Bytes(kibi), node, network).total().value() ==
        time_in_node(CollectiveKind::all_reduce, 8, kibi));
  network.small_hop = Seconds();
  CHECK(time(kibi) == time_between(CollectiveKind::all_reduce, {64, 8}, kibi));
}

TEST_CASE("a reduce-scatter and an all-gather are the halves of an all-reduce", "[library]") {
  using enum CollectiveKind;
  CHECK(time_in_node(reduce_scatter, 8, 50.3e6) == Approx(0.260e-3).epsilon(0.002));
  for (const GroupPlace place : {GroupPlace{8, 8}, GroupPlace{24, 8}, GroupPlace{64, 1}, GroupPlace{4096, 4}}) {
    for (const double bytes : {1e3, 1e6, 1e9}) {
      const double whole = time_between(all_reduce, place, bytes);
      CHECK(2 * time_between(reduce_scatter, place, bytes) == Approx(whole).epsilon(1e-12));
      CHECK(2 * time_between(all_gather, place, bytes) == Approx(whole).epsilon(1e-12));
    }
  }
}

TEST_CASE("a thin core narrows a group by what of it crosses leaves at once", "[library]") {
  using enum CollectiveKind;
  LibraryPath core = nic();
  core.leaf_nodes = 2, core.oversubscription = 4;
  CHECK(uplink_share(all_reduce, {16, 8}, core) == 1.0);              // two nodes of one leaf
  CHECK(uplink_share(all_reduce, {32, 8}, core) == Approx(0.5));      // one of a leaf's two nodes sends out
  CHECK(uplink_share(all_reduce, {32, 8, 2}, core) == Approx(0.25));  // both do, in groups of their own
  CHECK(uplink_share(all_reduce, {16, 8, 2}, core) == Approx(0.25));
  CHECK(uplink_share(all_to_all, {32, 8}, core) == Approx(0.375));    // of three other nodes two are under another leaf
  CHECK(uplink_share(all_to_all, {32, 8, 2}, core) == Approx(0.25));  // all are
  CHECK(uplink_share(all_to_all, {16, 8}, core) == 1.0);
  core.oversubscription = 2;
  CHECK(uplink_share(all_reduce, {32, 8}, core) == 1.0);
  core.oversubscription = 4;
  // Of the bytes 3/4 leave a rank in a pass over four nodes: 3.77 GB x 1.5 / (21.25 / 2 GB/s) + 34 + 6 x 15 us
  const double time = library_cost(all_reduce, {4, 1}, Bytes(3.77e9), nvswitch(), core).total().value();
  CHECK(time == Approx(3.77 * 1.5 / 10.625 + 124 * us).epsilon(1e-6));
}

TEST_CASE("a node with fewer ranks of a group sends as much over fewer NICs", "[library]") {
  using enum CollectiveKind;
  const GroupPlace uneven{12, 8, 1, 4, 4};
  CHECK(crowding(all_reduce, uneven, 1) == 2.0);
  CHECK(crowding(all_reduce, uneven, 0.5) == 2.0);                     // two NICs of each device
  CHECK(crowding(all_reduce, uneven, 2) == 2.0);                       // four NICs, of which four devices have two
  CHECK(crowding(all_reduce, uneven, 8) == 1.0);                       // one NIC for all, whoever is there
  CHECK(crowding(all_reduce, {11, 8, 1, 3, 3}, 2) == 2.0);             // three devices have two, one of them its own
  CHECK(crowding(all_reduce, {12, 8}, 1) == 1.0);                      // not known to be uneven
  CHECK(crowding(all_reduce, {8, 8, 1, 4, 4}, 1) == 1.0);              // on one node
  CHECK(crowding(all_to_all, uneven, 1) == 2.0);                       // 4 x 8 out of four NICs, 8 x 4 out of eight
  CHECK(crowding(all_to_all, {20, 8, 1, 4, 4}, 1) == Approx(4. / 3));  // each of four 16 parts, of eight 12
  CHECK(crowding(all_to_all, {20, 8, 1, 4, 4}, 8) == 1.0);             // 4 x 16 against 8 x 12 out of one NIC
  // 3.77 GB x 11/12 / 8 = 431.98 MB of a full node's rank; at 21.25 GB/s, as long again on the other
  const LibraryCost even = library_cost(reduce_scatter, {12, 8}, Bytes(3.77e9), nvswitch(), nic());
  const LibraryCost cost = library_cost(reduce_scatter, uneven, Bytes(3.77e9), nvswitch(), nic());
  CHECK(cost.network_bytes == even.network_bytes);
  CHECK(cost.wire.value() == Approx(3.77e9 * 11 / 12 / 8 / 21.25e9 * 2));
  CHECK(cost.overhead.value() == Approx(even.overhead.value()));
  // Along trees 3.77 GB / 8, and as long again on the other.
  CHECK(library_cost(all_reduce, uneven, Bytes(3.77e9), nvswitch(), nic()).wire.value() ==
        Approx(3.77e9 / 8 / 21.25e9 * 2));
}

TEST_CASE("between nodes the network's wire counts, divided by the ranks of a node", "[library]") {
  using enum CollectiveKind;
  // 3.77 GB over 8 nodes, one rank each: 34 + 14 x 15 us + 6.5975 GB / 21.25 GB/s
  CHECK(time_between(all_reduce, {8, 1}, 3.77e9) == Approx(0.3107).epsilon(0.001));
  // 24 ranks on 3 nodes: 2 x 23/24 GB of every rank, 1/8 of it to the network
  const LibraryCost cost = library_cost(all_reduce, {24, 8}, Bytes(1e9), nvswitch(), nic());
  const double sent = 2e9 * 23 / 24;
  CHECK(cost.network_bytes.value() == Approx(sent / 8));
  CHECK(cost.node_bytes.value() == Approx(sent * 7 / 8));
  CHECK(cost.wire.value() == Approx(sent / 8 / 21.25e9));  // the node's 1.68 GB need 7.0 ms only
  // two hops of 15 and 21 of 2.2 us in each pass
  CHECK(cost.overhead.value() == Approx((34 + 4 * 15 + 42 * 2.2) * us));
  CHECK(cost.algorithm == LibraryAlgorithm::ring);
}

TEST_CASE("over two nodes trees send half of what rings do, and more inside", "[library]") {
  using enum CollectiveKind;
  const LibraryCost halves = library_cost(reduce_scatter, {16, 8}, Bytes(1e9), nvswitch(), nic());
  CHECK(halves.algorithm == LibraryAlgorithm::ring);
  // A NIC of 4 GB/s: 1 GB / 8 of every rank. A root and a leaf: 4 levels' worth of hops up and down; chains of eight.
  LibraryPath slow = nic();
  slow.bus = BytesPerSecond(4e9);
  LibraryCost cost = library_cost(all_reduce, {16, 8}, Bytes(1e9), nvswitch(), slow);
  CHECK(cost.algorithm == LibraryAlgorithm::tree);
  CHECK(cost.network_bytes.value() == Approx(1e9 / 8));
  CHECK(cost.node_bytes.value() == Approx(2e9 * 7 / 8));
  CHECK(cost.wire.value() == Approx(1e9 / 8 / 4e9));
  CHECK(cost.overhead.value() == Approx((34 + 8 * 15 + 14 * 2.2) * us));
  // At 21.25 GB/s the chains' 2 GB inside last longer: at .92 of 239 GB/s x (1 - .157 / 8).
  cost = library_cost(all_reduce, {16, 8}, Bytes(1e9), nvswitch(), nic());
  CHECK(cost.algorithm == LibraryAlgorithm::tree);
  CHECK(cost.total().value() == Approx(2e9 / (0.92 * 239e9 * (1 - 0.157 / 8)) + (34 + 8 * 15 + 14 * 2.2) * us));
  // A chain of two sends S each; one rank in each node sends S either way.
  CHECK(library_cost(all_reduce, {4, 2}, Bytes(1e9), nvswitch(), slow).wire.value() == Approx(0.5e9 / 4e9));
  CHECK(library_cost(all_reduce, {2, 1}, Bytes(1e9), nvswitch(), slow).algorithm == LibraryAlgorithm::ring);
  // Where the network is as fast as the node, and for three nodes, rings are as good.
  CHECK(library_cost(all_reduce, {24, 8}, Bytes(1e9), nvswitch(), slow).algorithm == LibraryAlgorithm::ring);
  slow.bus = BytesPerSecond(100e9);
  CHECK(library_cost(all_reduce, {16, 8}, Bytes(1e9), nvswitch(), slow).algorithm == LibraryAlgorithm::ring);
}

TEST_CASE("a slow link inside the node holds up a ring through the nodes", "[library]") {
  LibraryPath slow = nvswitch();
  slow.bus = BytesPerSecond(5e9);
  slow.small_ring_loss = 0;
  const LibraryCost cost = library_cost(CollectiveKind::all_reduce, {16, 8}, Bytes(1e9), slow, nic());
  CHECK(cost.algorithm == LibraryAlgorithm::ring);
  CHECK(cost.wire.value() == Approx(1.875e9 * 7 / 8 / 5e9));
}

TEST_CASE("trees take over when a ring through the nodes has more steps than 4 log2", "[library]") {
  using enum CollectiveKind;
  CHECK(library_cost(all_reduce, {16, 1}, Bytes(1e6), nvswitch(), nic()).algorithm == LibraryAlgorithm::ring);
  const LibraryCost cost = library_cost(all_reduce, {64, 1}, Bytes(0), nvswitch(), nic());
  CHECK(cost.algorithm == LibraryAlgorithm::tree);
  CHECK(cost.total().value() == Approx((34 + 2 * 24 * 15) * us));
}

TEST_CASE("a mesh gives small rings the rate that their links have", "[library]") {
  LibraryPath mesh = nvswitch();
  mesh.bus_of_ranks[0] = BytesPerSecond(20e9);  // of 2
  mesh.fill = Seconds();
  const auto time = [&](int ranks) {
    return library_cost(CollectiveKind::all_reduce, {ranks, ranks}, Bytes(1e9), mesh, nic()).total().value();
  };
  CHECK(time(2) == Approx(1e9 / 20e9 + (34 + 2 * 2.2) * us));
  CHECK(time(4) == Approx(1.5e9 / (239e9 * (1 - 0.157 / 4)) + (34 + 6 * 2.2) * us));  // not given
  CHECK(message_time(Bytes(1e9), mesh).value() == Approx(2.2 * us + 1e9 / 20e9));
}

TEST_CASE("sums in the switch serve all-reduces of enough ranks", "[library]") {
  using enum CollectiveKind;
  LibraryPath hopper = nvswitch();
  hopper.in_network = BytesPerSecond(500e9);
  hopper.in_network_ranks = 6;
  const auto algorithm = [&](CollectiveKind kind, int ranks) {
    return library_cost(kind, {ranks, ranks}, Bytes(1e9), hopper, nic()).algorithm;
  };
  CHECK(algorithm(all_reduce, 5) == LibraryAlgorithm::ring);
  CHECK(algorithm(all_reduce, 6) == LibraryAlgorithm::in_network);
  CHECK(algorithm(all_gather, 8) == LibraryAlgorithm::ring);
  const LibraryCost cost = library_cost(all_reduce, {8, 8}, Bytes(1e9), hopper, nic());
  const double filling = 199 * us * (1 - std::exp(-1.75e9 / 172e6));
  CHECK(cost.total().value() == Approx((34 + 2 * 2.2) * us + 1.75e9 / 500e9 + filling));
  CHECK(cost.wire <= cost.total());
}

TEST_CASE("two nodes whose switches add exchange each sum once", "[library]") {
  using enum CollectiveKind;
  LibraryPath hopper = nvswitch();
  hopper.in_network = BytesPerSecond(500e9);
  hopper.in_network_ranks = 6;
  // 1 GB / 8 per rank at 21.25 GB/s, where rings would send 1.875 times as much; 8 steps of 15 us and 2 of 2.2
  LibraryCost cost = library_cost(all_reduce, {16, 8}, Bytes(1e9), hopper, nic());
  CHECK(cost.algorithm == LibraryAlgorithm::hierarchical);
  CHECK(cost.network_bytes.value() == Approx(1e9 / 8));
  CHECK(cost.total().value() == Approx(1e9 / 8 / 21.25e9 + (34 + 8 * 15 + 2 * 2.2) * us));
  // with a fast network the switches' plateau counts: 1.875 GB at 500 GB/s
  LibraryPath fast = nic();
  fast.bus = BytesPerSecond(50e9);
  cost = library_cost(all_reduce, {16, 8}, Bytes(1e9), hopper, fast);
  CHECK(cost.total().value() == Approx(1.875e9 / 500e9 + (34 + 8 * 15 + 2 * 2.2) * us));
  // more nodes send twice as much, a ring a little less
  CHECK(library_cost(all_reduce, {32, 8}, Bytes(1e10), hopper, nic()).algorithm == LibraryAlgorithm::ring);
}

TEST_CASE("a network that adds takes each node's share once", "[library]") {
  LibraryPath sharp = nic();
  sharp.in_network = BytesPerSecond(21.25e9);
  sharp.in_network_ranks = 4;
  const LibraryCost cost = library_cost(CollectiveKind::all_reduce, {32, 8}, Bytes(8e9), nvswitch(), sharp);
  CHECK(cost.algorithm == LibraryAlgorithm::hierarchical);
  CHECK(cost.network_bytes.value() == Approx(1e9));
  // 1 GB each way in terms of a ring of 4: 2 x 3/4; inside 14 GB / 234.3 GB/s are 60 ms
  CHECK(cost.total().value() == Approx(1.5e9 / 21.25e9 + (34 + 2 * 15 + 14 * 2.2) * us));
  CHECK(library_cost(CollectiveKind::all_reduce, {24, 8}, Bytes(8e9), nvswitch(), sharp).algorithm ==
        LibraryAlgorithm::ring);
}

TEST_CASE("all-to-all sends what stays in the node and what leaves it at once", "[library]") {
  const LibraryCost cost = library_cost(CollectiveKind::all_to_all, {32, 8}, Bytes(32e6), nvswitch(), nic());
  CHECK(cost.node_bytes.value() == Approx(7e6));
  CHECK(cost.network_bytes.value() == Approx(24e6));
  CHECK(cost.wire.value() == Approx(24e6 / 21.25e9));
}

TEST_CASE("an all-to-all of unequal shares takes what its larger part does", "[library]") {
  const GroupPlace place{32, 8};
  const LibraryCost cost = all_to_all_cost(place, {Bytes(70e6), Bytes(3e6)}, nvswitch(), nic());
  CHECK(cost.node_bytes.value() == Approx(70e6));
  CHECK(cost.network_bytes.value() == Approx(3e6));
  CHECK(cost.wire.value() == Approx(70e6 / nvswitch().bus.value()));
  const LibraryCost equal = library_cost(CollectiveKind::all_to_all, place, Bytes(32e6), nvswitch(), nic());
  const LibraryCost same = all_to_all_cost(place, {Bytes(7e6), Bytes(24e6)}, nvswitch(), nic());
  CHECK(same.total() == equal.total());
  CHECK(all_to_all_cost({1, 1}, {}, nvswitch(), nic()).total() == Seconds());
}

TEST_CASE("a group of one needs nothing, and overhead is never negative", "[library]") {
  CHECK(library_cost(CollectiveKind::all_reduce, {1, 1}, Bytes(1e9), nvswitch(), nic()).total() == Seconds());
  LibraryPath odd = nvswitch();
  odd.in_network = BytesPerSecond(1e12);  // faster than the ring's link could be
  const LibraryCost cost = library_cost(CollectiveKind::all_reduce, {8, 8}, Bytes(1e12), odd, nic());
  CHECK(cost.overhead.value() >= 0);
  CHECK(cost.total().value() == Approx(1.75 + 34e-6 + 4.4e-6 + 199e-6));
  CHECK(cost.wire.value() == Approx(cost.node_bytes.value() / 239e9));
}

TEST_CASE("bus bandwidths are those of nccl-tests", "[library]") {
  using enum CollectiveKind;
  CHECK(bus_bandwidth(all_reduce, 8, Bytes(8e9), Seconds(1)).value() == Approx(14e9));
  CHECK(bus_bandwidth(all_gather, 8, Bytes(8e9), Seconds(1)).value() == Approx(7e9));
  CHECK(bus_bandwidth(all_to_all, 8, Bytes(8e9), Seconds(1)).value() == Approx(7e9));
  CHECK(bus_bandwidth(broadcast, 8, Bytes(8e9), Seconds(1)).value() == Approx(8e9));
  CHECK(bus_bandwidth(all_reduce, 1, Bytes(8e9), Seconds(1)).value() == 0);
}

TEST_CASE("a message takes one hop and its bytes", "[library]") {
  CHECK(message_time(Bytes(21.25e6), nic()).value() == Approx(15 * us + 1e-3));
}

}  // namespace orrery
