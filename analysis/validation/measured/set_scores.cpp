#include "analysis/validation/measured/set_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "analysis/reports/text_table.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"

namespace orrery {
namespace {

/// Fewer layouts than this say little of their order.
constexpr std::size_t least_layouts = 3;

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// What a layout chooses; rows that agree in it are one layout measured twice.
std::string layout_text(const MeasuredRow& row) {
  std::string text = row.recompute + '|' + row.zero_stage + '|' + row.seq_parallel;
  for (const auto& count : {row.tp, row.pp, row.dp, row.cp, row.ep, row.micro_batch, row.interleave}) {
    text += '|' + (count ? std::to_string(*count) : "");
  }
  return text;
}

/// What a layout is chosen for.
std::string job_text(const MeasuredRow& row) {
  std::string text = row.metric + '|' + row.unit + '|' + row.model + '|' + row.device + '|' + row.precision + '|' +
                     row.intra_link + '|' + row.inter_link;
  for (const auto& count : {row.layers, row.hidden, row.heads, row.vocab, row.seq_len, row.global_batch, row.devices}) {
    text += '|' + (count ? std::to_string(*count) : "");
  }
  return text;
}

std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    for (std::size_t at = first; at < end; ++at) ranks[order[at]] = static_cast<double>(first + end - 1) / 2;
    first = end;
  }
  return ranks;
}

/// Mean |error| of the null model over the rows it says something of.
std::optional<double> null_error(const std::vector<const RowOutcome*>& rows) {
  std::map<NullModel::Rate, std::vector<double>> logs;
  for (const RowOutcome* outcome : rows) {
    const NullModel& null = outcome->null;
    if (null.exponent != 0) logs[null.rate].push_back(null.exponent * std::log(outcome->row->value / null.scale));
  }
  if (logs.empty()) return std::nullopt;
  std::map<NullModel::Rate, double> log_rates;
  for (const auto& [rate, values] : logs) log_rates[rate] = median_of(values);
  std::vector<double> errors;
  for (const RowOutcome* outcome : rows) {
    const NullModel& null = outcome->null;
    if (null.exponent == 0) continue;
    const double value = null.scale * std::exp(log_rates[null.rate] * null.exponent);
    errors.push_back(std::abs(value / outcome->row->value - 1));
  }
  return mean_of(errors);
}

Better better_of(const MeasuredRow& row) {
  return seconds_per(row.unit) ? Better::lower : Better::higher;
}

void add_layouts(SetScore& score, const std::vector<const RowOutcome*>& rows) {
  std::vector<double> correlations, regrets;
  for (const auto& group : layout_groups(rows, least_layouts)) {
    std::vector<double> measured, predicted;
    for (const RowOutcome* outcome : group) {
      measured.push_back(outcome->row->value);
      predicted.push_back(outcome->predicted->value);
    }
    if (const auto correlation = rank_correlation(measured, predicted)) correlations.push_back(*correlation);
    regrets.push_back(regret(measured, predicted, better_of(*group.front()->row)));
  }
  if (!correlations.empty()) score.rank = mean_of(correlations);
  if (!regrets.empty()) score.regret = mean_of(regrets);
}

std::string role_of(const std::string& set, const std::vector<SetRole>& roles) {
  const auto role = std::find_if(roles.begin(), roles.end(), [&](const SetRole& known) { return known.set == set; });
  return role == roles.end() ? "test" : role->role;
}

SetScore score_of(const std::string& name, const std::string& role, const std::vector<const RowOutcome*>& rows) {
  SetScore score;
  score.set = name;
  score.role = role;
  score.rows = rows.size();
  std::vector<const RowOutcome*> scored;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(scored),
               [](const RowOutcome* outcome) { return outcome->predicted.has_value(); });
  score.scored = scored.size();
  if (scored.empty()) return score;
  std::vector<double> errors, absolute;
  for (const RowOutcome* outcome : scored) {
    errors.push_back(*outcome->signed_error());
    absolute.push_back(std::abs(errors.back()));
    score.covered += outcome->is_covered() ? 1.0 / static_cast<double>(scored.size()) : 0;
  }
  score.mean = mean_of(absolute);
  score.median = median_of(absolute);
  score.worst = *std::max_element(absolute.begin(), absolute.end());
  score.bias = mean_of(errors);
  score.null_mean = null_error(scored);
  add_layouts(score, scored);
  return score;
}

std::string percent(double share, int decimals) {
  return fmt::format("{:.{}f}", 100 * share, decimals);
}

std::string percent(const std::optional<double>& share, int decimals) {
  return share ? percent(*share, decimals) : "";
}

}  // namespace

std::vector<SetRole> read_set_roles(Problems& problems) {
  const auto file = data_directory() / "analysis" / "validation" / "measured_sets.csv";
  CsvTable table = CsvTable::read(file.string(), {{"set", "role", "note"}, {}}, problems);
  const std::set<std::string> known = {"calibration", "test", "doubtful"};
  std::vector<SetRole> roles;
  for (CsvRow& row : table.rows()) {
    roles.push_back({row.required_text("set"), row.required_text("role"), row.text("note")});
    if (known.count(roles.back().role) == 0) {
      row.problem("role", "\"" + roles.back().role + "\" is no role", "", "say calibration, test or doubtful");
    }
  }
  return roles;
}

std::vector<std::vector<const RowOutcome*>> layout_groups(const std::vector<const RowOutcome*>& rows,
                                                          std::size_t least) {
  std::map<std::string, std::map<std::string, const RowOutcome*>> by_job;
  for (const RowOutcome* outcome : rows) by_job[job_text(*outcome->row)].emplace(layout_text(*outcome->row), outcome);
  std::vector<std::vector<const RowOutcome*>> groups;
  for (const auto& [job, layouts] : by_job) {
    if (layouts.size() < least) continue;
    groups.emplace_back();
    for (const auto& [layout, outcome] : layouts) groups.back().push_back(outcome);
  }
  return groups;
}

std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = ranks_of(a), y = ranks_of(b);
  const double middle = (static_cast<double>(a.size()) - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t at = 0; at < a.size(); ++at) {
    xy += (x[at] - middle) * (y[at] - middle);
    xx += (x[at] - middle) * (x[at] - middle);
    yy += (y[at] - middle) * (y[at] - middle);
  }
  if (xx == 0 || yy == 0) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

double regret(const std::vector<double>& measured, const std::vector<double>& predicted, Better better) {
  const bool is_lower = better == Better::lower;
  const auto best = [&](const std::vector<double>& values) {
    return is_lower ? std::min_element(values.begin(), values.end()) : std::max_element(values.begin(), values.end());
  };
  const double chosen = measured[static_cast<std::size_t>(best(predicted) - predicted.begin())];
  return is_lower ? chosen / *best(measured) - 1 : *best(measured) / chosen - 1;
}

std::vector<SetScore> set_scores(const std::vector<RowOutcome>& outcomes, const std::vector<SetRole>& roles) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<const RowOutcome*>> by_set;
  for (const RowOutcome& outcome : outcomes) {
    auto& rows = by_set[outcome.row->set];
    if (rows.empty()) order.push_back(outcome.row->set);
    rows.push_back(&outcome);
  }
  std::vector<SetScore> scores;
  scores.reserve(order.size());
  for (const std::string& set : order) scores.push_back(score_of(set, role_of(set, roles), by_set[set]));
  return scores;
}

std::vector<SetScore> role_scores(const std::vector<RowOutcome>& outcomes, const std::vector<SetRole>& roles) {
  std::vector<SetScore> scores;
  for (const char* role : {"test", "calibration", "doubtful"}) {
    std::vector<const RowOutcome*> rows;
    for (const RowOutcome& outcome : outcomes) {
      if (role_of(outcome.row->set, roles) == role) rows.push_back(&outcome);
    }
    if (rows.empty()) continue;
    scores.push_back(score_of("all", role, rows));
    scores.back().null_mean.reset();  // one rate for steps, buses and watts means nothing
  }
  return scores;
}

std::vector<std::string> score_table(const std::vector<SetScore>& scores, std::size_t width) {
  std::vector<TextRow> lines;
  for (const SetScore& score : scores) {
    std::vector<std::string> cells = {score.set, score.role, std::to_string(score.rows), std::to_string(score.scored)};
    if (score.scored > 0) {
      cells.insert(cells.end(), {percent(score.mean, 1), percent(score.median, 1), percent(score.worst, 1),
                                 fmt::format("{:+.1f}", 100 * score.bias), percent(score.covered, 0),
                                 score.rank ? fmt::format("{:.2f}", *score.rank) : "", percent(score.regret, 1),
                                 percent(score.null_mean, 1)});
    } else {
      cells.resize(12);
    }
    lines.push_back({std::move(cells), {}});
  }
  return text_table({{"set", Align::left},
                     {"role", Align::left},
                     {"rows"},
                     {"scored"},
                     {"mean %"},
                     {"median"},
                     {"worst"},
                     {"bias"},
                     {"in range"},
                     {"rank"},
                     {"regret %"},
                     {"null %"}},
                    std::move(lines), width);
}

}  // namespace orrery
