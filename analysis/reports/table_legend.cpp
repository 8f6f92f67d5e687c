#include "analysis/reports/table_legend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "analysis/reports/participation.hpp"
#include "analysis/reports/shared_figures.hpp"
#include "analysis/reports/text_table.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

using Rows = std::vector<ResultRow>;
using Lines = std::vector<std::string>;

template <class Holds>
bool any(const Rows& rows, const Holds& holds) {
  return std::any_of(rows.begin(), rows.end(), holds);
}

bool has_server(const ResultRow& row) {
  return row.strategy->kind != StrategyKind::federated && participating_devices(row) > row.strategy->devices;
}

std::string columns_text(const Rows& rows, const ResultRow* reference) {
  return fmt::format(
      "{}dev: devices{}. Shares of the step - comp: computing; comm: communication that computing does not hide; wait: "
      "idle.",
      reference != nullptr ? "* reference of the ratios. " : "",
      any(rows, has_server) ? ", a parameter server included" : "");
}

std::string range_text(const Rows& rows) {
  const bool has_range = any(rows, [](const ResultRow& row) { return step_range(row).has_value(); });
  return has_range ? "range: of the step, from the ranges of all constants together (deviations added in squares)."
                   : "";
}

std::string mfu_text(const Rows& rows) {
  const bool has_mfu = any(rows, [](const ResultRow& row) { return shown_mfu(row).has_value(); });
  return has_mfu ? "mfu: model FLOPs of a step / what the devices' peak would do meanwhile." : "";
}

/// A step of local SGD holds several of the others'.
std::string local_steps_text(const Rows& rows) {
  const bool has_local = any(rows, [](const ResultRow& row) {
    return row.simulated() && row.strategy->kind == StrategyKind::local_sgd && row.strategy->federated.local_steps > 1;
  });
  return has_local ? "local-sgd: a step is local_steps steps of every device and an average of their weights; `to "
                     "train` compares with others."
                   : "";
}

std::string federated_text(const Rows& rows) {
  std::string text;
  if (any(rows, [](const ResultRow& row) { return row.cosimulated(); })) {
    text =
        "Federated, async: a step is one of the server; waste: trips that did not report and bytes sent again, of the "
        "clients' and network's joules.";
  }
  if (any(rows, [](const ResultRow& row) { return row.strategy->kind == StrategyKind::federated; })) {
    text += " Federated dev: (mean that reported of) clients per round / all.";
  }
  return text;
}

/// It is the same for all ways on the cluster.
std::string transfer_text(const Rows& rows) {
  const auto moved = std::find_if(rows.begin(), rows.end(), [](const ResultRow& row) {
    return row.simulated() && row.budget.time && row.way->data_transfer.time > Seconds();
  });
  if (moved == rows.end()) return {};
  const DataTransfer& transfer = moved->way->data_transfer;
  return fmt::format(
      "Moving the data to the cluster ({}, {}) is in to train, energy, cost and the winners' bytes, not in the step.",
      human(transfer.time), human(transfer.bytes));
}

std::string seeds_text(const Rows& rows) {
  if (any(rows, [](const ResultRow& row) { return row.seeds.final_accuracy.has_value(); })) {
    return "acc: mean \u00b1 standard deviation over seeds; all other figures of the first seed.";
  }
  const bool has_seeds = any(rows, [](const ResultRow& row) { return row.seeds.count > 1; });
  return has_seeds ? "All figures of the first seed; mean and deviation over the seeds: results.csv." : "";
}

void add_wrapped(const std::string& text, std::size_t width, Lines& lines) {
  if (text.empty()) return;
  for (std::string& line : wrap(text, width)) lines.push_back(std::move(line));
}

/// Which kinds of strategy were priced by which model, where there are several: their times differ by these, too.
std::string models_that_differ(const Rows& rows) {
  std::map<std::string, std::set<std::string>> kinds;
  for (const ResultRow& row : rows) {
    if (row.simulated()) kinds[compute_model(row)].emplace(name_of(row.strategy->kind));
  }
  if (kinds.size() < 2) return {};
  Lines parts;
  for (const auto& [model, names] : kinds) {
    parts.push_back(fmt::format("{} by {}", join(Lines(names.begin(), names.end()), ", "), model));
  }
  return "Strategies use different compute models, which may explain part of a difference: " + join(parts, "; ") + ".";
}

}  // namespace

std::optional<double> shown_mfu(const ResultRow& row) {
  const std::vector<StrategySpec>& all = row.scenario->strategies;
  const bool has_layouts = std::any_of(
      all.begin(), all.end(), [](const StrategySpec& strategy) { return strategy.kind == StrategyKind::hybrid; });
  return has_layouts && row.simulated() && !row.cosimulated() ? row.throughput.mfu : std::nullopt;
}

std::vector<std::string> table_legend(const Rows& rows, const ResultRow* reference, std::size_t width) {
  Lines lines;
  if (!any(rows, [](const ResultRow& row) { return row.simulated(); })) return lines;
  for (const std::string& text :
       {columns_text(rows, reference), range_text(rows), mfu_text(rows), local_steps_text(rows), federated_text(rows),
        transfer_text(rows), seeds_text(rows)}) {
    add_wrapped(text, width, lines);
  }
  return lines;
}

std::vector<std::string> table_notes(const Rows& rows, std::size_t width) {
  Lines lines;
  add_wrapped(models_that_differ(rows), width, lines);
  for (const ResultRow& row : rows) add_wrapped(lost_rounds_text(row), width, lines);
  return lines;
}

}  // namespace orrery
