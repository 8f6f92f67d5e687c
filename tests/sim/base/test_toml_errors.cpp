// Whole error texts of malformed TOML.
#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/files.hpp"
#include "sim/base/toml_reader.hpp"
#include "tests/catch.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

/// Reads what a small scenario could hold.
void read_cluster(TomlDocument& document) {
  TomlTable root = document.root();
  if (auto cluster = root.table("cluster")) {
    cluster->required_text("system");
    cluster->integer("nodes", 1, at_least_one);
    cluster->number("bandwidth_GBps", 1.0, positive);
    cluster->number("overlap", 0.5, fraction);
    cluster->boolean("shared", false);
    cluster->choice("shape", {"star", "fat-tree", "rail"}, "star");
    cluster->integers("sizes", at_least_one);
    cluster->finish();
  }
  for (TomlTable& strategy : root.tables("strategy")) {
    strategy.required_choice("kind", {"data", "model"});
    strategy.text("name", "unnamed");
    if (auto outer = strategy.table("outer")) outer->finish();
    strategy.tables("more");
    strategy.finish();
  }
  root.finish();
}

std::string text_of(const Problems& problems) {
  try {
    problems.throw_if_any();
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return "no problem";
}

std::string errors_of(const std::string& text) {
  Problems problems;
  TomlDocument document = TomlDocument::parse(text, "s.toml", problems);
  read_cluster(document);
  return text_of(problems);
}

std::string errors_of_override(const std::string& override_text) {
  const ScratchFolder scratch;
  const std::string path = (scratch.path() / "s.toml").string();
  write_file(path, "[cluster]\nsystem = \"dgx\"\nnodes = 2\n[[strategy]]\nname = \"ring\"\nkind = \"data\"\n");
  Problems problems;
  TomlDocument document = TomlDocument::read(path, {override_text}, problems);
  read_cluster(document);
  return text_of(problems);
}

}  // namespace

TEST_CASE("a good text has no problem") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\n[[strategy]]\nkind = \"data\"\n") == "no problem");
  CHECK(errors_of("") == "no problem");
}

TEST_CASE("an unknown key is told with the nearest known one") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nnodse = 2\n") ==
        "s.toml:3:1: cluster: unknown key \"nodse\" - did you mean \"nodes\"?\n"
        "  nodse = 2\n"
        "  ^");
}

TEST_CASE("an unknown table is told with the known ones") {
  CHECK(errors_of("[energy]\n") ==
        "s.toml:1:2: unknown key \"energy\" - known: cluster, strategy\n"
        "  [energy]\n"
        "   ^");
}

TEST_CASE("an unknown key of an element of an array of tables is told with its index") {
  CHECK(errors_of("[[strategy]]\nkind = \"data\"\n[[strategy]]\nkind = \"model\"\nnmae = \"x\"\n") ==
        "s.toml:5:1: strategy[1]: unknown key \"nmae\" - did you mean \"name\"?\n"
        "  nmae = \"x\"\n"
        "  ^");
}

TEST_CASE("a required key that is missing is told at its table") {
  CHECK(errors_of("\n[cluster]\n") ==
        "s.toml:2:1: cluster.system: is missing (required)\n"
        "  [cluster]\n"
        "  ^");
}

TEST_CASE("a required choice that is missing is told with what there is") {
  CHECK(errors_of("[[strategy]]\n") ==
        "s.toml:1:1: strategy[0].kind: is missing (required) - one of: data, model\n"
        "  [[strategy]]\n"
        "  ^");
}

TEST_CASE("a string where an integer is wanted") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nnodes = \"two\"\n") ==
        "s.toml:3:9: cluster.nodes: is the string \"two\" (an integer is wanted)\n"
        "  nodes = \"two\"\n"
        "          ^");
}

TEST_CASE("a quoted number where a number is wanted") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nbandwidth_GBps = \"25\"\n") ==
        "s.toml:3:18: cluster.bandwidth_GBps: is the string \"25\" (a number is wanted) - write it without quotes\n"
        "  bandwidth_GBps = \"25\"\n"
        "                   ^");
}

TEST_CASE("a decimal number where an integer is wanted") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nnodes = 1e3\n") ==
        "s.toml:3:9: cluster.nodes: is the number 1000 (an integer is wanted) - write 1000\n"
        "  nodes = 1e3\n"
        "          ^");
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nnodes = 1.5\n") ==
        "s.toml:3:9: cluster.nodes: is the number 1.5 (an integer is wanted)\n"
        "  nodes = 1.5\n"
        "          ^");
}

TEST_CASE("a number where a string is wanted") {
  CHECK(errors_of("[cluster]\nsystem = 8\n") ==
        "s.toml:2:10: cluster.system: is the integer 8 (a string is wanted) - put it in quotes\n"
        "  system = 8\n"
        "           ^");
}

TEST_CASE("an infinite number is not a number to calculate with") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nbandwidth_GBps = inf\n") ==
        "s.toml:3:18: cluster.bandwidth_GBps: is the number inf (a finite number is wanted)\n"
        "  bandwidth_GBps = inf\n"
        "                   ^");
}

TEST_CASE("a number where a truth value is wanted") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nshared = 1\n") ==
        "s.toml:3:10: cluster.shared: is the integer 1 (a truth value is wanted) - write true or false\n"
        "  shared = 1\n"
        "           ^");
}

TEST_CASE("values out of range are told with the range") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nnodes = 0\nbandwidth_GBps = 0\noverlap = 1.5\n") ==
        "s.toml:3:9: cluster.nodes: 0 is out of range (must be at least 1)\n"
        "  nodes = 0\n"
        "          ^\n"
        "s.toml:4:18: cluster.bandwidth_GBps: 0 is out of range (must be more than 0)\n"
        "  bandwidth_GBps = 0\n"
        "                   ^\n"
        "s.toml:5:11: cluster.overlap: 1.5 is out of range (must be between 0 and 1)\n"
        "  overlap = 1.5\n"
        "            ^");
}

TEST_CASE("an unknown name of a choice is told with the nearest") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nshape = \"fattree\"\n") ==
        "s.toml:3:9: cluster.shape: unknown name \"fattree\" - did you mean \"fat-tree\"?\n"
        "  shape = \"fattree\"\n"
        "          ^");
}

TEST_CASE("a value of the wrong type is not also an unknown name") {
  CHECK(errors_of("[[strategy]]\nkind = 3\n") ==
        "s.toml:2:8: strategy[0].kind: is the integer 3 (a string is wanted) - put it in quotes\n"
        "  kind = 3\n"
        "         ^");
}

TEST_CASE("elements of an array are told one by one") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nsizes = [1, \"2\", 0]\n") ==
        "s.toml:3:13: cluster.sizes[1]: is the string \"2\" (an integer is wanted) - write it without quotes\n"
        "  sizes = [1, \"2\", 0]\n"
        "              ^\n"
        "s.toml:3:18: cluster.sizes[2]: 0 is out of range (must be at least 1)\n"
        "  sizes = [1, \"2\", 0]\n"
        "                   ^");
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nsizes = [\"99999999999999999999\"]\n") ==
        "s.toml:3:10: cluster.sizes[0]: is the string \"99999999999999999999\" (an integer is wanted)\n"
        "  sizes = [\"99999999999999999999\"]\n"
        "           ^");
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nsizes = 4\n") ==
        "s.toml:3:9: cluster.sizes: is the integer 4 (an array is wanted) - put it in [ ]\n"
        "  sizes = 4\n"
        "          ^");
}

TEST_CASE("a value where a table is wanted") {
  CHECK(errors_of("cluster = \"dgx\"\n") ==
        "s.toml:1:11: cluster: is the string \"dgx\" (a table is wanted) - write [cluster]\n"
        "  cluster = \"dgx\"\n"
        "            ^");
}

TEST_CASE("inside an element of an array no header can name a table") {
  CHECK(errors_of("[[strategy]]\nkind = \"data\"\nouter = 4\nmore = 5\n") ==
        "s.toml:3:9: strategy[0].outer: is the integer 4 (a table is wanted) - write outer = { ... }\n"
        "  outer = 4\n"
        "          ^\n"
        "s.toml:4:8: strategy[0].more: is the integer 5 (an array of tables is wanted) - write more = [{ ... }]\n"
        "  more = 5\n"
        "         ^");
}

TEST_CASE("a table where an array of tables is wanted") {
  CHECK(errors_of("[strategy]\nkind = \"data\"\n") ==
        "s.toml:1:1: strategy: is a table (an array of tables is wanted) - write [[strategy]]\n"
        "  [strategy]\n"
        "  ^");
  CHECK(errors_of("strategy = [1]\n") ==
        "s.toml:1:13: strategy[0]: is the integer 1 (a table is wanted) - write [[strategy]]\n"
        "  strategy = [1]\n"
        "              ^");
}

TEST_CASE("of a huge value only the beginning is shown") {
  CHECK(errors_of("[cluster]\nsystem = \"dgx\"\nnodes = \"" + std::string(100000, 'x') + "\"\n") ==
        "s.toml:3:9: cluster.nodes: is the string \"" + std::string(60, 'x') +
            "...\" (an integer is wanted)\n"
            "  nodes = \"" +
            std::string(111, 'x') +
            "...\n"
            "          ^");
}

TEST_CASE("a number too large to hold is refused where it stands") {
  CHECK(errors_of("nodes = 1e999\n") ==
        "s.toml:1:14: '1e999' could not be interpreted as a value (while reading a floating-point)\n"
        "  nodes = 1e999\n"
        "               ^");
}

TEST_CASE("a date is no string") {
  CHECK(errors_of("[cluster]\nsystem = 2024-01-31\n") ==
        "s.toml:2:10: cluster.system: is a date or time (a string is wanted)\n"
        "  system = 2024-01-31\n"
        "           ^");
}

TEST_CASE("a doubled key is refused") {
  CHECK(errors_of("[cluster]\nsystem = \"a\"\nsystem = \"b\"\n") ==
        "s.toml:3:10: cannot redefine existing string 'system' (while reading a key-value pair)\n"
        "  system = \"b\"\n"
        "           ^");
}

TEST_CASE("a value that is not TOML is told where it is") {
  CHECK(errors_of("[cluster]\nnodes = \n") ==
        "s.toml:2:9: expected value, saw '\\n' (while reading a key-value pair)\n"
        "  nodes = \n"
        "          ^");
  CHECK(errors_of("nodes = 007\n") ==
        "s.toml:1:12: leading zeroes are prohibited (while reading a decimal integer)\n"
        "  nodes = 007\n"
        "             ^");
}

TEST_CASE("a file that is not there is told with the reason, and nothing of what it lacks") {
  Problems problems;
  TomlDocument document = TomlDocument::read("no/such.toml", {}, problems);
  document.root().required_text("name");
  document.root().required_choice("kind", {"data"});
  document.root().problem("strategy", "there is none");
  CHECK(text_of(problems) == "no/such.toml: cannot be read (No such file or directory)");
}

TEST_CASE("all problems of a text come at once, in the order of its lines") {
  const std::string text = errors_of("[[strategy]]\nknid = \"data\"\n[cluster]\nnodes = -1\nsytem = 3\n");
  std::vector<std::string> places;
  for (std::size_t at = text.find("s.toml:"); at != std::string::npos; at = text.find("s.toml:", at + 1)) {
    places.push_back(text.substr(at, text.find(": ", at) - at));
  }
  CHECK(places == std::vector<std::string>{"s.toml:1:1", "s.toml:2:1", "s.toml:3:1", "s.toml:4:9", "s.toml:5:1"});
}

TEST_CASE("problems of overrides name the command line") {
  CHECK(errors_of_override("cluster.nodes=0") == "--set: cluster.nodes: 0 is out of range (must be at least 1)");
  CHECK(errors_of_override("cluster.nodes=many") ==
        "--set: cluster.nodes: is the string \"many\" (an integer is wanted)");
  CHECK(errors_of_override("cluster.nodez=3") == "--set: cluster: unknown key \"nodez\" - did you mean \"nodes\"?");
  CHECK(errors_of_override("clutser.nodes=3") == "--set: unknown key \"clutser\" - did you mean \"cluster\"?");
  CHECK(errors_of_override("cluster.nodes") == "--set: cluster.nodes: has no value - write --set cluster.nodes=VALUE");
  CHECK(errors_of_override("=3") == "--set: is not a key (a part of it is empty) - write --set table.key=VALUE");
  CHECK(errors_of_override("cluster..nodes=3") ==
        "--set: cluster..nodes: is not a key (a part of it is empty) - write --set table.key=VALUE");
  CHECK(errors_of_override("cluster.nodes.x=3") ==
        "--set: cluster.nodes.x: \"nodes\" is not a table (it can hold no key)");
  CHECK(errors_of_override("strategy.rnig.kind=model") ==
        "--set: strategy.rnig.kind: there is no \"rnig\" - did you mean \"ring\"?");
  CHECK(errors_of_override("strategy.1.kind=model") == "--set: strategy.1.kind: there is no \"1\" - known: ring");
  CHECK(
      errors_of_override("strategy.kind=model") ==
      "--set: strategy.kind: \"strategy\" is an array of tables (which of them is meant?) - write strategy.ring.kind");
}

}  // namespace orrery
