#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

Cells link_cells(const ResultRow& row, const WireUse& use, Seconds duration) {
  const bool ran = duration > Seconds{};
  return {row.way->strategy,
          use.name,
          std::string(name_of(use.scope)),
          number_text(use.bandwidth.value() / giga),
          number(use.bytes),
          number(use.busy),
          ran ? number_text(use.busy / duration) : std::string{},
          ran ? number_text(use.bytes / (use.bandwidth * duration)) : std::string{}};
}

void add_links(const ResultRow& row, std::string& text) {
  const Way& way = *row.way;
  if (!row.cosimulated()) {
    for (const WireUse& use : wires(way.platform, way.records.links)) {
      text += csv_line(link_cells(row, use, way.records.makespan));
    }
    return;
  }
  const FederatedRun& run = way.federated;
  if (run.steps.empty()) return;
  const LinkScope scope = row.traffic.wan > Bytes{} ? LinkScope::wan : LinkScope::inter_node;
  for (const WireUse& use : wires(run, scope)) {
    text += csv_line(link_cells(row, use, run.steps.back().end - run.steps.front().begin));
  }
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
  std::string text =
      csv_line({"strategy", "link", "scope", "bandwidth_GBps", "bytes", "busy_s", "busy_fraction", "utilisation"});
  for (const ResultRow& row : rows) {
    if (row.simulated()) add_links(row, text);
  }
  return text;
}

}  // namespace orrery
