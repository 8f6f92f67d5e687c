#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

using Cells = std::vector<std::string>;

template <class Tag>
std::string number(Quantity<Tag> quantity) {
  return number_text(quantity.value());
}

/// Empty when the id is invalid.
template <class Tag>
std::string index_text(Id<Tag> id) {
  return id.valid() ? std::to_string(id.index()) : std::string{};
}

Cells timeline_cells(const std::string& strategy, const Activity& activity) {
  return {strategy,
          index_text(activity.rank),
          std::string(name_of(activity.stream)),
          std::string(name_of(activity.dimension)),
          std::string(name_of(activity.phase)),
          index_text(activity.layer),
          activity.microbatch < 0 ? std::string{} : std::to_string(activity.microbatch),
          number(activity.ready),
          number(activity.start),
          number(activity.end),
          number(activity.bytes),
          number(activity.flops),
          index_text(activity.peer)};
}

Cells link_cells(const Way& way, const LinkUse& use) {
  const PlatformLink& link = way.platform.links[use.link.index()];
  const Seconds makespan = way.records.makespan;
  const bool ran = makespan > Seconds{};
  return {way.strategy,
          link.name,
          std::string(name_of(link.scope)),
          number_text(link.bandwidth.value() / giga),
          number(use.bytes),
          number(use.busy),
          ran ? number_text(use.busy / makespan) : std::string{},
          ran ? number_text(use.bytes / (link.bandwidth * makespan)) : std::string{}};
}

Cells curve_cells(const ResultRow& row, const CurvePoint& point) {
  return {row.strategy->name,
          cell_text(std::string(name_of(row.way->curve_source))),
          std::to_string(point.round),
          number_text(point.epoch),
          number(point.time),
          number(point.bytes),
          row.has_energy ? number(point.energy) : std::string{},
          number_text(point.accuracy),
          number_text(point.loss),
          number_text(point.train_loss)};
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

std::string links_csv(const std::vector<Way>& ways) {
  std::string text =
      csv_line({"strategy", "link", "scope", "bandwidth_GBps", "bytes", "busy_s", "busy_fraction", "utilisation"});
  for (const Way& way : ways) {
    if (way.status != WayStatus::ok) continue;
    for (const LinkUse& use : way.records.links) text += csv_line(link_cells(way, use));
  }
  return text;
}

std::string curve_csv(const std::vector<ResultRow>& rows) {
  std::string text = csv_line(
      {"strategy", "curve_source", "round", "epoch", "time_s", "bytes", "energy_J", "accuracy", "loss", "train_loss"});
  for (const ResultRow& row : rows) {
    for (const CurvePoint& point : row.curve) text += csv_line(curve_cells(row, point));
  }
  return text;
}

std::string timeline_csv(const std::vector<Way>& ways) {
  std::string text = csv_line({"strategy", "rank", "stream", "dimension", "phase", "layer", "microbatch", "ready_s",
                               "start_s", "end_s", "bytes", "flops", "peer"});
  for (const Way& way : ways) {
    if (way.status != WayStatus::ok) continue;
    for (const Activity& activity : way.records.activities) text += csv_line(timeline_cells(way.strategy, activity));
  }
  return text;
}

}  // namespace orrery
