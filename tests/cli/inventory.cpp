// `orrery list` and `orrery show`.
#include <string>
#include <vector>

#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

namespace {

using orrery::ChildResult;
using orrery::split;
using orrery::testing::call_orrery;

std::string shown(const std::string& kind, const std::string& name) {
  const ChildResult page = call_orrery({"show", kind, name});
  CHECK(page.exit_code == 0);
  return page.output;
}

TEST_CASE("whatever is listed can be shown") {
  for (const std::string kind : {"devices", "links", "systems", "grids", "sources", "frameworks", "laws", "algorithms",
                                 "compressions", "partitions", "selections", "availability", "radios", "networks",
                                 "datasets", "strategies", "columns", "scenarios"}) {
    const ChildResult list = call_orrery({"list", kind});
    REQUIRE(list.exit_code == 0);
    const std::vector<std::string> lines = split(list.output, '\n');
    REQUIRE(lines.size() >= 4);
    const std::string& last = lines[lines.size() - 2];
    const std::string name = last.substr(0, last.find(' '));
    const ChildResult page = call_orrery({"show", kind, name});
    CHECK(page.exit_code == 0);
    CHECK(page.output.find(name) != std::string::npos);
  }
}

TEST_CASE("an algorithm says who waits for whom, and its options") {
  const ChildResult fedprox = call_orrery({"show", "algorithm", "fedprox"});
  CHECK(fedprox.output.find("synchronous rounds") != std::string::npos);
  CHECK(fedprox.output.find("proximal_mu") != std::string::npos);
}

TEST_CASE("entries of the catalogue name their sources, and a source says what it is") {
  CHECK(shown("device", "a100-sxm-80").find("  source                     ") != std::string::npos);
  CHECK(shown("system", "dgx1-v100").find("  source                     dgxtxt(3500 W, 512 GB)\n") !=
        std::string::npos);
  CHECK(shown("grid", "usa") ==
        "United States (usa, country, 2023)\n  intensity                  369.5 gCO2e/kWh\n"
        "  source                     codecarbon(Ember via Our World in Data, lifecycle)\n");
  CHECK(shown("source", "dgxtxt").find("  used for ") != std::string::npos);
  CHECK(shown("dataset", "mnist").find("  source ") != std::string::npos);
  CHECK(shown("compression", "top-k").find("  source ") != std::string::npos);
  CHECK(shown("partition", "dirichlet-classes").find("  source ") != std::string::npos);
}

TEST_CASE("frameworks and laws are shown with the range and the source of every constant") {
  const ChildResult framework = call_orrery({"show", "framework", "megatron-deepspeed-2021"});
  CHECK(framework.exit_code == 0);
  CHECK(framework.output.find("host_forward_us            90 (66 to 93)\n") != std::string::npos);
  CHECK(framework.output.find("blocking_transfers         1  [megatron-2021]\n") != std::string::npos);
  const ChildResult law = call_orrery({"show", "law", "a100-sxm-80"});
  CHECK(law.output.find("gemm_share                 0.845 (0.83 to 0.855)\n") != std::string::npos);
  CHECK(call_orrery({"show", "law", "ib-hdr"}).output.find("plateau                    21.25 (20 to 24) GB/s") !=
        std::string::npos);
  CHECK(call_orrery({"show", "law", "a100-sxm-8"}).exit_code == 2);
  CHECK(call_orrery({"list", "frameworks"}).output.find("megatron-2021") != std::string::npos);
}

TEST_CASE("a scenario's page says what is asked, what was expected, and who takes part") {
  const std::string page = shown("scenario", "quickstart");
  CHECK(page.find("\n  question    Eight small boards") != std::string::npos);
  CHECK(page.find("\n  strategies  single (single), data (data), ") != std::string::npos);
  CHECK(page.find("\n  expected    ") != std::string::npos);
  CHECK(page.find("\n  learns      for real") != std::string::npos);
  CHECK(shown("scenario", "megatron-175b").find("learns") == std::string::npos);
  for (const std::string& line : split(page.substr(page.find('\n')), '\n')) CHECK(line.size() <= 120);
}

TEST_CASE("the list of scenarios marks those that learn, one line each where it is no terminal") {
  const std::string list = call_orrery({"list", "scenarios"}).output;
  for (const std::string& line : split(list, '\n')) {
    if (line.starts_with("quickstart ")) CHECK(line.ends_with(" (learns for real: tens of seconds)"));
    if (line.starts_with("megatron-175b ")) CHECK(line.ends_with("?"));
    CHECK_FALSE(line.starts_with(" "));
  }
}

TEST_CASE("constants are printed without what sums of binary fractions leave behind") {
  for (const std::string& line : split(call_orrery({"list", "laws"}).output, '\n')) {
    INFO(line);
    CHECK(line.find("99999") == std::string::npos);
    CHECK(line.find("00000") == std::string::npos);
  }
}

TEST_CASE("a network's page explains its column of stored numbers") {
  const std::string page = shown("network", "lenet5");
  CHECK(page.find("stored k\n") != std::string::npos);
  CHECK(page.find("\nstored k: thousands of numbers of a sample that backward needs") != std::string::npos);
}

}  // namespace
