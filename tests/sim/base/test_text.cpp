#include <clocale>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"

namespace orrery {

TEST_CASE("integers are written in full and other numbers as short as can be") {
  CHECK(number_text(0.0) == "0");
  CHECK(number_text(42.0) == "42");
  CHECK(number_text(-7.0) == "-7");
  CHECK(number_text(1000000.0) == "1000000");
  CHECK(number_text(1073741824.0) == "1073741824");
  CHECK(number_text(999999999999999.0) == "999999999999999");
  CHECK(number_text(1e15) == "1e+15");
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(2.5e-6) == "2.5e-06");
  CHECK(number_text(1.0 / 3.0) == "0.3333333333333333");
}

TEST_CASE("every number reads back as the very same number") {
  Random random(1);
  for (int i = 0; i < 10000; ++i) {
    const double value = std::ldexp(random.uniform(-1.0, 1.0), static_cast<int>(random.below(400)) - 200);
    const auto read_back = parse_number(number_text(value));
    REQUIRE(read_back.has_value());
    REQUIRE(*read_back == value);
  }
  for (const double edge : {std::numeric_limits<double>::max(), std::numeric_limits<double>::min(),
                            std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::epsilon(), 1e15,
                            std::nextafter(1e15, 0.0)}) {
    CHECK(parse_number(number_text(edge)) == edge);
  }
}

TEST_CASE("only the whole of a text can be a number, and only a finite one") {
  CHECK(parse_number("1.5e9") == 1.5e9);
  CHECK(parse_number("-0.25") == -0.25);
  const std::string bad =
      GENERATE("", " 1", "1 ", "1.5GB", "1,5", "one", "0x10", "1e400", "nan", "inf", "-", "1e", ".");
  CAPTURE(bad);
  CHECK_FALSE(parse_number(bad).has_value());
}

TEST_CASE("numbers do not depend on the locale") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  // Where the machine has no such locale the call changes nothing; the checks hold all the same.
  std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
  CHECK(number_text(1.5) == "1.5");
  CHECK(parse_number("1.5") == 1.5);
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST_CASE("texts are trimmed, split and joined") {
  CHECK(trim("  a b\t\r\n") == "a b");
  CHECK(trim(" \t ").empty());
  CHECK(split("a,,b,", ',') == std::vector<std::string>{"a", "", "b", ""});
  CHECK(split("", ',') == std::vector<std::string>{""});
  CHECK(join({"a", "b", "c"}, ", ") == "a, b, c");
  CHECK(join({}, ", ").empty());
}

TEST_CASE("excerpts count characters, not bytes, and mark what is left out") {
  CHECK(character_count("aéb") == 3);
  CHECK(excerpt("aébc", 0, 4) == "aébc");
  CHECK(excerpt("aébc", 0, 2) == "aé...");
  CHECK(excerpt("aébc", 1, 2) == "...éb...");
  CHECK(excerpt("aébc", 9, 2) == "...");
  CHECK(excerpt("", 0, 2).empty());
}

TEST_CASE("edit distance counts inserted, deleted, replaced and swapped letters") {
  CHECK(edit_distance("ring", "ring") == 0);
  CHECK(edit_distance("", "ring") == 4);
  CHECK(edit_distance("rings", "ring") == 1);
  CHECK(edit_distance("rong", "ring") == 1);
  CHECK(edit_distance("rnig", "ring") == 1);
  CHECK(edit_distance("Ring", "rING") == 0);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ca", "abc") == 3);  // a swapped pair is not edited again
}

TEST_CASE("edit distance is symmetric and zero only for equal texts") {
  const std::vector<std::string> words{"ring", "tree", "a", "", "hierarchical", "halving-doubling"};
  for (const std::string& a : words) {
    for (const std::string& b : words) {
      CHECK(edit_distance(a, b) == edit_distance(b, a));
      CHECK((edit_distance(a, b) == 0) == (a == b));
    }
  }
}

TEST_CASE("the nearest name is suggested, and none when none is near") {
  const std::vector<std::string> kinds{"single", "data", "model", "pipeline", "hybrid", "federated"};
  CHECK(nearest("dtaa", kinds) == "data");
  CHECK(nearest("PIPELINE", kinds) == "pipeline");
  CHECK(nearest("fed", kinds) == "federated");
  CHECK_FALSE(nearest("zebra", kinds).has_value());
  CHECK_FALSE(nearest("", kinds).has_value());
}

TEST_CASE("of three letters two may not be wrong") {
  const std::vector<std::string> names{"sgd"};
  CHECK(nearest("sgf", names) == "sgd");
  CHECK_FALSE(nearest("sxy", names).has_value());
}

TEST_CASE("a nearer name beats a longer one, and the earlier one wins a tie") {
  CHECK(nearest("dat", std::vector<std::string>{"database", "data"}) == "data");
  CHECK(nearest("ba", std::vector<std::string>{"bat", "bar"}) == "bat");
}

TEST_CASE("did-you-mean names the nearest, or what is known") {
  const std::vector<std::string> few{"ring", "tree"};
  CHECK(did_you_mean("rign", few) == "did you mean \"ring\"?");
  CHECK(did_you_mean("mesh", few) == "known: ring, tree");
  CHECK(did_you_mean("mesh", std::vector<std::string>{}).empty());
  std::vector<std::string> many;
  for (char c = 'a'; c <= 'n'; ++c) many.push_back(std::string(4, c));
  CHECK(did_you_mean("zzzzzzzz", many) ==
        "known: aaaa, bbbb, cccc, dddd, eeee, ffff, gggg, hhhh, iiii, jjjj, kkkk, llll, ...");
}

}  // namespace orrery
