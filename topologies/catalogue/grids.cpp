#include <utility>

#include "sim/base/csv.hpp"
#include "topologies/catalogue/files.hpp"
#include "topologies/catalogue/rows.hpp"

namespace orrery {
namespace {

const std::vector<std::string> grid_columns{"id",     "name",    "kind", "year", "intensity_gCO2e_per_kWh",
                                            "source", "assumed", "notes"};
const std::vector<std::string> grid_kinds{"country", "region", "cloud_region"};

GridIntensity read_grid(CsvRow& row, UniqueIds& ids, const std::vector<Source>& sources) {
  GridIntensity grid;
  grid.id = ids.take(row);
  grid.name = row.required_text("name");
  grid.kind = one_of(row, "kind", grid_kinds);
  grid.year = whole(row, "year", 1940, 0);
  grid.gCO2e_per_kWh = number_above_zero(row, "intensity_gCO2e_per_kWh");
  read_provenance(row, &sources, grid_columns, grid);
  return grid;
}

}  // namespace

std::vector<GridIntensity> read_grids(const std::string& path, const std::vector<Source>& sources, Problems& problems) {
  CsvTable table = CsvTable::read(path, {grid_columns, {}}, problems);
  std::vector<GridIntensity> grids;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) grids.push_back(read_grid(row, ids, sources));
  return grids;
}

std::vector<Source> read_sources(const std::string& path, Problems& problems) {
  CsvTable table = CsvTable::read(path, {{"id", "title", "where", "version", "used_for"}, {}}, problems);
  std::vector<Source> sources;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) {
    std::string id = ids.take(row);
    std::string title = row.required_text("title");
    sources.push_back({std::move(id), std::move(title), row.text("where"), row.text("version"), row.text("used_for")});
  }
  return sources;
}

}  // namespace orrery
