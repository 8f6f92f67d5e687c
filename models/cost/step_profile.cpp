#include "models/cost/step_profile.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "sim/base/csv.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {

namespace {

const std::vector<std::string>& column_names() {
  static const std::vector<std::string> names = {"network", "layer",       "pass",         "batch", "threads",
                                                 "seconds", "seconds_low", "seconds_high", "flops", "achieved_GFLOPS"};
  return names;
}

const std::vector<std::string>& pass_names() {
  static const std::vector<std::string> names = {
      std::string(name_of(Pass::forward)), std::string(name_of(Pass::backward)), std::string(name_of(Pass::optimizer))};
  return names;
}

/// Of the file as a whole.
Problem problem_of(const std::string& file, const std::string& what, const std::string& suggestion) {
  Problem problem;
  problem.at.file = file;
  problem.what = what;
  problem.suggestion = suggestion;
  return problem;
}

Pass read_pass(CsvRow& row) {
  const std::string& text = row.required_text("pass");
  for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
    if (name_of(pass) == text) return pass;
  }
  if (!text.empty()) {
    row.problem("pass", "unknown pass \"" + text + "\"", "a step has a forward, a backward and an optimizer pass",
                did_you_mean(text, pass_names()));
  }
  return Pass::forward;
}

int read_count(CsvRow& row, std::string_view column) {
  constexpr double largest = 1e9;  // fits an int on every machine
  const double value = row.required_number(column);
  if (value >= 1.0 && value <= largest && value == std::floor(value)) return static_cast<int>(value);
  if (!row.text(column).empty()) {
    row.problem(column, fmt::format("{} is not a whole number of at least 1", row.text(column)));
  }
  return 1;
}

void read_seconds(CsvRow& cells, ProfileRow& row) {
  row.seconds = cells.required_number("seconds");
  row.seconds_low = cells.required_number("seconds_low");
  row.seconds_high = cells.required_number("seconds_high");
  if (cells.text("seconds").empty()) return;
  if (row.seconds <= 0.0) {
    cells.problem("seconds", fmt::format("{} is not above 0", cells.text("seconds")), "an executed pass takes time");
  } else if (row.seconds_low > row.seconds || row.seconds_high < row.seconds) {
    cells.problem("seconds",
                  fmt::format("the median {} lies outside {} to {}", cells.text("seconds"), cells.text("seconds_low"),
                              cells.text("seconds_high")),
                  "seconds_low <= seconds <= seconds_high");
  }
}

double read_work(CsvRow& cells, std::string_view column) {
  const double value = cells.required_number(column);
  if (value < 0.0) cells.problem(column, fmt::format("{} is negative", cells.text(column)));
  return value;
}

ProfileRow read_row(CsvRow& cells) {
  ProfileRow row;
  row.layer = cells.required_text("layer");
  row.pass = read_pass(cells);
  row.batch = read_count(cells, "batch");
  row.threads = read_count(cells, "threads");
  read_seconds(cells, row);
  row.flops = read_work(cells, "flops");
  row.achieved_GFLOPS = read_work(cells, "achieved_GFLOPS");
  return row;
}

/// Line of the first row of each (layer, pass, batch, threads).
using FirstLines = std::map<std::tuple<std::string, Pass, int, int>, int>;

void refuse_doubled(const ProfileRow& row, CsvRow& cells, FirstLines& lines) {
  const auto [first, is_new] = lines.emplace(std::tuple(row.layer, row.pass, row.batch, row.threads), cells.at().line);
  if (is_new) return;
  cells.problem("layer",
                fmt::format("{} pass of \"{}\" with batch {} and {} threads is given twice", name_of(row.pass),
                            row.layer, row.batch, row.threads),
                fmt::format("first in line {}", first->second), "remove one of the rows");
}

StepProfile read_rows(CsvTable table, const std::string& file, std::size_t problems_before, Problems& problems) {
  StepProfile profile;
  profile.notes = table.comments();
  FirstLines lines;
  for (CsvRow& cells : table.rows()) {
    const std::size_t sound = problems.all().size();
    const std::string& network = cells.required_text("network");
    if (profile.network.empty()) profile.network = network;
    if (network != profile.network) {
      cells.problem("network", fmt::format("\"{}\" is a second network", network),
                    fmt::format("the profile is of \"{}\"", profile.network), "keep one file per network");
    }
    const ProfileRow row = read_row(cells);
    if (problems.all().size() == sound) refuse_doubled(row, cells, lines);
    profile.rows.push_back(row);
  }
  if (table.rows().empty() && problems.all().size() == problems_before) {
    problems.add(problem_of(file, "the profile has no rows", "record one with `orrery profile`"));
  }
  return profile;
}

}  // namespace

StepProfile read_step_profile(const std::filesystem::path& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read_rows(CsvTable::read(file.string(), {column_names(), {}}, problems), file.string(), before, problems);
}

StepProfile parse_step_profile(std::string_view text, const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read_rows(CsvTable::parse(text, file, {column_names(), {}}, problems), file, before, problems);
}

void check_profile(const StepProfile& profile, const LayerGraph& graph, const std::string& file, Problems& problems) {
  const std::string again = fmt::format("record it again with `orrery profile {}`", graph.name);
  const auto refuse = [&](const std::string& what, const std::string& suggestion) {
    problems.add(problem_of(file, what, suggestion));
  };
  if (profile.network != graph.name) {
    refuse(fmt::format("the profile is of network \"{}\", not of \"{}\"", profile.network, graph.name), again);
    return;
  }
  std::set<std::pair<std::string, Pass>> recorded;
  std::set<std::string> strangers;
  for (const ProfileRow& row : profile.rows) {
    recorded.emplace(row.layer, row.pass);
    strangers.insert(row.layer);
  }
  const std::vector<bool> has_backward = needs_gradient(graph);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    strangers.erase(layer.name);
    for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
      if (pass == Pass::backward && !has_backward[i]) continue;
      if (pass == Pass::optimizer && trainable_parameters(layer) == 0) continue;
      if (recorded.contains({layer.name, pass})) continue;
      refuse(fmt::format("the {} pass of layer \"{}\" is missing", name_of(pass), layer.name), again);
    }
  }
  for (const std::string& name : strangers) {
    refuse(fmt::format("network \"{}\" has no layer \"{}\"", graph.name, name), again);
  }
}

std::string to_csv(const StepProfile& profile) {
  std::string text;
  for (const std::string& note : profile.notes) text += "# " + note + "\n";
  text += csv_line(column_names());
  for (const ProfileRow& row : profile.rows) {
    text += csv_line({profile.network, row.layer, std::string(name_of(row.pass)), std::to_string(row.batch),
                      std::to_string(row.threads), number_text(row.seconds), number_text(row.seconds_low),
                      number_text(row.seconds_high), number_text(row.flops), number_text(row.achieved_GFLOPS)});
  }
  return text;
}

}  // namespace orrery
