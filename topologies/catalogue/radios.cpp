#include <utility>

#include "sim/base/csv.hpp"
#include "topologies/catalogue/files.hpp"
#include "topologies/catalogue/rows.hpp"

namespace orrery {
namespace {

const std::vector<std::string> columns{"id",     "name",   "up_nJ_per_bit", "down_nJ_per_bit", "base_W", "maximum_W",
                                       "tail_J", "tail_s", "source",        "assumed",         "notes"};

Radio read_radio(CsvRow& row, UniqueIds& ids, const std::vector<Source>& sources) {
  Radio radio;
  radio.id = ids.take(row);
  radio.name = row.required_text("name");
  radio.up_nJ_per_bit = number_above_zero(row, "up_nJ_per_bit");
  radio.down_nJ_per_bit = number_above_zero(row, "down_nJ_per_bit");
  radio.base = Watts(number_or_zero(row, "base_W"));
  radio.maximum = Watts(number_or_zero(row, "maximum_W"));
  radio.tail = Joules(number_or_zero(row, "tail_J"));
  radio.tail_time = Seconds(number_or_zero(row, "tail_s"));
  if (radio.maximum.value() > 0 && radio.maximum < radio.base) {
    row.problem("maximum_W", "less than base_W", "the radio always draws that while data moves");
  }
  if (radio.tail.value() > 0 && radio.tail_time.value() == 0) {
    row.problem("tail_s", "a tail without a length", "a burst within it cuts it short", "give the seconds it lasts");
  }
  read_provenance(row, &sources, columns, radio);
  return radio;
}

}  // namespace

std::vector<Radio> read_radios(const std::string& path, const std::vector<Source>& sources, Problems& problems) {
  CsvTable table = CsvTable::read(path, {columns, {}}, problems);
  std::vector<Radio> radios;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) {
    Radio radio = read_radio(row, ids, sources);
    if (!radio.id.empty()) radios.push_back(std::move(radio));  // nobody can refer to a row without an id
  }
  return radios;
}

}  // namespace orrery
