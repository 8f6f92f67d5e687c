// Figures for reading.
#include "sim/base/human.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

TEST_CASE("figures for reading have three digits and a unit that fits") {
  CHECK(human(Seconds(0)) == "0 s");
  CHECK(human(Seconds(1.234e-3)) == "1.23 ms");
  CHECK(human(Seconds(12.34e-6)) == "12.3 us");
  CHECK(human(Seconds(123.4e-9)) == "123 ns");
  CHECK(human(Seconds(0.9999999)) == "1.00 s");
  CHECK(human(Seconds(59.9)) == "59.9 s");
  CHECK(human(Seconds(90)) == "1.50 min");
  CHECK(human(Seconds(7200)) == "2.00 h");
  CHECK(human(Seconds(86400 * 400.0)) == "400 d");
  CHECK(human(Bytes(0)) == "0 B");
  CHECK(human(Bytes(999)) == "999 B");
  CHECK(human(Bytes(1.5e6)) == "1.50 MB");
  CHECK(human(Bytes(47.04e6)) == "47.0 MB");
  CHECK(human(Joules(12345)) == "12.3 kJ");
  CHECK(human(Joules(0)) == "0 J");
  CHECK(human_memory(Bytes(1536)) == "1.50 KiB");
  CHECK(human_memory(Bytes(16 * gibi)) == "16.0 GiB");
  CHECK(human_mass(0.0123) == "12.3 g");
  CHECK(human_mass(0) == "0 mg");
  CHECK(human_ratio(0.125) == "0.12x");
  CHECK(human_ratio(0.001) == "<0.01x");
  CHECK(human_cost(0.001, "EUR") == "0.00100 EUR");
  CHECK(human_cost(0.01234, "EUR") == "0.0123 EUR");
  CHECK(human_ratio(12.34) == "12.3x");
  CHECK(human_percent(0) == "0%");
  CHECK(human_percent(0.001) == "<1%");
  CHECK(human_cost(0.5, "EUR") == "0.50 EUR");
  CHECK(human_cost(1234.4, "USD") == "1234 USD");
  CHECK(human_percent(0.456) == "46%");
}

TEST_CASE("money below a thousandth has an exponent") {
  CHECK(human_cost(0.0009994, "EUR") == "9.99e-4 EUR");
  CHECK(human_cost(0.0009996, "EUR") == "1.00e-3 EUR");
  CHECK(human_cost(7.8612e-6, "EUR") == "7.86e-6 EUR");
  CHECK(human_cost(1.5e-12, "USD") == "1.50e-12 USD");
  CHECK(human_cost(0, "EUR") == "0.00 EUR");
}

TEST_CASE("a range is in the unit of the figure beside it") {
  CHECK(human_range(Seconds(11.64), Seconds(16.83), Seconds(13.3)) == "11.6-16.8");
  CHECK(human_range(Seconds(0.8), Seconds(1.4), Seconds(1.1)) == "0.80-1.40");
  CHECK(human_range(Seconds(0.9e-3), Seconds(0.0123), Seconds(2e-3)) == "0.90-12.3");
}

TEST_CASE("one of a thing is no several") {
  CHECK(human_count(0, "rank") == "0 ranks");
  CHECK(human_count(1, "rank") == "1 rank");
  CHECK(human_count(12, "rank") == "12 ranks");
}

}  // namespace
}  // namespace orrery
