// Mistakes in a scenario as a whole, each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {

TEST_CASE("mistakes of the whole file are all told at once") {
  check_malformed({
      {"an empty file", "",
       R"(lab.toml: workload: is missing (nothing says what is trained) - add a [workload]
lab.toml: strategy: is missing (nothing says how to train) - add a [[strategy]])"},
      {"text that is not TOML", R"([workload
network = "2nn"
)",
       R"(lab.toml:1:10: expected ']', saw '\n' (while reading a table header)
  [workload
           ^)"},
      {"a network that does not exist", R"([workload]
network = "lenet"
)" + box + alone,
       R"(lab.toml:2:11: workload.network: unknown network "lenet" - did you mean "lenet5"?
  network = "lenet"
            ^)"},
      {"an unknown key and an unknown table", two_nn + R"(bacth = 32
)" + box + alone + R"([energie]
pue = 1.1
)",
       R"(lab.toml:3:1: workload: unknown key "bacth" - did you mean "batch"?
  bacth = 32
  ^
lab.toml:9:2: unknown key "energie" - did you mean "energy"?
  [energie]
   ^)"},
      {"wrong types and ranges", two_nn + R"(batch = "64"
learning_rate = 0
learn = 1
)" + box + alone + R"([energy]
pue = 0.9
)",
       R"(lab.toml:3:9: workload.batch: is the string "64" (an integer is wanted) - write it without quotes
  batch = "64"
          ^
lab.toml:4:17: workload.learning_rate: 0 is out of range (must be more than 0)
  learning_rate = 0
                  ^
lab.toml:5:9: workload.learn: is the integer 1 (a truth value is wanted) - write true or false
  learn = 1
          ^
lab.toml:12:7: energy.pue: 0.9 is out of range (must be between 1 and 10)
  pue = 0.9
        ^)"},
      {"the same name twice", two_nn + box + alone + alone,
       R"(lab.toml:9:8: strategy[1].name: "a" is the name of an earlier strategy (rows are told apart by it) - give each strategy its own name
  name = "a"
         ^)"},
      {"a reference and an assertion on nobody", R"([scenario]
reference = "ringg"
)" + two_nn + box + R"([[strategy]]
name = "ring"
kind = "data"
[[assert]]
metric = "step_time_s"
strategy = "rnig"
max = 1
)",
       R"(lab.toml:2:13: scenario.reference: unknown name "ringg" - did you mean "ring"?
  reference = "ringg"
              ^
lab.toml:12:12: assert[0].strategy: unknown name "rnig" - did you mean "ring"?
  strategy = "rnig"
             ^)"},
      {"an assertion that asserts nothing, and one that cannot hold", two_nn + box + alone + R"([[assert]]
metric = "cost"
[[assert]]
metric = "cost"
min = 2
max = 1
)",
       R"(lab.toml:8:1: assert[0].min: is missing (nothing is asserted) - add min, max or both
  [[assert]]
  ^
lab.toml:12:7: assert[1].min: is above max (no value is between them)
  min = 2
        ^)"},
      {"a system's price in another currency",
       two_nn + box + alone + "[cost]\nelectricity_per_kWh = 0.3\ncurrency = \"USD\"\n",
       R"(lab.toml:10:12: cost.currency: "USD" is not what box is paid in (its price is in EUR, electricity contained, and nothing says what that is in USD) - use currency = "EUR", or add price_per_device_hour in USD
  currency = "USD"
             ^)"},
      {"a price of one's own in another currency",
       two_nn + box + alone + "[cost]\nprice_per_device_hour = 2\ncurrency = \"USD\"\n", ""},
      {"prices and energies that nobody pays", two_nn + box + alone + R"([energy]
pue = 1e300
gCO2e_per_kWh = 1e300
wan_J_per_GB = 1e300
[cost]
price_per_device_hour = 1e300
electricity_per_kWh = 1e300
currency = "EUR"
)",
       R"(lab.toml:9:7: energy.pue: 1e+300 is out of range (must be between 1 and 10)
  pue = 1e300
        ^
lab.toml:10:17: energy.gCO2e_per_kWh: 1e+300 is out of range (must be between 0 and 10000)
  gCO2e_per_kWh = 1e300
                  ^
lab.toml:11:16: energy.wan_J_per_GB: 1e+300 is out of range (must be between 0 and 3600000000)
  wan_J_per_GB = 1e300
                 ^
lab.toml:13:25: cost.price_per_device_hour: 1e+300 is out of range (must be between 0 and 1000000000)
  price_per_device_hour = 1e300
                          ^
lab.toml:14:23: cost.electricity_per_kWh: 1e+300 is out of range (must be between 0 and 1000000000)
  electricity_per_kWh = 1e300
                        ^)"},
      {"names that would change the terminal, and none", R"([scenario]
name = "a\u001b[31m"
)" + two_nn + box + R"([[strategy]]
name = ""
kind = "single"
[[strategy]]
name = "two\nlines"
kind = "single"
[[strategy]]
name = "c\u009b31m"
kind = "single"
[cost]
currency = "\u0007"
)",
       R"(lab.toml:2:8: scenario.name: has control characters (it stands in tables and files) - use one line of printable text
  name = "a\u001b[31m"
         ^
lab.toml:8:8: strategy[0].name: is empty (required)
  name = ""
         ^
lab.toml:11:8: strategy[1].name: has control characters (it stands in tables and files) - use one line of printable text
  name = "two\nlines"
         ^
lab.toml:14:8: strategy[2].name: has control characters (it stands in tables and files) - use one line of printable text
  name = "c\u009b31m"
         ^
lab.toml:17:12: cost.currency: has control characters (it stands in tables and files) - use one line of printable text
  currency = "\u0007"
             ^)"},
      {"prices without a currency, carbon said twice", two_nn + box + alone + R"([energy]
grid = "windy"
gCO2e_per_kWh = 100
[cost]
electricity_per_kWh = 0.3
)",
       R"(lab.toml:10:17: energy.gCO2e_per_kWh: belongs to [energy] without grid (the grid windy has its own) - remove it
  gCO2e_per_kWh = 100
                  ^
lab.toml:11:1: cost.currency: is missing (a price without a currency says nothing) - add currency = "EUR"
  [cost]
  ^)"},
  });
}

}  // namespace orrery
