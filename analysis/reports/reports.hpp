// Everything that `run` writes and prints, made from Ways and rows. Each function returns the whole text; writing is
// the command's part.
#pragma once

#include <string>
#include <vector>

#include "analysis/reports/columns.hpp"

namespace orrery {

std::string results_csv(const std::vector<ResultRow>& rows);
std::string layers_csv(const Scenario& scenario, const std::vector<Way>& ways,
                       const Catalogue& catalogue);  // per strategy and layer: FLOPs, parameters, activations, seconds
                                                     // per pass, bytes sent
std::string links_csv(
    const std::vector<Way>& ways);  // per strategy and link: bytes, busy seconds, utilisation, capacity
std::string curve_csv(const std::vector<ResultRow>& rows);  // per strategy and evaluation
std::string timeline_csv(const std::vector<Way>& ways);     // per strategy, one line per activity
std::string results_json(const std::vector<ResultRow>& rows);
std::string provenance_json(
    const Scenario& scenario,
    double wall_seconds);  // version, commit, seed, engine settings, host; the only place for wall-clock figures

enum class Colour : std::uint8_t { off, on };
/// The table on the terminal: a row per strategy, ratios to the reference, the winner per criterion.
std::string comparison_table(const std::vector<ResultRow>& rows, Colour colour);

/// Chrome Trace Event JSON (loads in Perfetto) from a timeline.csv: one process per rank, one thread per stream; pid
/// names carry the strategy.
std::string chrome_trace(const std::string& timeline_csv_text, const std::string& name);

}  // namespace orrery
