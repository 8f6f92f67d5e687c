// Every defect of a catalogue row is told with its place, its column and what to do: whole texts.
#include <string>

#include "tests/catch.hpp"
#include "tests/topologies/small_catalogue.hpp"

using orrery::test::SmallCatalogue;

namespace {

/// The problems after breaking one cell.
std::string broken(const std::string& file, int line, const std::string& column, const std::string& text) {
  return SmallCatalogue().set(file, line, column, text).errors();
}

}  // namespace

TEST_CASE("the small catalogue itself is without a problem") {
  CHECK(SmallCatalogue().errors() == "");
}

TEST_CASE("a defect of a device row is told with line, column and advice") {
  CHECK(broken("devices.csv", 2, "id", "") == "devices.csv:2:1: id: cell is empty (required)\n");
  CHECK(broken("devices.csv", 2, "id", "host") ==
        "devices.csv:2:1: id: \"host\" is taken (it is the machine that runs Orrery, described in host.csv) - choose "
        "another id\n"
        "systems.csv:2:20: device: unknown device \"card\" (no such id in devices.csv) - known: host\n");
  CHECK(broken("devices.csv", 2, "kind", "gpus") ==
        "devices.csv:2:11: kind: unknown kind \"gpus\" - did you mean \"gpu\"?\n");
  CHECK(broken("devices.csv", 2, "peak_fp16_TFLOPS", "-40") ==
        "devices.csv:2:31: peak_fp16_TFLOPS: -40 is negative - leave the cell empty when it is unknown\n");
  CHECK(broken("devices.csv", 2, "peak_fp16_TFLOPS", "forty") ==
        "devices.csv:2:31: peak_fp16_TFLOPS: \"forty\" is not a number (a finite decimal number is wanted, such as "
        "1.5e9)\n");
  CHECK(broken("devices.csv", 2, "memory_GiB", "") == "devices.csv:2:37: memory_GiB: cell is empty (required)\n");
  CHECK(broken("devices.csv", 2, "memory_GiB", "0") == "devices.csv:2:37: memory_GiB: 0 is not above 0\n");
  CHECK(broken("devices.csv", 2, "year", "20.5") ==
        "devices.csv:2:21: year: 20.5 is not a whole number of at least 1940\n");
  CHECK(broken("devices.csv", 2, "typical_W", "300") ==
        "devices.csv:2:47: typical_W: 300 W is not between idle_W and maximum_W (idle 30 W, maximum 250 W)\n");
  CHECK(broken("devices.csv", 2, "gemm_fraction", "80") ==
        "devices.csv:2:55: gemm_fraction: 80 is not a share (it must be above 0 and at most 1) - write 0.8 for 80 %\n");
  CHECK(broken("devices.csv", 2, "link", "lame") ==
        "devices.csv:2:59: link: unknown link \"lame\" (no such id in links.csv) - did you mean \"lane\"?\n");
  CHECK(broken("devices.csv", 2, "source", "book;bok(page 3)") ==
        "devices.csv:2:64: source: unknown source \"bok\" (no such id in sources.csv) - did you mean \"book\"?\n");
  CHECK(broken("devices.csv", 2, "source", "") == "devices.csv:2:64: source: cell is empty (required)\n");
  CHECK(broken("devices.csv", 2, "assumed", "idle_w") ==
        "devices.csv:2:69: assumed: unknown column \"idle_w\" (it lists columns of this file, or says all) - did you "
        "mean \"idle_W\"?\n");
}

TEST_CASE("a defect of a link row is told with line, column and advice") {
  CHECK(broken("links.csv", 2, "efficiency", "1.2") ==
        "links.csv:2:34: efficiency: 1.2 is not a share (it must be above 0 and at most 1)\n");
  CHECK(broken("links.csv", 2, "efficiency", "0") ==
        "links.csv:2:34: efficiency: 0 is not a share (it must be above 0 and at most 1)\n");
  CHECK(broken("links.csv", 2, "bandwidth_GBps", "-1") == "links.csv:2:22: bandwidth_GBps: -1 is not above 0\n");
  CHECK(broken("links.csv", 2, "latency_us", "") == "links.csv:2:26: latency_us: cell is empty (required)\n");
  CHECK(broken("links.csv", 2, "latency_stack", "") == "links.csv:2:28: latency_stack: cell is empty (required)\n");
  CHECK(broken("links.csv", 2, "kind", "infinband") ==
        "links.csv:2:11: kind: unknown kind \"infinband\" - did you mean \"infiniband\"?\n");
  CHECK(broken("links.csv", 2, "host_bridge_GBps", "32") ==
        "links.csv:2:47: host_bridge_GBps: only a PCIe link has a root complex (the kind is infiniband) - leave the "
        "cell empty\n");
  CHECK(broken("links.csv", 3, "id", "wire") ==
        "links.csv:3:1: id: \"wire\" is given twice (first in line 2) - give every row an id of its own\n"
        "devices.csv:2:59: link: unknown link \"lane\" (no such id in links.csv) - known: wire, wire, air\n"
        "systems.csv:2:27: node_link: unknown link \"lane\" (no such id in links.csv) - known: wire, wire, air\n");
}

TEST_CASE("a defect of a system or carbon row is told with line, column and advice") {
  CHECK(broken("systems.csv", 2, "device", "cart") ==
        "systems.csv:2:20: device: unknown device \"cart\" (no such id in devices.csv) - did you mean \"card\"?\n");
  CHECK(broken("systems.csv", 2, "network_link", "wires") ==
        "systems.csv:2:34: network_link: unknown link \"wires\" (no such id in links.csv) - did you mean \"wire\"?\n");
  CHECK(broken("systems.csv", 2, "devices_per_node", "0") ==
        "systems.csv:2:25: devices_per_node: 0 is not a whole number of at least 1\n");
  CHECK(broken("systems.csv", 2, "fabric", "fat-trees") ==
        "systems.csv:2:39: fabric: unknown fabric \"fat-trees\" - did you mean \"fat-tree\"?\n");
  CHECK(
      broken("systems.csv", 2, "oversubscription", "0.5") ==
      "systems.csv:2:50: oversubscription: 0.5 is below 1 (it is a leaf's capacity down divided by its capacity up)\n");
  CHECK(broken("systems.csv", 2, "currency", "") ==
        "systems.csv:2:71: currency: a price without a currency - write USD, EUR, ...\n");
  CHECK(broken("systems.csv", 2, "node_training_W", "100") ==
        "systems.csv:2:59: node_training_W: a node draws less in training than idle\n");
  CHECK(broken("carbon.csv", 2, "intensity_gCO2e_per_kWh", "-3") ==
        "carbon.csv:2:24: intensity_gCO2e_per_kWh: -3 is not above 0\n");
  CHECK(broken("carbon.csv", 2, "kind", "town") ==
        "carbon.csv:2:11: kind: unknown kind \"town\" - known: country, region, cloud_region\n");
  CHECK(broken("sources.csv", 2, "title", "") == "sources.csv:2:6: title: cell is empty (required)\n");
}

TEST_CASE("a device without a peak in any precision is refused") {
  SmallCatalogue catalogue;
  catalogue.set("devices.csv", 2, "peak_fp32_TFLOPS", "").set("devices.csv", 2, "peak_fp16_TFLOPS", "");
  CHECK(catalogue.errors() ==
        "devices.csv:2:27: peak_fp32_TFLOPS: no peak in any precision (a device that computes nothing cannot train)\n");
}

TEST_CASE("a number format that training does not have is an unknown column") {
  SmallCatalogue catalogue;
  catalogue.rename("devices.csv", "peak_fp8_TFLOPS", "peak_fp4_TFLOPS");
  CHECK(catalogue.errors() ==
        "devices.csv:1:111: unknown column \"peak_fp4_TFLOPS\" - did you mean \"peak_fp64_TFLOPS\"?\n"
        "devices.csv:1: column \"peak_fp8_TFLOPS\" is missing (required)\n");
}

TEST_CASE("a doubled id names the line that had it first") {
  SmallCatalogue catalogue;
  CHECK(catalogue.repeat("devices.csv").errors() ==
        "devices.csv:3:1: id: \"card\" is given twice (first in line 2) - give every row an id of its own\n");
}

TEST_CASE("a missing file is one problem, not one per row that refers to it") {
  SmallCatalogue catalogue;
  CHECK(catalogue.remove("links.csv").errors() == "links.csv: cannot be read (No such file or directory)\n");
}

TEST_CASE("all defects of all files are told at once") {
  SmallCatalogue catalogue;
  catalogue.set("links.csv", 2, "efficiency", "2")
      .set("devices.csv", 2, "memory_GiB", "-1")
      .set("systems.csv", 2, "device", "x");
  CHECK(catalogue.errors() ==
        "links.csv:2:34: efficiency: 2 is not a share (it must be above 0 and at most 1) - write 0.02 for 2 %\n"
        "devices.csv:2:37: memory_GiB: -1 is not above 0\n"
        "systems.csv:2:20: device: unknown device \"x\" (no such id in devices.csv) - known: card\n");
}
