#include "analysis/cli/measure_spec.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <cstdint>

namespace orrery {

CommandSpec measure_spec() {
  namespace po = boost::program_options;
  CommandSpec spec;
  spec.name = "measure";
  spec.summary = "execute the strategies of a scenario for real, in the processes of an MPI run";
  spec.examples = {"mpirun -n 2 orrery measure scenarios/measured-1g.toml -o out/measured",
                   "mpirun -n 2 orrery measure my.toml --strategy pipeline --steps 100",
                   "srun -n 8 orrery measure my.toml -o out/measured",
                   "scenarios/measure/ranks-in-namespaces -n 2 -r 200mbit build/release/orrery measure "
                   "scenarios/measured-200m.toml"};
  spec.positional = {"SCENARIO"};
  spec.options.add_options()(
      "output,o", po::value<std::string>()->value_name("DIR"),
      "folder for results.csv, steps.csv, curve.csv, resolved.toml, provenance.json; `orrery compare` sets it beside "
      "that of `orrery run`")("force", "overwrite the results that DIR already holds")(
      "strategy", po::value<std::vector<std::string>>()->composing()->value_name("NAME"),
      "measure this one only; may be repeated; default: all")(
      "steps", po::value<std::int64_t>()->value_name("N"),
      "optimizer steps (federated: rounds) that count; default: the scenario's when it learns, else 30")(
      "warm-up", po::value<std::int64_t>()->value_name("N")->default_value(5), "steps before them")("quiet,q",
                                                                                                    "no progress bar");
  add_scenario_options(spec.options);
  spec.notes =
      "Every process is one device of a strategy; processes that a strategy does not need wait. Each is bound to a "
      "core "
      "of its\nown, unless the launcher bound it; the threads of one process are the scenario's profile_threads. An "
      "error of one process\nends all of them.";
  return spec;
}

}  // namespace orrery
