#include <string>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "topologies/device_law.hpp"
#include "topologies/fabric_law.hpp"

namespace orrery {
namespace {

/// What the call throws says; empty when it throws nothing.
template <class Call>
std::string message(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

constexpr auto device_header = "device,constant,value,low,high,source\n";
constexpr auto link_header = "link,constant,value,low,high,source\n";

Device gpu(const std::string& id, int year) {
  Device device;
  device.id = id;
  device.kind = "gpu";
  device.year = year;
  device.gemm_fraction = 0.8;
  return device;
}

Link link(const std::string& id, const std::string& kind) {
  Link link;
  link.id = id;
  link.kind = kind;
  link.down = link.up = BytesPerSecond(10e9);
  link.latency = Seconds(20e-6);
  link.efficiency = 0.9;
  return link;
}

DeviceLaws device_laws(const std::string& rows) {
  Problems problems;
  DeviceLaws laws = DeviceLaws::parse(device_header + rows, "laws.csv", problems);
  problems.throw_if_any();
  return laws;
}

FabricLaws fabric_laws(const std::string& rows) {
  Problems problems;
  FabricLaws laws = FabricLaws::parse(link_header + rows, "laws.csv", problems);
  problems.throw_if_any();
  return laws;
}

TEST_CASE("A device's own constants go before those of its generation, of its kind, of all") {
  const DeviceLaws laws = device_laws(
      "default,gemm_k0,1,,,t\ndefault,memory_share,0.1,,,t\ndefault,gemm_launch_us,1,,,t\n"
      "default:gpu,gemm_k0,2,,,t\ndefault:gpu,memory_share,0.2,,,t\n"
      "default:gpu:2020,gemm_k0,3,,,t\ndefault:gpu:2022,gemm_k0,4,,,t\ndefault:cpu,gemm_k0,9,,,t\n"
      "mine,multiprocessors,108,,,t\nmine,gemm_k0,5,4,6,t\n");
  CHECK(laws.of(gpu("mine", 2024)).gemm_k0 == Ranged(5, 4, 6));
  CHECK(laws.of(gpu("mine", 2024)).multiprocessors == 108);
  CHECK(laws.of(gpu("other", 2019)).gemm_k0.value == 2);
  CHECK(laws.of(gpu("other", 2021)).gemm_k0.value == 3);
  CHECK(laws.of(gpu("other", 2024)).gemm_k0.value == 4);
  CHECK(laws.of(gpu("other", 2024)).memory_share.value == 0.2);
  CHECK(laws.of(gpu("other", 2024)).gemm_launch_us.value == 1);
  CHECK(laws.of(gpu("other", 2024)).multiprocessors == 0);
}

TEST_CASE("Without a plateau of its own a device has a share of the largest matrix product seen on it") {
  const DeviceLaws laws = device_laws(
      "default,gemm_of_achievable,0.97,0.90,1,t\nmeasured,gemm_share,0.7,,,fit\nguessed,gemm_share,0.6,,,assumed\n");
  const DeviceLaw prior = laws.of(gpu("other", 2020));
  CHECK(prior.gemm_share.value == Approx(0.776));  // .97 x .8
  CHECK(prior.gemm_share.low == Approx(0.72));
  CHECK(prior.gemm_share.high == Approx(0.8));
  CHECK_FALSE(prior.measured);
  CHECK(prior.device == "default");
  CHECK(laws.of(gpu("measured", 2020)).gemm_share == Ranged(0.7));
  CHECK(laws.of(gpu("measured", 2020)).measured);
  CHECK_FALSE(laws.of(gpu("guessed", 2020)).measured);
}

TEST_CASE("Where no row speaks of products in 32 bits a device has one plateau, which convolutions do not pass") {
  const DeviceLaws laws = device_laws(
      "default,gemm_of_achievable,0.97,0.90,1,t\ndefault:gpu,gemm_share_tf32,0.8,0.65,0.92,t\n"
      "default,convolution_share,0.65,0.4,0.85,t\ndefault,convolution_share_fp32,0.3,0.2,0.85,t\n"
      "fast,convolution_share,0.6,,,fit\nwide,gemm_share_tf32,0.4,,,fit\n");
  Device board = gpu("board", 2020);
  board.kind = "edge", board.gemm_fraction = 0.5;
  const DeviceLaw law = laws.of(board);
  CHECK(law.gemm_share.value == Approx(0.485));  // .97 x .5
  CHECK(law.gemm_share_tf32 == law.gemm_share);
  CHECK(law.convolution_share.value == Approx(0.485));
  CHECK(law.convolution_share.low == Approx(0.4));
  CHECK(law.convolution_share.high == Approx(0.5));
  CHECK(law.convolution_share_fp32 == Ranged(0.3, 0.2, 0.5));
  for (const ConstantRow& row : laws.rows_of(board)) {
    if (row.constant == "convolution_share") CHECK(row.value == law.convolution_share);
  }
  board.id = "fast";
  CHECK(laws.of(board).convolution_share == Ranged(0.6));
  board.id = "wide";
  CHECK(laws.of(board).gemm_share_tf32 == Ranged(0.4));
  CHECK(laws.of(board).convolution_share == Ranged(0.65, 0.4, 0.85));
  CHECK(laws.of(gpu("other", 2020)).gemm_share_tf32 == Ranged(0.8, 0.65, 0.92));
  CHECK(laws.of(gpu("other", 2020)).convolution_share == Ranged(0.65, 0.4, 0.85));
}

TEST_CASE("Rows laid over a law take the place of the shipped ones") {
  DeviceLaws laws = device_laws("mine,gemm_k0,5,,,t\nmine,gemm_share,0.5,,,t\n");
  laws.overlay({{"mine", "gemm_k0", Ranged(7), "fit", {}}, {"other", "gemm_k0", Ranged(8), "fit", {}}});
  CHECK(laws.of(gpu("mine", 2020)).gemm_k0.value == 7);
  CHECK(laws.of(gpu("mine", 2020)).gemm_share.value == 0.5);
  CHECK(laws.of(gpu("other", 2020)).gemm_k0.value == 8);
}

TEST_CASE("A link's plateau: its own, a share of its bandwidth, or bandwidth x efficiency") {
  const FabricLaws laws = fabric_laws(
      "default,base_us,34,,,t\ndefault,hop_us,2,,,t\ndefault:roce,bus_share,0.8,0.6,0.9,t\n"
      "default:wan,hop_of_latency,1,,,t\nmine,bus_GBps,3,2,4,fit\nmine,in_network_ranks,6,,,t\n"
      "near,bus_share,0.5,,,assumed\n");
  CHECK(laws.of(link("mine", "roce")).bus_GBps == Ranged(3, 2, 4));
  CHECK(laws.of(link("mine", "roce")).measured);
  CHECK(laws.of(link("mine", "roce")).in_network_ranks == 6);
  CHECK(laws.of(link("other", "roce")).bus_GBps == Ranged(8, 6, 9));
  CHECK(laws.of(link("near", "roce")).bus_GBps.value == 5);
  CHECK_FALSE(laws.of(link("near", "roce")).measured);
  CHECK(laws.of(link("other", "wan")).bus_GBps.value == Approx(9));
  CHECK(laws.of(link("other", "wan")).bus_GBps.high == Approx(9.9));
  CHECK(laws.of(link("other", "wan")).hop_us.value == Approx(20));
  CHECK(laws.of(link("other", "roce")).hop_us.value == 2);
  CHECK(laws.of(link("other", "wan")).base_us.value == 34);
}

TEST_CASE("Malformed laws are all reported") {
  Problems problems;
  (void)DeviceLaws::parse(device_header + std::string("a,gemm_shar,0.5,,,t\na,gemm_share,0,,,t\n"), "d.csv", problems);
  (void)FabricLaws::parse("link,constant,value,low,high\na,bus_GBps,1,,\n", "f.csv", problems);
  (void)FabricLaws::parse(link_header + std::string("a,small_ring_loss,2,,,t\n"), "g.csv", problems);
  CHECK(message([&] { problems.throw_if_any(); }) ==
        R"(d.csv:2:3: constant: unknown constant "gemm_shar" - did you mean "gemm_share"?
  a,gemm_shar,0.5,,,t
    ^
d.csv:3:14: value: must be above 0 and at most 1 (a share)
  a,gemm_share,0,,,t
               ^
f.csv:1: column "source" is missing (required)
  link,constant,value,low,high
g.csv:2:19: value: must be at most 1.99
  a,small_ring_loss,2,,,t
                    ^)");
}

TEST_CASE("The shipped laws: published values, and a whole law for every device and link of the catalogue") {
  Problems problems;
  const auto folder = data_directory() / "topologies" / "catalogue";
  const Catalogue catalogue = read_catalogue(folder, problems);
  const DeviceLaws devices = DeviceLaws::read(folder, problems);
  const FabricLaws fabrics = FabricLaws::read(folder, problems);
  problems.throw_if_any();
  const DeviceLaw a100 = devices.of(*catalogue.device("a100-sxm-80"));
  CHECK(a100.gemm_share == Ranged(0.845, 0.83, 0.855));
  CHECK(a100.gemm_k0 == Ranged(340, 335, 385));
  CHECK(a100.memory_share == Ranged(0.88, 0.80, 0.95));
  CHECK(a100.multiprocessors == 108);
  CHECK(a100.measured);
  CHECK(devices.of(*catalogue.device("b200-sxm")).gemm_share.value == 0.755);
  CHECK(devices.of(*catalogue.device("b200-sxm")).gemm_share_tf32 == Ranged(0.8, 0.65, 0.92));
  CHECK(devices.of(*catalogue.device("tpu-v4")).gemm_share_tf32.value == 0.8);
  CHECK(devices.of(*catalogue.device("rpi-4b")).gemm_share_tf32.value == Approx(0.485));     // HPL reaches half
  CHECK(devices.of(*catalogue.device("xeon-8380")).gemm_share_tf32.value == Approx(0.776));  // .97 x .8
  const FabricLaw nvswitch = fabrics.of(*catalogue.link("nvswitch2"));
  CHECK(nvswitch.bus_GBps.value == 239);
  CHECK(nvswitch.fill_us.value == 199);
  CHECK(nvswitch.fill_MB.value == 172);
  CHECK(nvswitch.base_us.value == 34);
  CHECK(fabrics.of(*catalogue.link("nvlink4")).in_network_ranks == 6);
  CHECK(fabrics.of(*catalogue.link("ib-hdr")).bus_GBps.value == Approx(0.85 * 25));
  for (const Device& device : catalogue.devices) {
    INFO(device.id);
    const DeviceLaw law = devices.of(device);
    for (const DeviceConstant& constant : device_constants()) {
      if (constant.name.ends_with("share")) CHECK((law.*constant.member).value > 0);
    }
  }
  for (const Link& each : catalogue.links) {
    INFO(each.id);
    CHECK(fabrics.of(each).bus_GBps.value > 0);
    CHECK(fabrics.of(each).fill_MB.value > 0);
    CHECK(fabrics.of(each).bus_GBps.value <= each.down.value() / giga * 1.2);
  }
}

}  // namespace
}  // namespace orrery
