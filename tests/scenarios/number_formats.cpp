// Ways on devices that do not have the number format they are asked to train in.
#include "scenarios/number_formats.hpp"

#include <algorithm>

#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

/// Two nodes of each system, one group behind the other.
Scenario in_format(const std::string& precision, const std::vector<std::string>& systems, const std::string& way) {
  std::string text = "[workload]\nnetwork = \"gpt-mini\"\nbatch = 64\nframework = \"modern\"\nprecision = \"" +
                     precision + "\"\n[cluster]\n";
  for (const std::string& system : systems) text += "[[cluster.group]]\nsystem = \"" + system + "\"\nnodes = 2\n";
  return shipped_lab(text + "[[strategy]]\nname = \"a\"\n" + way);
}

const std::vector<std::string> ways = {"kind = \"single\"\n",
                                       "kind = \"data\"\n",
                                       "kind = \"model\"\ndevices = 4\n",
                                       "kind = \"model\"\nsplit = \"layers\"\ndevices = 2\n",
                                       "kind = \"pipeline\"\ndevices = 2\n",
                                       "kind = \"local-sgd\"\nlocal_steps = 4\n",
                                       "kind = \"hybrid\"\n"};

std::string error_in(const std::string& precision, const std::vector<std::string>& systems, const std::string& way) {
  const Way tried_way = tried(in_format(precision, systems, way));
  CHECK(tried_way.status == WayStatus::infeasible);
  return tried_way.error;
}

}  // namespace

TEST_CASE("a device without bf16 counts in its fp16, and every kind of strategy says so") {
  const std::string note = "v100-sxm2-32 has no bf16 products: they are counted in fp16, at 125 TFLOP/s";
  for (const std::string& way : ways) {
    INFO(way);
    const std::vector<std::string> notes = simulated(in_format("bf16", {"dgx1-v100"}, way)).notes;
    CHECK(std::count(notes.begin(), notes.end(), note) == 1);
    for (const std::string& other : simulated(in_format("bf16", {"dgx-a100"}, way)).notes) {
      CHECK(other.find("products: they are counted in") == std::string::npos);
    }
  }
}

TEST_CASE("nobody trains in int8, and in fp8 only devices that have it") {
  for (const std::string& way : ways) {
    INFO(way);
    CHECK(error_in("int8", {"dgx-a100"}, way) == "int8 is no format to train in - use bf16 or fp8");
    CHECK(error_in("fp8", {"dgx-a100"}, way) == "a100-sxm-80 has no fp8 products - use bf16");
    simulated(in_format("fp8", {"dgx-h100"}, way));
  }
}

TEST_CASE("a format that one kind of device has and another has not is refused by every kind of strategy") {
  for (const std::string way : {"kind = \"data\"\n", "kind = \"hybrid\"\n"}) {
    INFO(way);
    CHECK(error_in("bf16", {"dgx-a100", "dgx1-v100"}, way) ==
          "v100-sxm2-32 has no bf16 products, a100-sxm-80 has - use fp16");
    CHECK(error_in("tf32", {"dgx1-v100", "dgx-a100"}, way) ==
          "v100-sxm2-32 has no tf32 products, a100-sxm-80 has - use fp16");
  }
  // On the first nodes alone there is nothing to refuse.
  simulated(in_format("bf16", {"dgx-a100", "dgx1-v100"}, "kind = \"data\"\ndevices = 16\n"));
}

TEST_CASE("clients are told apart as devices of a cluster are") {
  const auto group = [](const std::string& device) {
    ClientGroup made;
    made.device = *shipped_catalogue().device(device);
    return made;
  };
  CHECK(format_notes(Precision::bf16, {group("v100-sxm2-16"), group("p100-sxm2"), group("v100-sxm2-16")}) ==
        std::vector<std::string>{"v100-sxm2-16 has no bf16 products: they are counted in fp16, at 125 TFLOP/s",
                                 "p100-sxm2 has no bf16 products: they are counted in fp16, at 21.2 TFLOP/s"});
  CHECK(format_notes(Precision::fp32, {group("v100-sxm2-16"), group("a100-sxm-80")}).empty());
}

}  // namespace orrery
