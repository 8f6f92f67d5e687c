// Reading published rows: what is refused, all at once, and what is kept.
#include "analysis/validation/measured/measured_row.hpp"
#include "analysis/validation/measured/quantities.hpp"
#include "analysis/validation/measured/words.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<MeasuredRow> rows_of(const std::string& text) {
  Problems problems;
  auto rows = parse_measured_rows(text, "rows.csv", problems);
  problems.throw_if_any();
  return rows;
}

std::string errors_of(const std::string& text) {
  try {
    rows_of(text);
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

}  // namespace

TEST_CASE("four columns make a row, the set is the first two parts of the id") {
  const auto rows = rows_of("unit,id,value,metric\nms,A-SET-001,12.5,iteration_time\n");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].set == "A-SET");
  CHECK(rows[0].value == 12.5);
  CHECK_FALSE(rows[0].devices.has_value());
  CHECK(set_of("A-SC21T2-012") == "A-SC21T2");
  CHECK(set_of("B-DLE-a-12") == "B-DLE");
  CHECK(set_of("lonely") == "lonely");
}

TEST_CASE("counts in words are kept as words") {
  const auto rows =
      rows_of("id,metric,value,unit,micro_batch,devices,params_b\nA-B-1,throughput,1,tokens/s,10240 tokens,8,\n");
  CHECK_FALSE(rows[0].micro_batch.has_value());
  CHECK(rows[0].words("micro_batch") == "10240 tokens");
  CHECK(rows[0].words("devices").empty());
  CHECK(rows[0].devices == 8);
  CHECK_FALSE(rows[0].params_b.has_value());
}

TEST_CASE("every defect of a file is said at once, with its line") {
  const std::string text = errors_of(
      "id,metric,value,unit,tp,devices\n"
      "A-B-1,iteration_time,fast,ms,0,8\n"
      "A-B-1,iteration_time,3,ms,2,2.5\n"
      "A-B-3,,4,ms,2,8\n");
  CHECK(has(text, "rows.csv:2:22: value: \"fast\" is not a number"));
  CHECK(has(text, "rows.csv:2:30: tp: \"0\" is no count (it counts things) - give a whole number of at least 1"));
  CHECK(has(text, "rows.csv:3:1: id: \"A-B-1\" stands twice (first in line 2) - give each row an id of its own"));
  CHECK(has(text, "rows.csv:3:29: devices: \"2.5\" is no count"));
  CHECK(has(text, "rows.csv:4:7: metric"));
  CHECK(has(errors_of("id,metric,value\nA-B-1,mfu,3\n"), "unit"));
  CHECK(has(errors_of("id,metric,value,unit,tensor\nA-B-1,mfu,3,%,8\n"), "tensor"));
}

TEST_CASE("a year or a size that is no number is refused, and so is a file without rows") {
  CHECK(errors_of("id,metric,value,unit,params_b,year\nA-B-1,mfu,3,%,lots,2022\nA-B-2,mfu,3,%,0,x\n") ==
        R"(rows.csv:2:15: params_b: "lots" is not a number (a finite decimal number is wanted, such as 1.5e9)
  A-B-1,mfu,3,%,lots,2022
                ^
rows.csv:3:15: params_b: "0" is not above 0 - leave the cell empty where it is not known
  A-B-2,mfu,3,%,0,x
                ^
rows.csv:3:17: year: "x" is not a number (a finite decimal number is wanted, such as 1.5e9)
  A-B-2,mfu,3,%,0,x
                  ^)");
  const std::string none = "rows.csv: has no rows (a header alone measures nothing) - write a measurement to each line";
  CHECK(errors_of("id,metric,value,unit\n") == none);
  CHECK(errors_of("# a comment\nid,metric,value,unit\n\n") == none);
  CHECK(errors_of("").starts_with("rows.csv: is empty"));
  CHECK_FALSE(has(errors_of("id,metric,value,unit\nA-B-1,mfu\n"), "has no rows"));
}

TEST_CASE("words, rates, sizes and counts are found in free text") {
  CHECK(words_of("A100-80GB-SXM (x)") == std::vector<std::string>{"a100", "80gb", "sxm", "x"});
  const auto words = words_of("NVLink3+NVSwitch 600GB/s");
  CHECK(has_words(words, "nvlink3 nvswitch"));
  CHECK(has_words(words, "nvlink*"));
  CHECK_FALSE(has_words(words, "nvlink"));
  CHECK_FALSE(has_words(words, "nvlink3 !nvswitch"));
  CHECK(has_words(words, "nvlink3-nvswitch"));
  CHECK_FALSE(has_words(words, "nvswitch-nvlink3"));
  CHECK(has_words(words, "600gb !nvswitch-nvlink3"));
  CHECK(rate_in("8x HDR IB 200Gb/s per node (Selene)")->bytes_per_second == 25e9);
  CHECK(rate_in("2 Tb/s RoCE per node")->bytes_per_second == 250e9);
  CHECK(rate_in("NVLink5+NVSwitch 1.8TB/s")->bytes_per_second == Approx(1.8e12));
  CHECK_FALSE(rate_in("NVLink5+NVSwitch 1.8TB/s")->in_bits);
  CHECK(rate_in("100 Gbit/s")->bytes_per_second == 12.5e9);
  CHECK_FALSE(rate_in("NVLink2 4-GPU").has_value());
  CHECK(size_in("all_reduce 4 MiB") == 4.0 * 1024 * 1024);
  CHECK(size_in("all_reduce 268MB") == 268e6);
  CHECK(size_in("all_reduce 32768 B") == 32768.0);
  CHECK(size_in("all_reduce 16GiB") == 16.0 * 1024 * 1024 * 1024);
  CHECK_FALSE(size_in("all_reduce large").has_value());
  CHECK(count_in("8x HDR IB 200Gb/s per node") == 8);
  CHECK_FALSE(count_in("4x4 V100 PCIe, 10 Gb/s").has_value());
  CHECK_FALSE(rate_in("25GbE").has_value());
  CHECK(number_beside("PUE of a few, 1024 GPU hours, PUE 1.1", "gpu", -1) == 1024.0);
  CHECK(number_beside("PUE of a few, 1024 GPU hours, PUE 1.1", "pue", 1) == 1.1);
  CHECK_FALSE(number_beside("GPU hours", "gpu", -1).has_value());
  CHECK_FALSE(number_beside("many GPU", "gpu", 1).has_value());
}

TEST_CASE("the rows that ship can be read, and there are 3,453 of them") {
  Problems problems;
  const auto rows = read_measured_rows(shipped_measured_rows(), problems);
  problems.throw_if_any();
  CHECK(rows.size() == 3453);
}

}  // namespace orrery
