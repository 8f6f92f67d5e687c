#include "analysis/reports/search_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/reports/rejection_text.hpp"
#include "analysis/reports/text_table.hpp"
#include "sim/base/human.hpp"

namespace orrery {
namespace {

constexpr std::size_t width = 120;

/// `simulated`, or what the closed form says, marked so; empty when both are unknown.
template <class Text>
std::string marked(const std::optional<double>& simulated, double closed_form, const Text& text) {
  if (simulated) return text(*simulated);
  return closed_form > 0 ? "~" + text(closed_form) : std::string{};
}

/// How many rows are not shown, and where they are.
std::string rest_text(std::size_t rows, SearchFile file) {
  if (rows == 0) return {};
  return fmt::format("... and {} more {} {}\n", rows, rows == 1 ? "row" : "rows",
                     file == SearchFile::written ? "in search.csv" : "(-o DIR writes them)");
}

std::string legend() {
  std::string text;
  for (const char* const sentences :
       {"b: samples of a micro-batch; v: chunks per stage (interleave); zero: ZeRO stage; sp: sequence parallelism.",
        "Shown: the first ranks, then the Pareto front (*) of step, memory, cost and energy in closed form. step, "
        "mem/dev, mfu and figures with ~ are closed form; simulated, and cost and energy without ~, come "
        "from the simulation."}) {
    for (const std::string& line : wrap(sentences, width)) text += line + "\n";
  }
  return text;
}

/// Constraints that are the same but for their numbers are one, with the layout that comes nearest to any of them.
std::vector<Rejection> joined(const std::vector<Rejection>& rejections) {
  std::vector<Rejection> all;
  for (Rejection rejection : rejections) {
    rejection.constraint = rejection_text(rejection.constraint);
    const auto same = std::find_if(all.begin(), all.end(),
                                   [&](const Rejection& other) { return other.constraint == rejection.constraint; });
    if (same == all.end()) {
      all.push_back(std::move(rejection));
      continue;
    }
    rejection.count += same->count;
    const bool is_nearer = rejection.excess > 0 && rejection.excess < same->excess;
    same->count = rejection.count;
    if (is_nearer) *same = std::move(rejection);
  }
  std::stable_sort(all.begin(), all.end(), [](const Rejection& a, const Rejection& b) { return a.count > b.count; });
  return all;
}

}  // namespace

std::string search_table(const std::vector<FoundLayout>& found, const std::string& currency, int top, SearchFile file) {
  std::vector<TextRow> rows;
  const std::size_t most = std::max<std::size_t>(25, static_cast<std::size_t>(std::max(0, top)));
  for (std::size_t i = 0; i < std::min(found.size(), most); ++i) {
    const FoundLayout& one = found[i];
    const Candidate& candidate = one.closed_form;
    const std::string simulated = one.simulated_step_s ? human(Seconds(*one.simulated_step_s))
                                  : one.status == "ok" ? ""
                                                       : one.status;
    rows.push_back(
        {{fmt::format("{}{}", one.rank, candidate.on_front ? "*" : ""), to_text(candidate.layout),
          human(Seconds(candidate.step_s)), simulated, human_memory(Bytes(candidate.memory_GiB * gibi)),
          marked(one.simulated_cost, candidate.cost, [&](double cost) { return human_cost(cost, currency); }),
          marked(one.simulated_energy_J, candidate.energy_J, [](double joules) { return human(Joules(joules)); }),
          human_percent(candidate.mfu)},
         {}});
  }
  std::string text;
  const std::vector<TextColumn> columns = {{"rank", Align::left},         {"layout", Align::left},
                                           {"step", Align::right},        {"simulated", Align::right},
                                           {"mem/dev", Align::right},     {"cost/step", Align::right},
                                           {"energy/step", Align::right}, {"mfu", Align::right}};
  for (const std::string& line : text_table(columns, rows, width)) text += line + "\n";
  text += rest_text(found.size() > most ? found.size() - most : 0, file);
  text += legend();
  for (const FoundLayout& one : found) {
    const std::string layout = to_text(one.closed_form.layout);
    if (!one.problem.empty()) text += fmt::format("{} is not simulated: {}\n", layout, one.problem);
    if (!one.over_limit.empty()) text += fmt::format("{}, simulated, is {}\n", layout, one.over_limit);
  }
  return text;
}

std::string rejections_text(const SearchResult& result) {
  std::string text =
      fmt::format("{} layouts judged, {} feasible\n", result.judged, result.candidates.size() + result.repeated);
  if (result.repeated > 0) {
    text += fmt::format("{:>8}  of these shown as another one: their recomputation changes nothing\n", result.repeated);
  }
  for (const Rejection& rejection : joined(result.rejections)) {
    text += fmt::format("{:>8}  {}\n", rejection.count, rejection.constraint);
    constexpr std::size_t indent = 10;
    for (const std::string& line : wrap("nearest: " + rejection.nearest, width - indent)) {
      text += std::string(indent, ' ') + line + "\n";
    }
  }
  return text;
}

std::string nearest_constraint(const SearchResult& result) {
  // A layout that fits and misses a limit alone can run: it is nearer than one that cannot, by whatever figure.
  const auto is_nearer = [](const Rejection& one, const Rejection& other) {
    if (one.kind != other.kind) return one.kind > other.kind;
    return one.excess > 0 && one.excess < other.excess;
  };
  const auto nearest = std::min_element(result.rejections.begin(), result.rejections.end(), is_nearer);
  return nearest == result.rejections.end() ? std::string("there is no layout to judge") : nearest->nearest;
}

}  // namespace orrery
