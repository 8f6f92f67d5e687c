#include <string>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/random.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

const CsvColumns device_columns{{"name", "peak_GFLOPS"}, {"source"}};

/// The whole error text of a CSV text, of which every row's name and peak are read.
std::string errors_of(const std::string& text) {
  Problems problems;
  CsvTable table = CsvTable::parse(text, "devices.csv", device_columns, problems);
  for (CsvRow& row : table.rows()) {
    row.required_text("name");
    row.required_number("peak_GFLOPS");
  }
  try {
    problems.throw_if_any();
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return "no problem";
}

}  // namespace

TEST_CASE("rows are read by the names of their columns, in any order") {
  Problems problems;
  CsvTable table = CsvTable::parse("peak_GFLOPS,name\n 312000 ,A100\n,V100\n", "d.csv", device_columns, problems);
  REQUIRE(table.rows().size() == 2);
  CsvRow& row = table.rows()[0];
  CHECK(row.required_text("name") == "A100");
  CHECK(row.required_number("peak_GFLOPS") == 312000.0);
  CHECK(row.text("source").empty());
  CHECK_FALSE(row.number("source").has_value());
  CHECK_FALSE(table.rows()[1].number("peak_GFLOPS").has_value());
  CHECK(row.at().line == 2);
  CHECK(problems.empty());
  CHECK_THROWS_AS(row.text("undeclared"), ContractViolation);
}

TEST_CASE("byte order mark, line ends of Windows, comments, blank lines and a missing last newline are read over") {
  Problems problems;
  CsvTable table =
      CsvTable::parse("\xEF\xBB\xBF# recorded on\r\n#  two cores\r\nname,peak_GFLOPS\r\n\r\na,1\r\n# note\nb,2",
                      "d.csv", device_columns, problems);
  CHECK(table.comments() == std::vector<std::string>{"recorded on", "two cores"});
  REQUIRE(table.rows().size() == 2);
  CHECK(table.rows()[1].required_number("peak_GFLOPS") == 2.0);
  CHECK(table.rows()[1].at().line == 7);
  CHECK(problems.empty());
}

TEST_CASE("quoted cells keep commas, quotes and blanks") {
  Problems problems;
  CsvTable table = CsvTable::parse("name,peak_GFLOPS,source\n\" a, \"\"b\"\" \",1, \"x\" \n\"\",2,\"\"\"\"\n", "d.csv",
                                   device_columns, problems);
  REQUIRE(table.rows().size() == 2);
  CHECK(table.rows()[0].text("name") == " a, \"b\" ");
  CHECK(table.rows()[0].text("source") == "x");
  CHECK(table.rows()[1].text("name").empty());
  CHECK(table.rows()[1].text("source") == "\"");
  CHECK(problems.empty());
}

TEST_CASE("what is written is read back, numbers bit for bit") {
  Random random(11);
  std::string text = csv_line({"name", "peak_GFLOPS", "source"});
  std::vector<double> numbers;
  const std::vector<std::string> names{"plain", "with, comma", "with \"quotes\"", "# hash", " blanks ", "\"", "é"};
  for (const std::string& name : names) {
    numbers.push_back(random.normal() * 1e20);
    text += csv_line({name, number_text(numbers.back()), ""});
  }
  Problems problems;
  CsvTable table = CsvTable::parse(text, "d.csv", device_columns, problems);
  REQUIRE(table.rows().size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(table.rows()[i].text("name") == names[i]);
    CHECK(table.rows()[i].required_number("peak_GFLOPS") == numbers[i]);
  }
  CHECK(problems.empty());
}

TEST_CASE("cells are quoted only when they must be, and newlines become spaces") {
  CHECK(csv_cell("ring") == "ring");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"hi\"") == "\"say \"\"hi\"\"\"");
  CHECK(csv_cell("two\nlines") == "\"two lines\"");
  CHECK(csv_cell("") == "");
  CHECK(csv_line({"a", "", "1"}) == "a,,1\n");
}

TEST_CASE("a cell that is not a number is shown") {
  CHECK(errors_of("name,peak_GFLOPS\nA100,fast\n") ==
        "devices.csv:2:6: peak_GFLOPS: \"fast\" is not a number (a finite decimal number is wanted, such as 1.5e9)\n"
        "  A100,fast\n"
        "       ^");
}

TEST_CASE("an empty cell that is needed is told once") {
  CHECK(errors_of("name,peak_GFLOPS\nA100,\n") ==
        "devices.csv:2:6: peak_GFLOPS: cell is empty (required)\n"
        "  A100,\n"
        "       ^");
}

TEST_CASE("a mistyped column is both unknown and missing") {
  CHECK(errors_of("name,peak_GFLOP\nA100,1\n") ==
        "devices.csv:1: column \"peak_GFLOPS\" is missing (required)\n"
        "  name,peak_GFLOP\n"
        "devices.csv:1:6: unknown column \"peak_GFLOP\" - did you mean \"peak_GFLOPS\"?\n"
        "  name,peak_GFLOP\n"
        "       ^");
}

TEST_CASE("a doubled column is refused") {
  CHECK(errors_of("name,peak_GFLOPS,name\n") ==
        "devices.csv:1:18: column \"name\" appears twice - remove one of them\n"
        "  name,peak_GFLOPS,name\n"
        "                   ^");
}

TEST_CASE("rows with too many or too few cells are told, and the good ones read") {
  CHECK(errors_of("name,peak_GFLOPS\na,1,2\nb\nc,x\n") ==
        "devices.csv:2:5: row has 3 cells (the header has 2 columns)\n"
        "  a,1,2\n"
        "      ^\n"
        "devices.csv:3: row has 1 cell (the header has 2 columns)\n"
        "  b\n"
        "devices.csv:4:3: peak_GFLOPS: \"x\" is not a number (a finite decimal number is wanted, such as 1.5e9)\n"
        "  c,x\n"
        "    ^");
}

TEST_CASE("a quote that is not closed is told where it opens") {
  CHECK(errors_of("name,peak_GFLOPS\na,1\nb,\"2\n") ==
        "devices.csv:3:3: quote is not closed (a cell ends on the line it starts on) - add the missing \"\n"
        "  b,\"2\n"
        "    ^");
}

TEST_CASE("text beside a quoted text is refused") {
  const std::string line = GENERATE("\"a\"b,1", "a\"b\",1", "\"a\"b\"c\",1", "\"a\" \"b\",1");
  CHECK(errors_of("name,peak_GFLOPS\n" + line + "\n") ==
        "devices.csv:2:1: text beside a quoted text (a cell is quoted as a whole) - write \"\" for a quote inside "
        "quotes\n  " +
            line + "\n  ^");
}

TEST_CASE("a file without a header row is empty, whatever else it holds") {
  const std::string text = GENERATE("", "\n\n", "# only a comment\n", "\xEF\xBB\xBF");
  CHECK(errors_of(text) == "devices.csv: is empty (a header row is wanted) - start with: name,peak_GFLOPS");
}

TEST_CASE("a file that is not text is refused") {
  CHECK(errors_of(std::string("name,peak_GFLOPS\n\0", 18)) == "devices.csv: is not a text file (it holds a zero byte)");
}

TEST_CASE("columns of positions count letters, not bytes") {
  CHECK(errors_of("name,peak_GFLOPS\né,?\n") ==
        "devices.csv:2:3: peak_GFLOPS: \"?\" is not a number (a finite decimal number is wanted, such as 1.5e9)\n"
        "  é,?\n"
        "    ^");
}

TEST_CASE("a CSV file is read by its name, and an absent one is a problem") {
  const ScratchFolder scratch;
  const std::string path = (scratch.path() / "d.csv").string();
  Problems problems;
  CsvTable::read(path, device_columns, problems);
  REQUIRE(problems.all().size() == 1);
  CHECK(to_text(problems.all()[0]) == path + ": cannot be read (No such file or directory)");
  write_file(path, "name,peak_GFLOPS\na,1\n");
  Problems none;
  CHECK(CsvTable::read(path, device_columns, none).rows().size() == 1);
  CHECK(none.empty());
}

TEST_CASE("a row stays good when its table moves") {
  Problems problems;
  std::vector<CsvTable> tables;
  tables.push_back(CsvTable::parse("name,peak_GFLOPS\na,1\n", "d.csv", device_columns, problems));
  tables.push_back(CsvTable::parse("name,peak_GFLOPS\nb,2\n", "d.csv", device_columns, problems));
  CHECK(tables[0].rows()[0].text("name") == "a");
}

}  // namespace orrery
