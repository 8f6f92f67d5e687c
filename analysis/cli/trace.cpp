// `orrery trace`: the timeline of a run for Perfetto or chrome://tracing.
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>
#include <iostream>

#include "analysis/cli/command.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/reports/reports.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"

namespace orrery {

ExitCode trace_command(const Arguments& arguments) {
  namespace po = boost::program_options;
  CommandSpec spec;
  spec.name = "trace";
  spec.summary = "a run's timeline as Chrome Trace Event JSON: one process per rank, one track per stream";
  spec.examples = {
      "orrery trace out/pipeline -o timeline.json   (after: orrery run scenarios/pipeline.toml -o out/pipeline)",
      "orrery trace out/pipeline > timeline.json"};
  spec.positional = {"DIR"};
  spec.notes = "Open the file at https://ui.perfetto.dev or in chrome://tracing.";
  spec.options.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                             "where to write; default: standard output")("force", "overwrite FILE");
  const auto values = parse(spec, arguments);
  if (!values) return ExitCode::ok;
  const std::filesystem::path folder = (*values)["DIR"].as<std::string>();
  const std::filesystem::path timeline = folder / "timeline.csv";
  if (!std::filesystem::exists(timeline)) {
    throw InvalidInput({{{timeline.string()},
                         {},
                         "no such file",
                         "a trace is made from the results of a run",
                         "run `orrery run SCENARIO -o " + folder.string() + "` first",
                         {}}});
  }
  refuse_inputs("trace", text_of(*values, "output"), {timeline.string()});
  const std::string file = new_file("trace", *values);
  const std::string trace = chrome_trace(read_file(timeline), timeline.string());
  if (file.empty()) {
    std::cout << trace;
  } else {
    write_file(file, trace);
  }
  return ExitCode::ok;
}

}  // namespace orrery
