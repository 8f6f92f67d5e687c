// Mistakes in what disturbs a layout, each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {

TEST_CASE("lengths that cannot vary so much are told with the reason") {
  const std::string hybrid = two_nn + box + "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n";
  check_malformed({
      {"lengths a billion times as far from their mean as it is long", hybrid + "length_variation = 1e9\n",
       R"(lab.toml:8:20: strategy[0].length_variation: 1000000000 is more than lengths can vary (standard deviation / mean of a micro-batch's tokens, drawn from a normal law: above 1 every sixth would have none) - use at most 1
  length_variation = 1e9
                     ^)"},
      {"a little too much", hybrid + "length_variation = 1.001\n",
       R"(lab.toml:8:20: strategy[0].length_variation: 1.001 is more than lengths can vary (standard deviation / mean of a micro-batch's tokens, drawn from a normal law: above 1 every sixth would have none) - use at most 1
  length_variation = 1.001
                     ^)"},
      {"less than none", hybrid + "length_variation = -0.1\njitter = 2\n",
       R"(lab.toml:8:20: strategy[0].length_variation: -0.1 is out of range (must be at least 0)
  length_variation = -0.1
                     ^
lab.toml:9:10: strategy[0].jitter: 2 is out of range (must be between 0 and 1)
  jitter = 2
           ^)"},
  });
  CHECK(error_of(hybrid + "length_variation = 1\n").empty());
}

}  // namespace orrery
