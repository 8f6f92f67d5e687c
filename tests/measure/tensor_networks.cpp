// Tensor-parallel training of small networks made for one layer each.
#include <fmt/format.h>

#include "tests/catch.hpp"
#include "tests/measure/ranks.hpp"
#include "tests/models/small_networks.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

/// Images of 2 x 2 x 6 as tokens, `layers`, a head.
Scenario split_by_tensor(const std::string& layers) {
  const std::string way =
      fmt::format("[[strategy]]\nname = \"way\"\nkind = \"model\"\ndevices = {}\n", communicator().size());
  Scenario scenario = scenario_on(communicator().size(), "network = \"2nn\"\nbatch = 8\nlearning_rate = 0.02\n", way);
  const std::string text =
      "[network]\nname = \"small\"\ntitle = \"a layer between tokens and a head\"\nsource = \"made for this test\"\n"
      "sample = \"image\"\ninput = [2, 2, 6]\nclasses = 3\nlayers = [\n"
      "{ name = \"tokens\", kind = \"pixels_to_tokens\" },\n" +
      layers +
      "{ name = \"mean\", kind = \"global_average_pool\" },\n{ name = \"head\", kind = \"dense\", units = 3 },\n"
      "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n]\n";
  scenario.workload.network = small_network(text);
  return scenario;
}

/// After three steps.
double distance(const Scenario& scenario) {
  return distance_from_alone(scenario, 3);
}

}  // namespace

TEST_CASE("attention whose values have another size than its keys is split by heads") {
  // 4 x 4 queries, 4 x 4 keys, 4 x 8 values; then with two heads to a key.
  CHECK(distance(split_by_tensor(
            "{ name = \"qkv\", kind = \"dense\", units = 64 },\n"
            "{ name = \"attention\", kind = \"attention\", heads = 4, head_size = 4, value_size = 8 },\n")) < 2e-5);
  CHECK(
      distance(split_by_tensor("{ name = \"qkv\", kind = \"dense\", units = 56 },\n"
                               "{ name = \"attention\", kind = \"attention\", heads = 8, kv_heads = 4, head_size = 4, "
                               "value_size = 2 },\n")) < 2e-5);
}

TEST_CASE("a product of a split and a whole operand gathers the split one") {
  const std::string layers =
      "{{ name = \"stem\", kind = \"dense\", units = 12 }},\n{{ name = \"whole\", kind = \"layer_norm\" }},\n"
      "{{ name = \"gate\", kind = \"dense\", units = 12 }},\n{{ name = \"split\", kind = \"tanh\" }},\n"
      "{{ name = \"product\", kind = \"multiply\", input = \"{}\", skip = \"{}\" }},\n";
  for (const char* first : {"split", "whole"}) {
    for (const char* second : {"split", "whole"}) {
      INFO(first << " x " << second);
      CHECK(distance(split_by_tensor(fmt::format(fmt::runtime(layers), first, second))) < 1e-4);
    }
  }
}

std::string refusal_of(const std::string& layers) {
  try {
    really_trained(split_by_tensor(layers), 0, 1);
  } catch (const Infeasible& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("heads that cannot be shared out are refused with a reason") {
  if (communicator().size() < 2) return;
  const std::string queries = "{ name = \"queries\", kind = \"dense\", units = 12 },\n";
  CHECK(refusal_of(queries + "{ name = \"keys_values\", kind = \"dense\", units = 24, input = \"tokens\" },\n"
                             "{ name = \"across\", kind = \"cross_attention\", heads = 12, input = \"queries\", skip = "
                             "\"keys_values\" },\n") ==
        "across cannot be executed split over devices: the heads of cross attention are not shared out here - measure "
        "another split or kind");
  CHECK(refusal_of(queries + "{ name = \"norm\", kind = \"rms_norm\", heads = 12 },\n") ==
        "norm cannot be executed split over devices: its scale belongs to the heads of all devices - measure another "
        "split or kind");
  CHECK(
      refusal_of(queries + "{ name = \"keys_values\", kind = \"dense\", units = 24, input = \"tokens\" },\n"
                           "{ name = \"qkv\", kind = \"concatenate\", input = \"queries\", skip = \"keys_values\" },\n"
                           "{ name = \"attention\", kind = \"attention\", heads = 12 },\n") ==
      "qkv cannot be executed split over devices: queries, keys and values from layers of their own are not shared out "
      "here - measure another split or kind");
}
