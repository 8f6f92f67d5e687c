// What a search of layouts found: a table, a CSV, and why the rest was out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/search/layout_search.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

/// A candidate as it is shown, with its simulation where it was simulated.
struct FoundLayout {
  Candidate closed_form;
  std::size_t rank = 0;  // by the objective, from 1
  /// Of its simulation: ok, infeasible, failed; invalid: the scenario has keys that do not go with it; empty: not
  /// simulated.
  std::string status;
  std::string problem;     // of an invalid one: what the reader says
  std::string over_limit;  // once simulated, every limit that it is beyond, with its numbers; empty: none
  std::optional<double> simulated_step_s, simulated_energy_J, simulated_cost;
  std::optional<Ranged> step_range;  // seconds
};

/// One line each: the layout, its step in closed form and simulated, memory, cost and energy (simulated, or marked as
/// closed form), MFU; `*`: on the front. Then what the columns are, and what is wrong with those that are invalid, or
/// beyond a limit. It is long
/// enough for the `top` that were simulated; `file`: whether search.csv is written, which has the rest, too.
enum class SearchFile : std::uint8_t { none, written };
std::string search_table(const std::vector<FoundLayout>& found, const std::string& currency, int top, SearchFile file);
/// Every figure of the table in SI units and every key of the layout: search.csv.
std::string search_csv(const std::vector<FoundLayout>& found);
/// "1234 layouts judged, 56 feasible", then a line per constraint (rejection_text()) with its count and who comes
/// nearest.
std::string rejections_text(const SearchResult& result);
/// What is nearest to being met when nothing is feasible: a limit of layouts that fit, else the memory, else the rule
/// that most layouts break.
std::string nearest_constraint(const SearchResult& result);

}  // namespace orrery
