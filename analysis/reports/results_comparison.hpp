// Two tables of results, figure by figure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

/// A results.csv as it was written: every column that it has, in order, and each strategy's cells by column.
struct ResultsTable {
  std::vector<std::string> columns;
  std::vector<std::string> strategies;
  std::map<std::string, std::map<std::string, std::string>> cells;  // strategy -> column -> text
};

/// Problems: what a CSV reader finds, no column `strategy`, a strategy that stands there twice.
ResultsTable read_results(const std::string& file, Problems& problems);
/// Same from a text; `name` stands for the file in messages.
ResultsTable parse_results(const std::string& text, const std::string& name, Problems& problems);

struct ComparedFigure {
  std::string strategy, column, unit;  // unit: of the registry of columns; empty for one that it does not have
  double a = 0, b = 0;
};

struct ResultsComparison {
  std::vector<ComparedFigure> figures;      // numbers on both sides; in the order of a's rows and columns
  std::vector<std::string> only_a, only_b;  // strategies of one side
};
ResultsComparison compare_results(const ResultsTable& a, const ResultsTable& b);

/// strategy,column,unit,a,b,ratio,difference; ratio = b / a, empty when a is 0; difference = b - a.
std::string comparison_csv(const std::vector<ComparedFigure>& figures);
/// The same for people; figures that are 0 on both sides are left out.
std::string comparison_text(const std::vector<ComparedFigure>& figures);

}  // namespace orrery
