#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

/// A link that was used, of a run of so many seconds.
struct LinkLine {
  const WireUse& use;
  Seconds duration;
};

/// Blank where nothing took time.
std::string busy_fraction(const ResultRow& /*row*/, const LinkLine& link) {
  return link.duration > Seconds{} ? number_text(link.use.busy / link.duration) : std::string{};
}
std::string utilisation(const ResultRow& /*row*/, const LinkLine& link) {
  const bool ran = link.duration > Seconds{};
  return ran ? number_text(link.use.bytes / (link.use.bandwidth * link.duration)) : std::string{};
}

const std::vector<CsvColumn<ResultRow, LinkLine>>& link_columns() {
  static const std::vector<CsvColumn<ResultRow, LinkLine>> columns = {
      {"strategy", [](const ResultRow& row, const LinkLine&) { return row.way->strategy; }},
      {"link", [](const ResultRow&, const LinkLine& link) { return link.use.name; }},
      {"scope", [](const ResultRow&, const LinkLine& link) { return std::string(name_of(link.use.scope)); }},
      {"bandwidth_GBps",
       [](const ResultRow&, const LinkLine& link) { return number_text(link.use.bandwidth.value() / giga); }},
      {"bytes", [](const ResultRow&, const LinkLine& link) { return number_text(link.use.bytes); }},
      {"busy_s", [](const ResultRow&, const LinkLine& link) { return number_text(link.use.busy); }},
      {"busy_fraction", busy_fraction},
      {"utilisation", utilisation},
  };
  return columns;
}

void add_links(const ResultRow& row, const std::vector<WireUse>& uses, Seconds duration, std::string& text) {
  for (const WireUse& use : uses) text += csv_line(cells_of(link_columns(), row, LinkLine{use, duration}));
}

void add_links(const ResultRow& row, std::string& text) {
  const Way& way = *row.way;
  if (!row.cosimulated()) {
    return add_links(row, wires(way.platform, way.records.links), way.records.makespan, text);
  }
  const FederatedRun& run = way.federated;
  if (run.steps.empty()) return;
  const LinkScope scope = row.traffic.wan > Bytes{} ? LinkScope::wan : LinkScope::inter_node;
  add_links(row, wires(run, scope), run.steps.back().end - run.steps.front().begin, text);
}

}  // namespace

std::string results_csv(const std::vector<ResultRow>& rows) {
  Cells header;
  for (const Column& column : columns()) header.push_back(column.name);
  std::string text = csv_line(header);
  for (const ResultRow& row : rows) {
    Cells cells;
    for (const Column& column : columns()) cells.push_back(cell_text(column.get(row)));
    text += csv_line(cells);
  }
  return text;
}

std::string links_csv(const std::vector<ResultRow>& rows) {
  std::string text = csv_line(names_of(link_columns()));
  for (const ResultRow& row : rows) {
    if (row.simulated()) add_links(row, text);
  }
  return text;
}

}  // namespace orrery
