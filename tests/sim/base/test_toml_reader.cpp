#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/files.hpp"
#include "sim/base/toml_reader.hpp"
#include "tests/catch.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

std::string text_of(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems.all()) text += to_text(problem) + "\n";
  return text;
}

std::vector<std::string> resolved_lines(const TomlDocument& document) {
  std::vector<std::string> lines;
  for (const ResolvedValue& value : document.resolved()) {
    lines.push_back(value.path + " = " + value.value + "  # " + value.origin);
  }
  return lines;
}

}  // namespace

TEST_CASE("values are read by type, given or defaulted") {
  Problems problems;
  TomlDocument document = TomlDocument::parse(
      "text = \"a\"\ncount = 3\nratio = 0.25\nwhole = 2\non = true\n"
      "names = [\"x\", \"y\"]\nsizes = [1, 2]\nshares = [1, 0.5]\n",
      "s.toml", problems);
  TomlTable root = document.root();
  CHECK(root.text("text", "b") == "a");
  CHECK(root.text("absent", "b") == "b");
  CHECK(root.text("text") == "a");
  CHECK_FALSE(root.text("none").has_value());
  CHECK(root.required_text("text") == "a");
  CHECK(root.integer("count", 1) == 3);
  CHECK(root.integer("other_count", 7) == 7);
  CHECK(root.required_integer("count") == 3);
  CHECK_FALSE(root.integer("no_count").has_value());
  CHECK(root.number("ratio", 1.0) == 0.25);
  CHECK(root.number("whole", 1.0) == 2.0);
  CHECK(root.required_number("whole") == 2.0);
  CHECK_FALSE(root.number("no_ratio").has_value());
  CHECK(root.boolean("on", false));
  CHECK(root.boolean("off", false) == false);
  CHECK(root.texts("names") == std::vector<std::string>{"x", "y"});
  CHECK(root.integers("sizes") == std::vector<std::int64_t>{1, 2});
  CHECK(root.numbers("shares") == std::vector<double>{1.0, 0.5});
  CHECK(root.numbers("no_shares").empty());
  root.finish();
  CHECK(text_of(problems).empty());
}

TEST_CASE("the ends of a range belong to it, but for an open one") {
  Problems problems;
  TomlDocument document = TomlDocument::parse("zero = 0\none = 1\n", "s.toml", problems);
  TomlTable root = document.root();
  root.number("zero", 0.5, fraction);
  root.number("one", 0.5, fraction);
  root.number("zero", 0.5, non_negative);
  root.integer("one", 5, at_least_one);
  CHECK(problems.empty());
  root.number("zero", 0.5, positive);
  root.number("one", 0.5, Range{-1.0, 0.5});
  root.number("zero", 0.5, Range{0.0, 2.0, Range::Low::open});
  root.number("one", 0.5, Range{-std::numeric_limits<double>::infinity(), 0.0});
  REQUIRE(problems.all().size() == 4);
  CHECK(problems.all()[0].why == "must be more than 0");
  CHECK(problems.all()[1].why == "must be between -1 and 0.5");
  CHECK(problems.all()[2].why == "must be more than 0 and at most 2");
  CHECK(problems.all()[3].why == "must be at most 0");
}

TEST_CASE("every value read is resolved once, with where it came from") {
  Problems problems;
  TomlDocument document =
      TomlDocument::parse("[cluster]\nnodes = 4\n[[strategy]]\nkind = \"data\"\nsizes = [1, 2]\n", "s.toml", problems);
  TomlTable root = document.root();
  TomlTable cluster = *root.table("cluster");
  cluster.integer("nodes", 1);
  cluster.number("overlap", 0.5);
  cluster.integer("nodes", 1);
  cluster.text("note", "say \"hi\"\n");
  TomlTable strategy = root.tables("strategy").at(0);
  strategy.required_text("kind");
  strategy.integers("sizes");
  root.table_or_defaults("energy").boolean("measured", false);
  CHECK(resolved_lines(document) == std::vector<std::string>{
                                        "cluster.nodes = 4  # s.toml:2",
                                        "cluster.overlap = 0.5  # default",
                                        "cluster.note = \"say \\\"hi\\\"\\u000A\"  # default",
                                        "strategy[0].kind = \"data\"  # s.toml:4",
                                        "strategy[0].sizes = [1, 2]  # s.toml:5",
                                        "energy.measured = false  # default",
                                    });
  CHECK(problems.empty());
}

TEST_CASE("a fallback that is somebody else's value says whose") {
  Problems problems;
  TomlDocument document = TomlDocument::parse("[strategy]\nbatch = 2\n", "s.toml", problems);
  TomlTable strategy = *document.root().table("strategy");
  strategy.integer("batch", 1, any_number, "workload.batch");
  strategy.number("rate", 0.5, any_number, "workload.rate");
  strategy.text("fabric", "star", "system box");
  strategy.choice("kind", {"a", "b"}, "b", "workload.kind");
  CHECK(resolved_lines(document) == std::vector<std::string>{
                                        "strategy.batch = 2  # s.toml:2",
                                        "strategy.rate = 0.5  # workload.rate",
                                        "strategy.fabric = \"star\"  # system box",
                                        "strategy.kind = \"b\"  # workload.kind",
                                    });
}

TEST_CASE("tables know what they hold and where") {
  Problems problems;
  TomlDocument document = TomlDocument::parse("[cluster]\nnodes = 4\n", "s.toml", problems);
  TomlTable root = document.root();
  CHECK(root.has("cluster"));
  CHECK_FALSE(root.has("energy"));
  CHECK_FALSE(root.table("energy").has_value());
  CHECK(root.tables("strategy").empty());
  TomlTable cluster = *root.table("cluster");
  CHECK(cluster.path() == "cluster");
  CHECK(root.path().empty());
  CHECK(cluster.where("nodes").line == 2);
  CHECK(cluster.where("nodes").column == 9);
  CHECK(cluster.where("absent").line == 1);
  CHECK(root.where("absent").line == 0);
}

TEST_CASE("a table that is asked for twice is one table to finish()") {
  Problems problems;
  TomlDocument document = TomlDocument::parse("[cluster]\nnodes = 4\nlinks = 2\n", "s.toml", problems);
  TomlTable root = document.root();
  root.table("cluster")->integer("nodes", 1);
  TomlTable again = *root.table("cluster");
  again.integer("links", 1);
  again.finish();
  again.finish();
  CHECK(problems.empty());
}

TEST_CASE("a reader records a problem of its own at a key") {
  Problems problems;
  TomlDocument document = TomlDocument::parse("[cluster]\nnodes = 4\n", "s.toml", problems);
  TomlTable cluster = *document.root().table("cluster");
  cluster.problem("nodes", "4 nodes do not fit", "the rack has 2", "take 2");
  CHECK(text_of(problems) ==
        "s.toml:2:9: cluster.nodes: 4 nodes do not fit (the rack has 2) - take 2\n"
        "  nodes = 4\n"
        "          ^\n");
}

TEST_CASE("a file is merged over the one it extends, and every value keeps its place") {
  const ScratchFolder scratch;
  std::filesystem::create_directory(scratch.path() / "base");
  const std::string top = (scratch.path() / "top.toml").string();
  const std::string middle = (scratch.path() / "base" / "middle.toml").string();
  const std::string bottom = (scratch.path() / "base" / "bottom.toml").string();
  write_file(bottom, "[cluster]\nnodes = 1\nlinks = 1\nsizes = [1, 2, 3]\n[cluster.deep]\na = 1\nb = 1\n");
  write_file(middle, "extends = \"bottom.toml\"\n[cluster]\nlinks = 2\n[cluster.deep]\nb = 2\n");
  write_file(top, "extends = \"base/middle.toml\"\n[cluster]\nsizes = [9]\n");
  Problems problems;
  TomlDocument document = TomlDocument::read(top, {}, problems);
  TomlTable root = document.root();
  TomlTable cluster = *root.table("cluster");
  cluster.required_integer("nodes");
  cluster.required_integer("links");
  cluster.integers("sizes");
  TomlTable deep = *cluster.table("deep");
  deep.required_integer("a");
  deep.required_integer("b");
  deep.finish();
  cluster.finish();
  root.finish();
  CHECK(text_of(problems).empty());
  CHECK(document.files() == std::vector<std::string>{bottom, middle, top});
  CHECK(resolved_lines(document) == std::vector<std::string>{
                                        "cluster.nodes = 1  # " + bottom + ":2",
                                        "cluster.links = 2  # " + middle + ":3",
                                        "cluster.sizes = [9]  # " + top + ":3",
                                        "cluster.deep.a = 1  # " + bottom + ":6",
                                        "cluster.deep.b = 2  # " + middle + ":5",
                                    });
}

TEST_CASE("a problem in an extended file shows that file's line") {
  const ScratchFolder scratch;
  const std::string base = (scratch.path() / "base.toml").string();
  write_file(base, "# base\nnodes = \"x\"\n");
  write_file(scratch.path() / "top.toml", "extends = \"base.toml\"\n");
  Problems problems;
  TomlDocument document = TomlDocument::read((scratch.path() / "top.toml").string(), {}, problems);
  document.root().integer("nodes", 1);
  CHECK(text_of(problems) == base +
                                 ":2:9: nodes: is the string \"x\" (an integer is wanted)\n"
                                 "  nodes = \"x\"\n"
                                 "          ^\n");
}

TEST_CASE("files that extend one another in a circle, or what is not there, are refused") {
  const ScratchFolder scratch;
  const std::string a = (scratch.path() / "a.toml").string();
  const std::string b = (scratch.path() / "b.toml").string();
  write_file(a, "extends = \"b.toml\"\n");
  write_file(b, "extends = \"a.toml\"\n");
  Problems circle;
  TomlDocument::read(a, {}, circle);
  CHECK(text_of(circle) == b + ":1:11: extends: goes round in a circle (" + a + " -> " + b + " -> " + a +
                               ") - remove one of them\n"
                               "  extends = \"a.toml\"\n"
                               "            ^\n");
  write_file(b, "extends = \"c.toml\"\n");
  Problems absent;
  TomlDocument::read(a, {}, absent);
  CHECK(text_of(absent) == b + ":1:11: extends: \"" + (scratch.path() / "c.toml").string() +
                               "\" cannot be read (No such file or directory)\n"
                               "  extends = \"c.toml\"\n"
                               "            ^\n");
  write_file(b, "extends = 3\n");
  Problems number;
  TomlDocument::read(a, {}, number);
  CHECK(text_of(number) == b + ":1:11: extends: is not a string (the name of another file is wanted)\n"
                               "  extends = 3\n"
                               "            ^\n");
}

TEST_CASE("overrides replace and add values, in tables and in elements of arrays of tables") {
  const ScratchFolder scratch;
  const std::string path = (scratch.path() / "s.toml").string();
  write_file(path, "[cluster]\nnodes = 1\n[[strategy]]\nname = \"a\"\n[[strategy]]\nname = \"b\"\n");
  Problems problems;
  TomlDocument document =
      TomlDocument::read(path,
                         {"cluster.nodes=8", " cluster.system = dgx-a100 ", "cluster.note=\"3\"", "energy.pue=1.5",
                          "strategy.1.devices=2", "strategy.a.devices=4", "strategy[1].sizes=[1, 2]", "cluster.empty="},
                         problems);
  TomlTable root = document.root();
  TomlTable cluster = *root.table("cluster");
  CHECK(cluster.required_integer("nodes") == 8);
  CHECK(cluster.required_text("system") == "dgx-a100");
  CHECK(cluster.required_text("note") == "3");
  CHECK(cluster.text("empty") == "");
  CHECK(root.table("energy")->required_number("pue") == 1.5);
  std::vector<TomlTable> strategies = root.tables("strategy");
  CHECK(strategies.at(0).required_integer("devices") == 4);
  CHECK(strategies.at(1).required_integer("devices") == 2);
  CHECK(strategies.at(1).integers("sizes") == std::vector<std::int64_t>{1, 2});
  CHECK(cluster.where("nodes").file == "--set");
  for (const ResolvedValue& value : document.resolved()) CHECK(value.origin == "--set");
  CHECK(text_of(problems).empty());
}

TEST_CASE("a document may be moved while its tables are being read") {
  Problems problems;
  TomlDocument first = TomlDocument::parse("nodes = 2\n", "s.toml", problems);
  TomlTable root = first.root();
  TomlDocument second = std::move(first);
  CHECK(root.integer("nodes", 1) == 2);
  CHECK(second.resolved().size() == 1);
}

TEST_CASE("resolved values read back as the same values") {
  const std::string text = GENERATE("quote \" and \\", "tab\tand\nnewline", "\x01\x7F", "é", "");
  Problems problems;
  TomlDocument document = TomlDocument::parse("", "s.toml", problems);
  document.root().text("key", text);
  TomlDocument again = TomlDocument::parse("key = " + document.resolved()[0].value, "again.toml", problems);
  CHECK(again.root().text("key") == text);
  CHECK(text_of(problems).empty());
}

TEST_CASE("a text that is required is not empty") {
  Problems problems;
  TomlDocument document = TomlDocument::parse("name = \"\"\n", "s.toml", problems);
  CHECK(document.root().required_text("name").empty());
  CHECK(text_of(problems) == "s.toml:1:8: name: is empty (required)\n  name = \"\"\n         ^\n");
}

}  // namespace orrery
