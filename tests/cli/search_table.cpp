// How much of a search is printed, and where the rest is.
#include "analysis/reports/search_report.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

std::string table_of(std::size_t layouts, int top, SearchFile file) {
  std::vector<FoundLayout> found(layouts);
  for (std::size_t i = 0; i < layouts; ++i) found[i].rank = i + 1;
  return search_table(found, "EUR", top, file);
}

TEST_CASE("a table of layouts says how many rows are left out and where they are") {
  CHECK(table_of(25, 5, SearchFile::none).find("...") == std::string::npos);
  CHECK(table_of(26, 5, SearchFile::none).find("\n... and 1 more row (-o DIR writes them)\n") != std::string::npos);
  CHECK(table_of(56, 5, SearchFile::written).find("\n... and 31 more rows in search.csv\n") != std::string::npos);
}

TEST_CASE("a table of layouts has all that were asked for") {
  const std::string text = table_of(45, 40, SearchFile::none);
  CHECK(text.find("\n40 ") != std::string::npos);
  CHECK(text.find("\n... and 5 more rows (-o DIR writes them)\n") != std::string::npos);
}

}  // namespace
}  // namespace orrery
