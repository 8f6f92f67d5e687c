// Everything that `run` writes and prints, made from Ways and rows. Each function returns the whole text; writing is
// the command's part. Same input, same bytes: numbers are the shortest text that reads back, and no file but
// provenance.json holds a wall-clock figure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/reports/columns.hpp"

namespace orrery {

/// One line per strategy, one column per entry of columns().
std::string results_csv(const std::vector<ResultRow>& rows);
/// Per simulated way and layer: FLOPs and kept activations per sample, seconds that a step spends in each pass of it.
/// Parameters and FLOPs are the whole layer's; seconds and activations too, as if it stood whole on the way's device,
/// but of a hybrid layout they are those of one rank that has it (LayerPrice). Activations are those without
/// recomputation; a tensor that several layers read counts at each of them. Throws InvalidInput when the profile cannot
/// be read.
std::string layers_csv(const std::vector<ResultRow>& rows, const Catalogue& catalogue);
/// Per simulated way and link, over one step (co-simulated: the shared lines, over the whole run).
std::string links_csv(const std::vector<ResultRow>& rows);
/// Per way, seed and evaluation; everything but the staleness (of the reports since the point before) is cumulative.
/// Cells that only co-simulated ways have are blank for the others.
std::string curve_csv(const std::vector<ResultRow>& rows);
/// Per simulated way, one line per activity of one step (co-simulated: download, training and upload of every trip,
/// the server step as microbatch, and the server's aggregations). A run of more than 20,000 trips is left out.
std::string timeline_csv(const std::vector<ResultRow>& rows);
/// Strategies whose run is too long for it.
std::vector<std::string> left_out_of_timeline(const std::vector<ResultRow>& rows);
/// Per co-simulated way and client: its data (with the histogram of its labels when something is learned) and the sums
/// over its trips. Of more than 10,000 clients only those that took part.
std::string clients_csv(const std::vector<ResultRow>& rows);
/// Per co-simulated way, in the order of time: dispatch, download_end, compute_end, then upload_end (it reported),
/// late, surplus, drop or unused, each with its client; aggregate: the server has new weights. The round of a client's
/// event is the one in which its trip ended.
std::string events_csv(const std::vector<ResultRow>& rows);
/// {"units": {column: unit}, "results": [{column: value}]}: null where a cell is not applicable.
std::string results_json(const std::vector<ResultRow>& rows);
/// version, scenario, the one strategy that ran (null: all), seed, engine settings, host; the only place for wall-clock
/// figures.
std::string provenance_json(const Scenario& scenario, double wall_seconds, const std::string& version,
                            const std::string& only = {});

enum class Colour : std::uint8_t { off, on };
/// The table on the terminal: a row per strategy, ratios to the reference, the winner per criterion. Columns that no
/// row fills are left out; at most 120 characters wide unless the figures need more.
std::string comparison_table(const std::vector<ResultRow>& rows, Colour colour);

/// Chrome Trace Event JSON (loads in Perfetto) from a timeline.csv: one process per rank of each strategy, one track
/// per stream and dimension (more when activities of one overlap, so that slices nest), flow arrows from sends to their
/// receives. `name` stands for the file in messages. Throws InvalidInput for a timeline that cannot be read.
std::string chrome_trace(const std::string& timeline_csv_text, const std::string& name);

}  // namespace orrery
