#include "analysis/cli/profile_report.hpp"

#include <fmt/format.h>

#include <cmath>

#include "analysis/reports/text_table.hpp"
#include "models/cost/kind_fit.hpp"
#include "models/cost/measured_times.hpp"
#include "models/cost/profile_check.hpp"
#include "sim/base/human.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

constexpr std::size_t width = 100;

std::string lines_of(std::vector<TextColumn> columns, std::vector<TextRow> rows) {
  std::string text;
  for (const std::string& line : text_table(std::move(columns), std::move(rows), width)) text += line + "\n";
  return text;
}

std::string foretold_table(const std::string& title, const std::vector<Foretold>& steps) {
  if (steps.empty()) return {};
  std::vector<TextRow> rows;
  std::vector<double> errors;
  for (const Foretold& step : steps) {
    rows.push_back({.cells = {std::to_string(step.batch), std::to_string(step.threads), human(Seconds(step.measured)),
                              human(Seconds(step.foretold)), fmt::format("{:+.1f}%", 100 * step.error())},
                    .sentence = {}});
    errors.push_back(std::abs(step.error()));
  }
  return fmt::format("{}: median of |error| {:.1f}%\n{}\n", title, 100 * quantile(errors, 0.5),
                     lines_of({{"batch"}, {"threads"}, {"measured"}, {"foretold"}, {"error"}}, std::move(rows)));
}

std::string rate_text(const KindFit& fit) {
  const double error = 100 * fit.rate_error / fit.rate;
  return fmt::format("{:.3g} G{}/s +-{:.0f}%", fit.rate / giga, fit.work == "FLOP" ? "FLOP" : "B", error);
}

std::string fits_table(const std::vector<KindFit>& fits) {
  if (fits.empty()) return {};
  std::vector<TextRow> rows;
  for (const KindFit& fit : fits) {
    rows.push_back(
        {.cells = {std::string(name_of(fit.kind)), std::string(name_of(fit.pass)), std::to_string(fit.threads),
                   fmt::format("{:.3g} us +-{:.2g}", fit.overhead_s / micro, fit.overhead_error_s / micro),
                   rate_text(fit), fmt::format("{:.0f}%", 100 * fit.spread), std::to_string(fit.rows)},
         .sentence = {}});
  }
  return "a kind of layer, of any size: seconds = overhead + work / rate\n" + lines_of({{"kind", Align::left},
                                                                                        {"pass", Align::left},
                                                                                        {"threads"},
                                                                                        {"overhead"},
                                                                                        {"rate"},
                                                                                        {"median |error|"},
                                                                                        {"rows"}},
                                                                                       std::move(rows));
}

}  // namespace

std::string profile_report(const StepProfile& profile, const LayerGraph& graph) {
  return foretold_table("left out, and foretold from the other batches",
                        leave_one_out(profile, cut_of(profile, graph))) +
         foretold_table("threads from one", threads_from_one(profile, graph)) + fits_table(fit_kinds(profile, graph));
}

}  // namespace orrery
