#include "models/cost/constants_file.hpp"

#include <string>

#include "tests/catch.hpp"

namespace orrery {
namespace {

ConstantsFile parsed(const std::string& text) {
  Problems problems;
  ConstantsFile file = parse_constants_file(text, "mine.csv", problems);
  problems.throw_if_any();
  return file;
}

std::string refusal(const std::string& text) {
  try {
    (void)parsed(text);
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

TEST_CASE("A file of constants of a device takes the place of the shipped ones, and of nothing else") {
  const ConstantsFile file =
      parsed("# fitted\ndevice,constant,value,low,high,source\nmine,gemm_share,0.7,0.6,0.8,fit\n");
  CHECK(file.kind == "device");
  Problems problems;
  DeviceLaws devices = DeviceLaws::parse(
      "device,constant,value,low,high,source\nmine,gemm_share,0.5,,,t\nmine,gemm_k0,9,,,t\n", "d.csv", problems);
  FabricLaws fabrics =
      FabricLaws::parse("link,constant,value,low,high,source\nmine,bus_GBps,5,,,t\n", "f.csv", problems);
  problems.throw_if_any();
  overlay(file, devices);
  overlay(file, fabrics);
  Device device;
  device.id = "mine";
  CHECK(devices.of(device).gemm_share == Ranged(0.7, 0.6, 0.8));
  CHECK(devices.of(device).gemm_k0.value == 9);
  Link link;
  link.id = "mine";
  CHECK(fabrics.of(link).bus_GBps.value == 5);
}

TEST_CASE("A file of constants of a framework changes that framework alone") {
  const ConstantsFile file = parsed("framework,constant,value,low,high,source\nmine,host_forward_us,70,60,80,fit\n");
  FrameworkProfile mine, other;
  mine.id = "mine";
  other.id = "other";
  overlay(file, mine);
  overlay(file, other);
  CHECK(mine.host_forward_us == Ranged(70, 60, 80));
  CHECK(other.host_forward_us == Ranged(0));
}

TEST_CASE("What is written is what is read") {
  const std::vector<ConstantRow> rows = {{"mine", "bus_GBps", Ranged(1.0 / 3.0, 0.1, 2), "fit to a,b \"c\"", {}}};
  const ConstantsFile file = parsed(constants_csv("link", rows));
  REQUIRE(file.rows.size() == 1);
  CHECK(file.kind == "link");
  CHECK(file.rows[0].value == rows[0].value);
  CHECK(file.rows[0].source == rows[0].source);
}

TEST_CASE("What is no file of constants is refused with what it should be") {
  CHECK(refusal("id,name\n") ==
        "mine.csv:1:1: is no file of constants (its first column says whose they are: device, link or framework) - "
        "start with: device,constant,value,low,high,source");
  CHECK(refusal("link,constant,value,low,high,source\na,bus,1,,,x\n") ==
        "mine.csv:2:3: constant: unknown constant \"bus\" - did you mean \"bus_GBps\"?\n  a,bus,1,,,x\n    ^");
}

}  // namespace
}  // namespace orrery
