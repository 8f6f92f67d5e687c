// FedScale's two schemas as CSV.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"
#include "topologies/availability.hpp"
#include "topologies/catalogue/rows.hpp"

namespace orrery {
namespace {

/// Every row is a client of its own.
class Clients {
 public:
  void take(CsvRow& row) {
    const std::string& client = row.required_text("client");
    const auto [first, fresh] = lines_.emplace(client, row.at().line);
    if (fresh || client.empty()) return;
    row.problem("client", fmt::format("\"{}\" is given twice", client), fmt::format("first in line {}", first->second),
                "give every client one row");
  }

 private:
  std::map<std::string, int, std::less<>> lines_;
};

/// Numbers separated by blanks; nothing when a problem was recorded.
std::optional<std::vector<Seconds>> instants(CsvRow& row, std::string_view column) {
  std::vector<Seconds> times;
  for (const std::string& part : split(row.required_text(column), ' ')) {
    if (trim(part).empty()) continue;
    const std::optional<double> number = parse_number(trim(part));
    if (!number) {
      row.problem(column, fmt::format("\"{}\" is not a number", trim(part)), "seconds separated by blanks are wanted");
      return {};
    }
    times.emplace_back(*number);
  }
  if (times.empty()) return {};  // the cell is empty, which is a problem already
  return times;
}

/// 0 <= active[0] < inactive[0] < active[1] < ... <= period.
void check_order(CsvRow& row, const BehaviourTrace& trace) {
  double last = -1.0;
  for (std::size_t i = 0; i < trace.active.size(); ++i) {
    const double begin = trace.active[i].value(), end = trace.inactive[i].value();
    if (begin < 0.0) {
      row.problem("active", fmt::format("{} is negative", number_text(begin)), "a period begins at 0");
      return;
    }
    if (begin <= last) {
      row.problem("active", fmt::format("{} is not after {}", number_text(begin), number_text(last)),
                  "begins and ends alternate: the client is online still", "join the two times online");
      return;
    }
    if (end <= begin) {
      row.problem("inactive", fmt::format("{} is not after {}", number_text(end), number_text(begin)),
                  "begins and ends alternate: a time online ends after it began");
      return;
    }
    last = end;
  }
  if (last > trace.period.value()) {
    row.problem(
        "inactive",
        fmt::format("{} is beyond the end of the period, {}", number_text(last), number_text(trace.period.value())),
        "finish_time is where the behaviour starts again", "cut the last time online there");
  }
}

std::optional<BehaviourTrace> read_behaviour(CsvRow& row) {
  BehaviourTrace trace;
  trace.period = Seconds(number_above_zero(row, "finish_time"));
  static_cast<void>(number_or_zero(row, "duration"));
  auto active = instants(row, "active"), inactive = instants(row, "inactive");
  if (!active || !inactive || trace.period.value() <= 0.0) return {};
  trace.active = std::move(*active);
  trace.inactive = std::move(*inactive);
  if (trace.active.size() != trace.inactive.size()) {
    row.problem("inactive", fmt::format("{} instants beside {} in active", trace.inactive.size(), trace.active.size()),
                "every time online has a begin and an end");
    return {};
  }
  check_order(row, trace);
  return trace;
}

void expect_rows(const std::string& file, std::size_t rows, std::size_t known_problems, Problems& problems) {
  if (rows > 0 || problems.all().size() > known_problems) return;
  Problem problem;
  problem.at.file = file;
  problem.what = "no clients";
  problem.why = "a header without rows";
  problems.add(std::move(problem));
}

}  // namespace

std::vector<BehaviourTrace> read_behaviour_traces(const std::string& file, Problems& problems) {
  const std::size_t known_problems = problems.all().size();
  CsvTable table =
      CsvTable::read(file, {{"client", "finish_time", "active", "inactive"}, {"duration", "model"}}, problems);
  std::vector<BehaviourTrace> traces;
  Clients clients;
  for (CsvRow& row : table.rows()) {
    clients.take(row);
    if (auto trace = read_behaviour(row)) traces.push_back(std::move(*trace));
  }
  expect_rows(file, table.rows().size(), known_problems, problems);
  return traces;
}

std::vector<CapacityTrace> read_capacity_traces(const std::string& file, Problems& problems) {
  const std::size_t known_problems = problems.all().size();
  CsvTable table = CsvTable::read(file, {{"client", "computation", "communication"}, {}}, problems);
  std::vector<CapacityTrace> traces;
  Clients clients;
  for (CsvRow& row : table.rows()) {
    clients.take(row);
    const double milliseconds = number_above_zero(row, "computation");
    const double kilobits = number_above_zero(row, "communication");
    traces.push_back({Seconds(milliseconds / kilo), BytesPerSecond(kilobits * kilo / 8)});
  }
  expect_rows(file, table.rows().size(), known_problems, problems);
  return traces;
}

}  // namespace orrery
