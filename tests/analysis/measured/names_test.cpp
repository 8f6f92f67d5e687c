// Devices and fabrics by the names of publications.
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using namespace testing;

std::string device_of(const std::string& text) {
  const NamedDevice named = find_device(text, shared_tables().devices, shared_tables().catalogue);
  return named.device == nullptr ? "" : named.device->id;
}

Fabrics named_fabrics() {
  return {shared_tables().catalogue, shared_tables().fabrics};
}

const Device& device(const std::string& id) {
  return *shared_tables().catalogue.device(id);
}

}  // namespace

TEST_CASE("devices by the names of publications") {
  CHECK(device_of("A100-80GB-SXM") == "a100-sxm-80");
  CHECK(device_of("A100-40GB-SXM fp16") == "a100-sxm-40");
  CHECK(device_of("A100") == "a100-sxm-80");
  CHECK(device_of("A100-PCIe, 3 GPUs over PCIe") == "a100-pcie-40");
  CHECK(device_of("V100-32GB-SXM (DGX-2)") == "v100-sxm2-32");
  CHECK(device_of("V100-32GB-PCIe") == "v100-pcie-32");
  CHECK(device_of("V100") == "v100-sxm2-16");
  CHECK(device_of("P100-16GB") == "p100-pcie");
  CHECK(device_of("P100-16GB-SXM") == "p100-sxm2");
  CHECK(device_of("H100-80GB-SXM fp8") == "h100-sxm");
  CHECK(device_of("H800") == "h100-sxm");
  CHECK(device_of("B200-180GB-SXM") == "b200-sxm");
  CHECK(device_of("MI250X") == "mi250x");
  CHECK(device_of("TPUv4") == "tpu-v4");
  CHECK(device_of("T4") == "t4");
  CHECK(device_of("gh200") == "gh200");
  for (const char* unknown : {"", "not named (8-GPU NVLink nodes)", "GPU (PCIe box)", "RTX 4070 Ti SUPER", "phones"}) {
    CHECK(device_of(unknown).empty());
  }
  const NamedDevice export_version = find_device("H800", shared_tables().devices, shared_tables().catalogue);
  CHECK(export_version.node_GBps == 400);
  CHECK(export_version.assumed == "H800 computes as H100 SXM");
}

TEST_CASE("links inside the node, at the rate the text names") {
  const auto id = [](const std::string& text, const std::string& of) {
    const NamedLink named = named_fabrics().in_node(text, device(of), 0);
    return named.link ? named.link->id : "";
  };
  CHECK(id("NVLink3+NVSwitch 600GB/s", "a100-sxm-80") == "nvswitch2");
  CHECK(id("NVLink4+NVSwitch 900GB/s", "h100-sxm") == "nvswitch3");
  CHECK(id("NVLink5+NVSwitch 1.8TB/s", "b200-sxm") == "nvswitch4");
  CHECK(id("NVLink2 hybrid cube mesh (DGX-1)", "v100-sxm2-16") == "nvlink2");
  CHECK(id("NVLink2+NVSwitch (DGX-2)", "v100-sxm2-32") == "nvswitch1");
  CHECK(id("PCIe3", "p100-pcie") == "pcie3x16");
  CHECK(id("PCIe5", "rtx5090") == "pcie-shm-gen5");
  CHECK(id("xGMI", "mi300x") == "xgmi-mi300x");
  CHECK(id("NVLink", "v100-sxm2-16") == named_fabrics().in_node("", device("v100-sxm2-16"), 0).link->id);
  CHECK(id("smoke signals", "a100-sxm-80").empty());
  // 400 GB/s both ways of the 900 of NVLink 4
  const NamedLink half = named_fabrics().in_node("NVLink4 400GB/s", device("h100-sxm"), 0);
  CHECK(half.scale == Approx(400.0 / 900));
  CHECK(half.link->down.value() == Approx(200e9));
  CHECK(named_fabrics().in_node("NVLink3+NVSwitch 600GB/s", device("a100-sxm-80"), 0).scale == 1);
}

TEST_CASE("networks: kind, number and rate of the NICs") {
  const auto named = [](const std::string& text) { return named_fabrics().network(text, device("a100-sxm-80"), 8); };
  CHECK(named("8x HDR IB 200Gb/s per node (Selene)").link->id == "ib-hdr");
  CHECK(named("8x HDR IB 200Gb/s per node (Selene)").nics == 8);
  CHECK(named("4x 100Gb/s Omni-Path per node (Jean Zay)").link->id == "omnipath-100");
  CHECK(named("4x 100Gb/s Omni-Path per node (Jean Zay)").nics == 4);
  CHECK(named("25 Gb/s RoCE per node").link->id == "roce-25");
  CHECK(named("25 Gb/s RoCE per node").nics == 1);
  CHECK(named("8x 400Gb/s EFAv4 per node").link->id == "efa-400");
  CHECK(named("10 Gb/s").link->id == "eth-10g");
  const NamedLink terabit = named("2 Tb/s RoCE per node");  // 8 NICs of 250 Gb/s
  CHECK(terabit.nics == 8);
  CHECK(terabit.link->down.value() == Approx(2e12 / 8 / 8));
  CHECK(terabit.assumed == "a NIC per device");
  CHECK(named("25 Gb/s RoCE per node").assumed == "1 NIC per node");
  CHECK(named("8 x 200Gb/s IB").link->id == "ib-hdr");
  CHECK(named("8 x 200Gb/s IB").nics == 8);
  CHECK(named("8x200Gb/s").nics == 8);
  CHECK(named("8xHDR").link->id == "ib-hdr");
  CHECK(named("x4 HDR200").nics == 4);
  CHECK(named("x4 HDR200").assumed.empty());
  CHECK(named("x4 HDR200").scale == 1);
  CHECK(named("8x HDR100").scale == 0.5);
  CHECK(named("HDR100").assumed == "8 NICs per node");  // as many as the usual system has
  CHECK(named("25GbE").link->kind == "ethernet");
  CHECK(named("2x 100GbE").link->id == "eth-100g");
  CHECK(named("2x 100GbE").nics == 2);
  CHECK(named("RoCE v2 400G").link->id == "roce-400");
  CHECK(named("400G IB").link->id == "ib-ndr");
  CHECK(named("400G IB").assumed == "1 NIC per node");
  CHECK(named("").link->id == "ib-hdr");
  CHECK(named("").assumed == "network of dgx-a100");
  CHECK_FALSE(named("TCP sockets, cloud VM (rate not stated, InfiniBand disabled)").link.has_value());
  CHECK_FALSE(named("2 pods over DCN").link.has_value());
}

}  // namespace orrery
