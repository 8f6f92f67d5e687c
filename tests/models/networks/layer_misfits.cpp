// Layers that do not fit what comes before them: what is told, and with which shape.
#include <string>

#include "tests/catch.hpp"
#include "tests/models/networks/one_layer.hpp"

namespace orrery {
namespace {

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

TEST_CASE("Groups that do not divide the channels are named with the shape") {
  CHECK(
      problem_around("[4, 4, 6]", "{ name = \"c\", kind = \"convolution\", filters = 8, groups = 4 }") ==
      R"(small.toml:9:59: network.layers[0].groups: layer "c" (convolution) does not fit: 4 groups do not divide both the channels of the input 4x4x6 and the 8 filters (the network's input gives 4x4x6)
  { name = "c", kind = "convolution", filters = 8, groups = 4 },
                                                            ^)");
}

TEST_CASE("A transposed convolution's padding cannot eat its windows or its output") {
  CHECK(
      problem_around("[4, 4, 6]", "{ name = \"u\", kind = \"transposed_convolution\", filters = 8, padding = 1 }") ==
      R"(small.toml:9:71: network.layers[0].padding: layer "u" (transposed_convolution) does not fit: a padding of 1 cuts whole 1x1 windows off the border of the input 4x4x6 (the network's input gives 4x4x6) - use a padding smaller than the kernel
  { name = "u", kind = "transposed_convolution", filters = 8, padding = 1 },
                                                                        ^)");
  CHECK(
      problem_around("[1, 2, 6]",
                     "{ name = \"u\", kind = \"transposed_convolution\", filters = 8, kernel = 2, padding = 1 }") ==
      R"(small.toml:9:83: network.layers[0].padding: layer "u" (transposed_convolution) does not fit: a padding of 1 makes 0x1x8 of the input 1x2x6 (the network's input gives 1x2x6) - use a smaller padding or a larger kernel
  { name = "u", kind = "transposed_convolution", filters = 8, kernel = 2, padding = 1 },
                                                                                    ^)");
}

TEST_CASE("Layers over tokens refuse images") {
  const std::string end =
      " does not fit: takes sequences (Tx1xN), but its input is 4x4x6 (the network's input gives 4x4x6) - put a "
      "rows_to_tokens or pixels_to_tokens layer before it";
  CHECK(first_line(problem_around("[4, 4, 6]", "{ name = \"r\", kind = \"lstm\", units = 8 }")) ==
        "small.toml:9:22: network.layers[0].kind: layer \"r\" (lstm)" + end);
  CHECK(first_line(problem_around("[4, 4, 6]", "{ name = \"r\", kind = \"gru\", units = 8 }")) ==
        "small.toml:9:22: network.layers[0].kind: layer \"r\" (gru)" + end);
  CHECK(first_line(problem_around("[4, 4, 6]", "{ name = \"r\", kind = \"last_token\" }")) ==
        "small.toml:9:22: network.layers[0].kind: layer \"r\" (last_token)" + end);
  CHECK(first_line(problem_around("[4, 4, 6]", "{ name = \"r\", kind = \"position_embedding\" }")) ==
        "small.toml:9:22: network.layers[0].kind: layer \"r\" (position_embedding)" + end);
}

TEST_CASE("Heads that cannot share, and inputs that heads do not divide, are named with the shape") {
  CHECK(
      problem_around("[8, 1, 24]", "{ name = \"a\", kind = \"attention\", heads = 4, kv_heads = 3 }") ==
      R"(small.toml:9:57: network.layers[0].kv_heads: layer "a" (attention) does not fit: 4 heads of queries cannot share 3 heads of keys and values evenly; the input is 8x1x24 (the network's input gives 8x1x24) - use a divisor of heads
  { name = "a", kind = "attention", heads = 4, kv_heads = 3 },
                                                          ^)");
  CHECK(
      problem_around("[8, 1, 12]", "{ name = \"a\", kind = \"attention\", heads = 4, kv_heads = 2 }") ==
      R"(small.toml:9:43: network.layers[0].heads: layer "a" (attention) does not fit: 4 heads of queries, 2 of keys and 2 of values need Tx1xN, N a multiple of 8, but the input is 8x1x12 (the network's input gives 8x1x12)
  { name = "a", kind = "attention", heads = 4, kv_heads = 2 },
                                            ^)");
}

TEST_CASE("More tokens than there are cannot ask") {
  CHECK(
      problem_around("[8, 1, 12]", "{ name = \"a\", kind = \"attention\", heads = 4, queries = 9 }") ==
      R"(small.toml:9:56: network.layers[0].queries: layer "a" (attention) does not fit: 9 tokens cannot ask, the input is 8x1x12 (the network's input gives 8x1x12) - use at most 8
  { name = "a", kind = "attention", heads = 4, queries = 9 },
                                                         ^)");
}

TEST_CASE("Experts, gates, groups and factors that do not fit are named with the shape") {
  CHECK(first_line(problem_around("[5, 1, 8]",
                                  "{ name = \"e\", kind = \"mixture_of_experts\", experts = 2, experts_per_token = 3, "
                                  "expert_units = 3 }")) ==
        "small.toml:9:77: network.layers[0].experts_per_token: layer \"e\" (mixture_of_experts) does not fit: a token "
        "cannot visit 3 of 2 experts; the input is 5x1x8 (the network's input gives 5x1x8)");
  const std::string grouped =
      "{ name = \"e\", kind = \"mixture_of_experts\", experts = 8, experts_per_token = 3, "
      "expert_units = 3, expert_groups = ";
  const std::string misfit = ": layer \"e\" (mixture_of_experts) does not fit: ";
  CHECK(first_line(problem_around("[5, 1, 8]", grouped + "3 }")) ==
        "small.toml:9:114: network.layers[0].expert_groups" + misfit +
            "3 groups do not divide 8 experts (the network's input gives 5x1x8)");
  CHECK(first_line(problem_around("[5, 1, 8]", grouped + "4, groups_per_token = 5 }")) ==
        "small.toml:9:136: network.layers[0].groups_per_token" + misfit +
            "a token cannot choose 5 of 4 groups of experts (the network's input gives 5x1x8)");
  CHECK(first_line(problem_around("[5, 1, 8]", grouped + "4, groups_per_token = 1 }")) ==
        "small.toml:9:77: network.layers[0].experts_per_token" + misfit +
            "a token cannot visit 3 of 2 experts; the input is 5x1x8 (the network's input gives 5x1x8)");
  CHECK(
      first_line(problem_around("[5, 1, 7]", "{ name = \"g\", kind = \"swiglu\" }")) ==
      "small.toml:9:22: network.layers[0].kind: layer \"g\" (swiglu) does not fit: takes two halves side by side, but "
      "its input 5x1x7 has an odd number of channels (the network's input gives 5x1x7)");
  CHECK(first_line(problem_around("[4, 4, 6]", "{ name = \"g\", kind = \"group_norm\", groups = 4 }")) ==
        "small.toml:9:45: network.layers[0].groups: layer \"g\" (group_norm) does not fit: 4 groups do not divide the "
        "channels of the input 4x4x6 (the network's input gives 4x4x6)");
  CHECK(first_line(problems_of(network_text("[4, 1, 2]", "4",
                                            "{ name = \"a\", kind = \"dense\", units = 3 },\n"
                                            "{ name = \"b\", kind = \"dense\", units = 5 },\n"
                                            "{ name = \"m\", kind = \"multiply\", skip = \"a\" },\n" +
                                                loss))) ==
        "small.toml:11:41: network.layers[2].skip: layer \"m\" (multiply) does not fit: it multiplies 4x1x3 of \"a\" "
        "with 4x1x5 (layer \"b\" gives 4x1x5) - give both branches the same shape, for example by a 1x1 convolution");
}

TEST_CASE("Concatenated layers have the same height and width") {
  CHECK(
      problems_of(network_text("[4, 4, 2]", "4",
                               "{ name = \"a\", kind = \"convolution\", filters = 3 },\n"
                               "{ name = \"pool\", kind = \"max_pool\", kernel = 2 },\n"
                               "{ name = \"both\", kind = \"concatenate\", skip = \"a\" },\n" +
                                   loss)) ==
      R"(small.toml:11:47: network.layers[2].skip: layer "both" (concatenate) does not fit: it appends the channels of 4x4x3 of "a" to 2x2x3 (layer "pool" gives 2x2x3) - give both branches the same height and width
  { name = "both", kind = "concatenate", skip = "a" },
                                                ^)");
  CHECK(
      problems_of(
          network_text("[4, 4, 2]", "4", "{ name = \"one\", block = \"around\" },\n" + loss,
                       "[blocks]\naround = [\n{ name = \"c\", kind = \"concatenate\", skip = \"block\" },\n]\n")) ==
      R"(small.toml:14:44: blocks.around[0].skip: layer "one.c" (concatenate) does not fit: a block whose input is appended must not come first in the network (the network's input gives 4x4x2)
  { name = "c", kind = "concatenate", skip = "block" },
                                             ^)");
}

}  // namespace
}  // namespace orrery
