// The digits' CSV file, right and malformed.
#include "models/training/digits.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/training/data_folder.hpp"
#include "tests/models/training/published_data.hpp"

namespace orrery {
namespace {

std::string line_of(const std::string& pixel, const std::string& label) {
  std::string line;
  for (int i = 0; i < 64; ++i) line += pixel + ",";
  return line + label + "\n";
}

const std::string two_digits = line_of("0", "3") + line_of("16", "9");

PublishedFile file_in(const DataFolder& folder) {
  return {folder.path() / "digits.csv", two_digits.size(), crc_of(two_digits), "apt-get install digits"};
}

std::string error_of(const std::string& content) {
  const DataFolder folder("digits");
  folder.write("digits.csv", content);
  return folder.error_of([&] { read_digits(file_in(folder), 2); });
}

const std::string end = " - run `apt-get install digits`";

TEST_CASE("digits are read as shares of 16, gzipped or not, with or without a last line end") {
  const DataFolder folder("digits");
  PublishedFile file = file_in(folder);
  std::string content = two_digits;
  SECTION("plain") {
    folder.write("digits.csv", content);
  }
  SECTION("gzipped") {
    folder.write_gzipped("digits.csv", content, 0);
  }
  SECTION("without a last line end") {
    content.pop_back();
    file.crc32 = crc_of(content);
    folder.write("digits.csv", content);
  }
  const Samples samples = read_digits(file, 2);
  std::vector<float> inputs(64, 0.0F);
  inputs.resize(128, 1.0F);
  CHECK(samples.inputs == inputs);
  CHECK(samples.labels == std::vector<std::int32_t>{3, 9});
}

TEST_CASE("malformed lines are refused with line, column and how to mend the file") {
  CHECK(error_of(line_of("0", "3") + "1,2,3\n") ==
        "digits.csv:2: holds 3 numbers (64 pixels and a label are expected)" + end);
  CHECK(error_of(line_of("17", "3")) == "digits.csv:1:1: \"17\" is no pixel (a whole number from 0 to 16 is)" + end);
  CHECK(error_of(line_of("5", "10")) == "digits.csv:1:129: \"10\" is no label (a whole number from 0 to 9 is)" + end);
  CHECK(error_of(line_of("-0", "1")) == "digits.csv:1:1: \"-0\" is no pixel (a whole number from 0 to 16 is)" + end);
  CHECK(error_of(line_of("1.5", "1")) == "digits.csv:1:1: \"1.5\" is no pixel (a whole number from 0 to 16 is)" + end);
  CHECK(error_of(line_of("", "1")) == "digits.csv:1:1: \"\" is no pixel (a whole number from 0 to 16 is)" + end);
  CHECK(error_of(line_of("1", "1\r")) == "digits.csv:1:129: \"1?\" is no label (a whole number from 0 to 9 is)" + end);
  CHECK(error_of(std::string(20, '9') + line_of("1", "1")) ==
        "digits.csv:1:1: \"9999999999999999...\" is no pixel (a whole number from 0 to 16 is)" + end);
}

TEST_CASE("all wrong lines of digits are told at once, up to ten") {
  CHECK(error_of("a\n" + line_of("0", "1") + "b\n") ==
        "digits.csv:1: holds 1 numbers (64 pixels and a label are expected)" + end +
            "\ndigits.csv:3: holds 1 numbers (64 pixels and a label are expected)" + end);
  const std::string many = error_of(std::string(100, '\n'));
  CHECK(std::count(many.begin(), many.end(), '\n') == 9);
}

TEST_CASE("well-formed digits that are not the published ones are refused") {
  const DataFolder folder("digits");
  const auto error = [&] { return folder.error_of([&] { read_digits(file_in(folder), 2); }); };
  CHECK(error() == "digits.csv: cannot be opened (No such file or directory)" + end);
  folder.write("digits.csv", "");
  CHECK(error() == "digits.csv: is empty" + end);
  folder.write("digits.csv", line_of("0", "3"));
  CHECK(error() == "digits.csv: holds 1 digits (2 are expected)" + end);
  folder.write("digits.csv", two_digits + two_digits);
  CHECK(error() == "digits.csv: is too long (324 bytes are expected)" + end);
  folder.write("digits.csv", line_of("1", "3") + line_of("16", "9"));
  CHECK(error() == "digits.csv: has other content than published (its CRC-32 is 92d3e354, not b0adae5f)" + end);
  folder.write_gzipped("digits.csv", two_digits, 12);
  CHECK(error() == "digits.csv: is truncated (the compressed data ends too early)" + end);
}

TEST_CASE("the digits have their published class counts, and splits that come from the seed") {
  const std::optional<DataSet> data = published_data("digits");
  if (!data) return;
  CHECK(data->train.count() == 1500);
  CHECK(data->test.count() == 297);
  CHECK(data->shape == Shape{8, 8, 1});
  std::vector<int> counts(10);
  for (const Samples* samples : {&data->train, &data->test}) {
    for (const std::int32_t label : samples->labels) ++counts.at(static_cast<std::size_t>(label));
  }
  // Of the test part of the UCI set, optdigits.names.
  CHECK(counts == std::vector<int>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180});
  CHECK(load_data_set("digits", 1).train.inputs == data->train.inputs);
  CHECK(load_data_set("digits", 2).train.inputs != data->train.inputs);
}

}  // namespace
}  // namespace orrery
