// Joules of a client's radio, computed by hand.
#include "topologies/radio.hpp"

#include <string>

#include "tests/catch.hpp"
#include "tests/topologies/shipped_catalogue.hpp"
#include "tests/topologies/small_catalogue.hpp"

namespace orrery {
namespace {

/// Round numbers: 1 J/MB up and a quarter of it down, 1 W while data moves, a tail of 12 J over 10 s.
Link with_radio() {
  Radio radio;
  radio.up_nJ_per_bit = 125;
  radio.down_nJ_per_bit = 31.25;
  radio.base = Watts(1);
  radio.tail = Joules(12);
  radio.tail_time = Seconds(10);
  Link link;
  link.client_active = Watts(99);
  link.radio = radio;
  return link;
}

double joules(const Link& link, double down_MB, double up_MB, double active) {
  return radio_energy(link, {Bytes(down_MB * 1e6), Bytes(up_MB * 1e6), Seconds(active)}).value();
}

Link shipped_with(const std::string& radio) {
  Link link;
  link.radio = *shipped_catalogue().radio(radio);
  return link;
}

}  // namespace

TEST_CASE("a burst takes base times time, joules per byte, and one tail") {
  CHECK(joules(with_radio(), 0, 3, 4) == Approx(4 + 3 + 12).epsilon(1e-12));
  CHECK(joules(with_radio(), 8, 0, 4) == Approx(4 + 2 + 12).epsilon(1e-12));
  CHECK(joules(with_radio(), 8, 3, 5) == Approx(5 + 2 + 3 + 12).epsilon(1e-12));
  CHECK(joules(with_radio(), 0, 0, 0) == 0);
}

TEST_CASE("data that moves again soon cuts the tail short") {
  RadioBurst burst{Bytes(0), Bytes(3e6), Seconds(4), Seconds(2.5)};
  CHECK(radio_energy(with_radio(), burst).value() == Approx(4 + 3 + 3).epsilon(1e-12));
  burst.quiet_after = Seconds(10);
  CHECK(radio_energy(with_radio(), burst).value() == Approx(4 + 3 + 12).epsilon(1e-12));
  burst.quiet_after = Seconds(0);
  CHECK(radio_energy(with_radio(), burst).value() == Approx(4 + 3).epsilon(1e-12));
}

TEST_CASE("a radio never draws more than its maximum while data moves") {
  Link link = with_radio();
  link.radio->maximum = Watts(2);
  CHECK(joules(link, 0, 3, 4) == Approx(4 + 3 + 12).epsilon(1e-12));
  CHECK(joules(link, 0, 30, 4) == Approx(2 * 4 + 12).epsilon(1e-12));
}

TEST_CASE("a link without a radio draws what its client does while data moves") {
  Link link;
  link.client_active = Watts(1.25);
  CHECK(joules(link, 8, 3, 4) == 5);
  CHECK(joules({}, 8, 3, 4) == 0);
}

TEST_CASE("the published figures of LTE and WiFi come out of the catalogue's rows") {
  // Huang et al. 2012: P = 438.39 mW per Mbit/s up + 1288.04 mW. A megabyte at 6 Mbit/s takes 8/6 s: 5.22 J.
  const double tail = 1.060 * 11.6;
  CHECK(joules(shipped_with("lte-2012"), 0, 1, 8.0 / 6) - tail ==
        Approx(8 * (438.39 + 1288.04 / 6) / 1000).epsilon(1e-9));
  CHECK(joules(shipped_with("lte-2012"), 0, 1, 8.0 / 6) - tail == Approx(5.2).epsilon(0.01));
  CHECK(joules(shipped_with("wifi-2012"), 0, 1, 8.0 / 20) - 0.119 * 0.24 == Approx(2.3).epsilon(0.01));
  CHECK(joules(shipped_with("3g-2012"), 1, 0, 8.0) - 0.601 * 8 == Approx(8 * (122.12 + 817.88) / 1000).epsilon(1e-9));
  CHECK(joules(shipped_with("lte"), 0, 1, 1) == Approx(2.0 + 8).epsilon(1e-9));
  CHECK(joules(shipped_with("5g"), 1, 0, 1) == Approx(1.0 + 6).epsilon(1e-9));
  CHECK(joules(shipped_with("wifi"), 1, 0, 1) == Approx(0.4 + 0.05).epsilon(1e-9));
}

TEST_CASE("the wireless links that phones use have their radio") {
  for (const char* id : {"wifi4", "wifi5", "wifi6", "wifi6e-160"})
    CHECK(shipped_catalogue().link(id)->radio->id == "wifi");
  CHECK(shipped_catalogue().link("lte-cat6")->radio->id == "lte");
  CHECK(shipped_catalogue().link("lte-2012")->radio->id == "lte-2012");
  CHECK(shipped_catalogue().link("5g-sub6")->radio->id == "5g");
  CHECK(!shipped_catalogue().link("ftth-1g")->radio);
}

TEST_CASE("a phone's training step has an overhead, a card's has none") {
  for (const Device& device : shipped_catalogue().devices) {
    INFO(device.id);
    CHECK(device.step_overhead.value() == (device.kind == "phone" ? Approx(0.010) : Approx(0)));
  }
}

TEST_CASE("a defect of a radio row is told with line, column and advice") {
  const auto broken = [](const std::string& column, const std::string& text) {
    return test::SmallCatalogue().set("radios.csv", 2, column, text).errors();
  };
  CHECK(broken("up_nJ_per_bit", "0") == "radios.csv:2:9: up_nJ_per_bit: 0 is not above 0\n");
  CHECK(broken("base_W", "-1") ==
        "radios.csv:2:16: base_W: -1 is negative - leave the cell empty when it is unknown\n");
  CHECK(broken("maximum_W", "1") ==
        "radios.csv:2:20: maximum_W: less than base_W (the radio always draws that while data moves)\n");
  CHECK(broken("tail_s", "") ==
        "radios.csv:2:25: tail_s: a tail without a length (a burst within it cuts it short) - give the seconds it "
        "lasts\n");
  CHECK(test::SmallCatalogue().set("links.csv", 4, "radio", "sett").errors() ==
        "links.csv:4:48: radio: unknown radio \"sett\" (no such id in radios.csv) - did you mean \"set\"?\n");
}

TEST_CASE("a device file without the column of the step overhead reads as before") {
  Device device = *shipped_catalogue().device("xeon-6148");
  test::SmallCatalogue folder;
  std::string text = device_csv(device);
  const std::string column = ",step_overhead_ms";
  text.erase(text.find(column), column.size());
  const std::size_t row = text.find('\n') + 1;
  const std::size_t place = text.find("," + device.link + ",", row);
  REQUIRE(place != std::string::npos);
  REQUIRE(text[place - 1] == ',');
  text.erase(place, 1);
  folder.write("one.csv", text);
  Problems problems;
  const auto back = read_device_file(folder.folder() / "one.csv", problems);
  REQUIRE(problems.empty());
  CHECK(back->step_overhead.value() == 0);
  CHECK(back->gemm_fraction == device.gemm_fraction);
}

}  // namespace orrery
