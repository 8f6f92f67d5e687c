// One published row as the layout and job that it is taken for.
#pragma once

#include <algorithm>
#include <string>

#include "analysis/validation/measured/row_case.hpp"
#include "analysis/validation/measured/tables.hpp"
#include "models/layouts/step_prediction.hpp"

namespace orrery::testing {

inline const ValidationTables& shared_tables() {
  static const ValidationTables tables = read_validation_tables();
  return tables;
}

/// A CSV of one line below its header.
inline MeasuredRow one_row(const std::string& columns, const std::string& cells) {
  Problems problems;
  const auto rows = parse_measured_rows(columns + "\n" + cells + "\n", "rows.csv", problems);
  problems.throw_if_any();
  return rows.at(0);
}

/// A step of a small GPT on A100, and the columns that a test is about.
inline MeasuredRow gpt_row(const std::string& columns, const std::string& cells) {
  return one_row("id,metric,value,unit,model,layers,hidden,heads,vocab,seq_len,device," + columns,
                 "A-T-1,iteration_time,1,s,GPT,4,1024,16,51200,1024,A100-80GB-SXM," + cells);
}

inline RowCase case_of_row(const std::string& columns, const std::string& cells) {
  return case_of(one_row(columns, cells), shared_tables());
}

inline bool assumes(const RowCase& row, const std::string& text) {
  return std::find(row.assumed.begin(), row.assumed.end(), text) != row.assumed.end();
}

}  // namespace orrery::testing
