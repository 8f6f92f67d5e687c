// Malformed scenarios and the whole text of the error each must give.
#pragma once

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/scenarios/small.hpp"

namespace orrery {

// Pieces of scenarios, with the number of their lines.
inline const std::string two_nn = "[workload]\nnetwork = \"2nn\"\n";                                              // 2
inline const std::string box = "[cluster]\nsystem = \"box\"\n";                                                   // 2
inline const std::string alone = "[[strategy]]\nname = \"a\"\nkind = \"single\"\n";                               // 3
inline const std::string replicas = "[[strategy]]\nname = \"a\"\nkind = \"data\"\n";                              // 3
inline const std::string served = "server = \"gpu\"\nserver_link = \"net\"\n";                                    // 2
inline const std::string two_clients = "[federation]\nclients = 2\ndevice = \"gpu\"\nlink = \"net\"\n" + served;  // 6
inline const std::string federated = "[[strategy]]\nname = \"f\"\nkind = \"federated\"\n";                        // 3

inline const std::string ten_clients = "[federation]\nclients = 10\ndevice = \"gpu\"\nlink = \"net\"\n" + served;  // 6

struct Malformed {
  std::string what, text, error;
};

/// The error text of a scenario (file lab.toml, small catalogue); empty when there is none.
inline std::string error_of(const std::string& text) {
  try {
    scenario_of(text);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

inline void check_malformed(const std::vector<Malformed>& scenarios) {
  for (const Malformed& scenario : scenarios) {
    INFO(scenario.what);
    CHECK(error_of(scenario.text) == scenario.error);
  }
}

}  // namespace orrery
