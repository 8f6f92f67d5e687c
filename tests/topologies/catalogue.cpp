// The shipped catalogue: it reads without a problem, and its facts are those of the sources.
#include "topologies/catalogue.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/catch.hpp"
#include "tests/topologies/shipped_catalogue.hpp"
#include "tests/topologies/small_catalogue.hpp"

namespace orrery {
namespace {

const Device& device(const std::string& id) {
  const Device* found = shipped_catalogue().device(id);
  if (found == nullptr) throw std::runtime_error("no device " + id);
  return *found;
}

double peak_TFLOPS(const std::string& id, Precision precision) {
  return device(id).peak_for(precision).value() / tera;
}

std::string reason_of(const Device& device, Precision precision) {
  try {
    static_cast<void>(device.peak_for(precision));
  } catch (const Infeasible& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the shipped catalogue reads without a problem and has every kind of device") {
  std::set<std::string> kinds;
  for (const Device& row : shipped_catalogue().devices) kinds.insert(row.kind);
  for (const char* kind : {"cpu", "gpu", "tpu", "npu", "fpga", "edge", "phone"}) CHECK(kinds.count(kind) == 1);
  for (const char* id : {"v100-sxm2-16", "a100-sxm-80", "h100-sxm", "mi100", "rtx3080", "tpu-v4", "alveo-u280"}) {
    CHECK(shipped_catalogue().device(id) != nullptr);
  }
  for (const char* id :
       {"dgx-a100", "dgx-h100", "lab-4x3080", "tpu-v4-pod", "fpga-4xu280", "cpu-hdr", "aws-p4d.24xlarge"}) {
    CHECK(shipped_catalogue().system(id) != nullptr);
  }
}

TEST_CASE("data-sheet peaks, memories and powers come out in SI units") {
  CHECK(peak_TFLOPS("a100-sxm-80", Precision::bf16) == Approx(312));
  CHECK(peak_TFLOPS("a100-sxm-80", Precision::fp32) == Approx(19.5));
  CHECK(peak_TFLOPS("v100-sxm2-16", Precision::fp16) == Approx(125));
  CHECK(peak_TFLOPS("h100-sxm", Precision::bf16) == Approx(989));
  CHECK(peak_TFLOPS("mi100", Precision::fp16) == Approx(184.6));
  CHECK(peak_TFLOPS("rtx3080", Precision::fp32) == Approx(29.8));
  CHECK(device("a100-sxm-80").memory.value() == 80.0 * 1024 * 1024 * 1024);
  CHECK(device("a100-sxm-80").memory_bandwidth.value() == Approx(2.039e12));
  CHECK(device("h100-sxm").maximum.value() == 700);
}

TEST_CASE("a precision the device lacks falls back to the next wider one it has") {
  CHECK(peak_TFLOPS("v100-sxm2-16", Precision::bf16) == Approx(125));   // no bf16: fp16
  CHECK(peak_TFLOPS("v100-sxm2-16", Precision::fp8) == Approx(125));    // no fp8, no bf16: fp16
  CHECK(peak_TFLOPS("v100-sxm2-16", Precision::tf32) == Approx(15.7));  // no tf32: fp32
  CHECK(peak_TFLOPS("a100-sxm-80", Precision::fp8) == Approx(312));     // no fp8: bf16
  CHECK(peak_TFLOPS("alveo-u280", Precision::bf16) == Approx(1.4));     // fp32 only
  CHECK(peak_TFLOPS("a100-sxm-80", Precision::int8) == Approx(624));
}

TEST_CASE("a device multiplies in the format whose peak it has") {
  CHECK(device("v100-sxm2-16").format_for(Precision::bf16) == Precision::fp16);
  CHECK(device("a100-sxm-80").format_for(Precision::fp8) == Precision::bf16);
  CHECK(device("a100-sxm-80").format_for(Precision::int8) == Precision::int8);
  CHECK(device("rpi-4b").format_for(Precision::bf16) == Precision::fp32);
  CHECK(device("rpi-4b").format_for(Precision::fp64) == Precision::fp64);
}

TEST_CASE("a device without any fitting format is infeasible and says why") {
  CHECK(reason_of(device("coral-edgetpu"), Precision::fp32) ==
        "coral-edgetpu: no peak for fp32 or a wider format in the catalogue (its source gives none) - choose another "
        "precision or device");
  CHECK(reason_of(device("rtx3080"), Precision::int8).empty());
  CHECK(reason_of(device("rpi-4b"), Precision::int8) ==
        "rpi-4b: no peak for int8 in the catalogue (its source gives none) - choose another precision or device");
}

TEST_CASE("a link's latency is what its software sees, and its payload rate a share of the wire") {
  const Link& ndr = *shipped_catalogue().link("ib-ndr");
  CHECK(ndr.down.value() == 50e9);
  CHECK(ndr.up.value() == 50e9);
  CHECK(ndr.effective_down().value() == Approx(48e9));
  CHECK(ndr.latency.value() == Approx(1.0e-6));
  CHECK(ndr.port.value() == Approx(11.7 + 13 + 9));
  CHECK(ndr.trunk.value() == Approx(11.7 + 9));
  const Link& lte = *shipped_catalogue().link("lte-cat6");
  CHECK(lte.down.value() == Approx(30e6 / 8));
  CHECK(lte.up.value() == Approx(10e6 / 8));
  CHECK(shipped_catalogue().link("wan-us-east-us-west-2")->latency.value() == Approx(0.087 / 2).epsilon(1e-3));
  CHECK(shipped_catalogue().link("pcie4x16")->host_bridge.value() == 112e9);
}

TEST_CASE("systems name their devices, links, network and price") {
  const System& dgx = *shipped_catalogue().system("dgx-a100");
  CHECK(dgx.device == "a100-sxm-80");
  CHECK(dgx.devices_per_node == 8);
  CHECK(dgx.node_link == "nvswitch2");
  CHECK(dgx.nics_per_node == 8);
  CHECK(dgx.network_link == "ib-hdr");
  CHECK(dgx.fabric == "rail-optimised");
  const System& lab = *shipped_catalogue().system("lab-4x3080");
  CHECK(lab.node_link == "pcie-shm");
  CHECK(lab.nics_per_node == 1);
  CHECK(lab.network_link == "eth-10g");
  const System& p4d = *shipped_catalogue().system("aws-p4d.24xlarge");
  CHECK(p4d.price_per_hour == Approx(32.7726));
  CHECK(p4d.currency == "USD");
}

TEST_CASE("carbon rows are grams per kilowatt-hour") {
  CHECK(shipped_catalogue().grid("fra")->gCO2e_per_kWh == 56);
  CHECK(shipped_catalogue().grid("pol")->gCO2e_per_kWh == 661.9);
  CHECK(shipped_catalogue().grid("atlantis") == nullptr);
}

TEST_CASE("a sound row says where it comes from: nothing but recalled rows is marked so as a whole") {
  for (const Device& row : shipped_catalogue().devices) {
    INFO(row.id);
    CHECK((row.source == "assumed") == (row.assumed == "all"));
  }
}

TEST_CASE("numbers of a format are as wide as they are stored and sent") {
  CHECK(bytes_per_number(Precision::fp64).value() == 8);
  CHECK(bytes_per_number(Precision::tf32).value() == 4);
  CHECK(bytes_per_number(Precision::bf16).value() == 2);
  CHECK(bytes_per_number(Precision::fp8).value() == 1);
  CHECK(std::string(name_of(Precision::bf16)) == "bf16");
}

TEST_CASE("a device written as CSV reads back as the same device") {
  for (const Device& row : shipped_catalogue().devices) {
    INFO(row.id);
    test::SmallCatalogue folder;
    folder.write("one.csv", device_csv(row));
    Problems problems;
    const auto back = read_device_file(folder.folder() / "one.csv", problems);
    REQUIRE(problems.empty());
    REQUIRE(back.has_value());
    CHECK(device_csv(*back) == device_csv(row));
    CHECK(back->peak[1].value() == row.peak[1].value());
    CHECK(back->notes == row.notes);
  }
}

TEST_CASE("the measured host joins the catalogue under its id, and only under that") {
  Device host = device("xeon-6148");
  host.id = "host";
  host.kind = "host";
  host.link = "";
  test::SmallCatalogue folder;
  folder.write("host.csv", device_csv(host));
  Problems problems;
  const Catalogue catalogue = folder.read(problems);
  REQUIRE(problems.empty());
  REQUIRE(catalogue.device("host") != nullptr);
  CHECK(catalogue.device("host")->kind == "host");

  host.id = "laptop";
  folder.write("host.csv", device_csv(host));
  CHECK(
      folder.errors() ==
      "host.csv: id: \"laptop\" is not the machine that runs Orrery (host.csv adds one device, named host) - write it "
      "anew with `orrery profile --device`\n");
  host.id = "host";
  host.link = "upi-skl";
  folder.write("host.csv", device_csv(host));
  CHECK(folder.errors() ==
        "host.csv:2:85: link: unknown link \"upi-skl\" (no such id in links.csv) - known: wire, lane, air\n");
}

TEST_CASE("a device file holds exactly one device") {
  test::SmallCatalogue folder;
  const std::string row = device_csv(device("rtx3080"));
  folder.write("two.csv", row + row.substr(row.find('\n') + 1));
  Problems problems;
  CHECK_FALSE(read_device_file(folder.folder() / "two.csv", problems).has_value());
  REQUIRE(problems.all().size() == 1);
  CHECK(problems.all()[0].what == "\"rtx3080\" is given twice");
  Problems none;
  folder.write("none.csv", row.substr(0, row.find('\n') + 1));
  CHECK_FALSE(read_device_file(folder.folder() / "none.csv", none).has_value());
  REQUIRE(none.all().size() == 1);
  CHECK(none.all()[0].what == "0 devices in a file for one");
}

}  // namespace orrery
