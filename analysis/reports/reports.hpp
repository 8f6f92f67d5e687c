// Everything that `run` writes and prints, made from Ways and rows. Each function returns the whole text; writing is
// the command's part. Same input, same bytes: numbers are the shortest text that reads back, and no file but
// provenance.json holds a wall-clock figure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/reports/columns.hpp"

namespace orrery {

/// One line per way, one column per entry of columns().
std::string results_csv(const std::vector<ResultRow>& rows);
/// Per simulated way and layer, as if the layer stood whole on the way's device: FLOPs and activations per sample,
/// seconds that a step spends in each pass of it. Throws InvalidInput when the profile cannot be read.
std::string layers_csv(const Scenario& scenario, const std::vector<Way>& ways, const Catalogue& catalogue);
/// Per simulated way and link, over one step (federated: the whole run).
std::string links_csv(const std::vector<Way>& ways);
/// Per way and evaluation.
std::string curve_csv(const std::vector<ResultRow>& rows);
/// Per simulated way, one line per activity of one step (federated: of the whole run, the round as microbatch).
std::string timeline_csv(const std::vector<Way>& ways);
/// {"units": {column: unit}, "results": [{column: value}]}: null where a cell is not applicable.
std::string results_json(const std::vector<ResultRow>& rows);
/// version, scenario, seed, engine settings, host; the only place for wall-clock figures.
std::string provenance_json(const Scenario& scenario, double wall_seconds, const std::string& version);

enum class Colour : std::uint8_t { off, on };
/// The table on the terminal: a row per strategy, ratios to the reference, the winner per criterion. Columns that no
/// row fills are left out; at most 120 characters wide unless the figures need more.
std::string comparison_table(const std::vector<ResultRow>& rows, Colour colour);

/// Chrome Trace Event JSON (loads in Perfetto) from a timeline.csv: one process per rank of each strategy, one track
/// per stream and dimension (more when activities of one overlap, so that slices nest), flow arrows from sends to their
/// receives. `name` stands for the file in messages. Throws InvalidInput for a timeline that cannot be read.
std::string chrome_trace(const std::string& timeline_csv_text, const std::string& name);

}  // namespace orrery
