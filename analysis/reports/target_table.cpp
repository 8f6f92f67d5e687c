#include "analysis/reports/target_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "analysis/reports/text_table.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string ratio(Seconds own, const ResultRow* reference) {
  if (reference == nullptr || !reference->at_target) return {};
  const Seconds other = reference->at_target->point.time;
  return other > Seconds{} ? human_ratio(own / other) : std::string{};
}

std::string carbon(const Spending& spent) {
  return spent.emissions_kg ? human_mass(*spent.emissions_kg) : std::string{};
}

/// "2 of 3 seeds" when not all of them reached it.
std::string over_seeds(const ResultRow& row) {
  if (row.seeds.reached && *row.seeds.reached < row.seeds.count) {
    return fmt::format("{} of {} seeds", *row.seeds.reached, row.seeds.count);
  }
  const std::optional<Spread>& time = row.seeds.time_to_accuracy_s;
  return time ? human(Seconds(time->mean)) + " \u00b1 " + human(Seconds(time->sd)) : std::string{};
}

double best_accuracy(const ResultRow& row) {
  double best = 0;
  for (const CurveEntry& entry : row.curve) best = std::max(best, entry.point.accuracy);
  return best;
}

std::string not_reached(const ResultRow& row) {
  const std::size_t seeds = row.seeds.count;
  if (seeds == 1) return "not reached; the best was " + human_accuracy(best_accuracy(row));
  double sum = best_accuracy(row);
  for (const ResultRow& other : row.repetitions) sum += best_accuracy(other);
  const std::string best = human_accuracy(sum / static_cast<double>(seeds)) + ", mean over the seeds";
  const std::size_t reached = row.seeds.reached.value_or(0);
  if (reached == 0) return fmt::format("not reached by any of {} seeds; the best was {}", seeds, best);
  return fmt::format("not reached by the first seed; {} of {} seeds reached it; the best was {}", reached, seeds, best);
}

TextRow line_of(const ResultRow& row, const ResultRow* reference) {
  const std::string name = row.strategy->name + (&row == reference ? "*" : "");
  if (!row.at_target) return {{name}, not_reached(row)};
  const CurveEntry& at = *row.at_target;
  return {{name, std::to_string(at.point.round), human(at.point.time), ratio(at.point.time, reference),
           human(at.point.bytes), at.spent.energy ? human(at.point.energy) : std::string{}, carbon(at.spent),
           at.spent.cost ? human_cost(*at.spent.cost, row.budget.currency) : std::string{}, over_seeds(row)},
          {}};
}

}  // namespace

std::vector<std::string> target_table(const std::vector<ResultRow>& rows, const ResultRow* reference,
                                      std::size_t width) {
  std::vector<TextRow> lines;
  for (const ResultRow& row : rows) {
    if (!row.curve.empty()) lines.push_back(line_of(row, reference));
  }
  const double target = rows.front().scenario->workload.target_accuracy;
  if (target <= 0 || lines.empty()) return {};
  const std::vector<TextColumn> titles = {{"until " + number_text(target * 100) + "%", Align::left},
                                          {"steps"},
                                          {"time"},
                                          {"ratio"},
                                          {"bytes"},
                                          {"energy"},
                                          {"CO2e"},
                                          {"cost"},
                                          {"time, all seeds"}};
  return text_table(titles, std::move(lines), width);
}

}  // namespace orrery
