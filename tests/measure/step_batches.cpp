// What measured steps train on.
#include "scenarios/measure/step_batches.hpp"

#include <fmt/format.h>

#include "tests/catch.hpp"
#include "tests/measure/ranks.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

using testing::scenario_on;

const std::string alone = "[[strategy]]\nname = \"way\"\nkind = \"single\"\n";

/// The error that making them ends in; empty: none.
template <class Error>
std::string error_of(const Scenario& scenario) {
  const ExecutionPlan plan(scenario.workload.network);
  try {
    const StepBatches batches(scenario, plan);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST_CASE("numbers of a data set that are no rows of a table are told on every rank, before any step") {
  Scenario scenario = scenario_on(1, "network = \"2nn\"\ndataset = \"synthetic\"\nbatch = 8\n", alone);
  CHECK(error_of<InvalidInput>(scenario).empty());
  scenario.workload.network = tables_of_pixels();
  const float first = load_data_set("synthetic", scenario.seed).train.inputs[0];
  CHECK(
      error_of<InvalidInput>(scenario) ==
      fmt::format("small: layer \"tables\": sample 0: number 0 is {}, which is no row (its table has the rows 0 to 2)",
                  first));
  scenario.workload.dataset.clear();  // random samples name rows that there are
  CHECK(error_of<InvalidInput>(scenario).empty());
}

TEST_CASE("a batch of more samples than the data set has cannot be measured") {
  const Scenario scenario = scenario_on(1, "network = \"2nn\"\ndataset = \"synthetic\"\nbatch = 6001\n", alone);
  CHECK(error_of<Infeasible>(scenario) == "a batch of 6001 samples is more than the 6000 of the data set");
}

}  // namespace
}  // namespace orrery
