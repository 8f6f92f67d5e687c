// The star network against numbers of hand.
#include "sim/engine/star_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/engine/kernel.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/access_line.hpp"

namespace orrery {

namespace {

/// A network whose flows write down when they end.
class Recorded {
 public:
  explicit Recorded(std::vector<AccessLine> lines, EngineKind engine = EngineKind::flow)
      : net(std::move(lines), engine) {}

  StarNetwork::Handle flow(std::size_t from, std::size_t to, double bytes) {
    const std::size_t number = ends.size();
    ends.push_back(-1.0);
    return net.flow(DeviceId(from), DeviceId(to), Bytes(bytes), [this, number] { ends[number] = net.now().value(); });
  }
  void at(double time, std::function<void()> action) { net.after(Seconds(time) - net.now(), std::move(action)); }
  [[nodiscard]] LineUse use(std::size_t host) const { return net.use(DeviceId(host)); }

  StarNetwork net;
  std::vector<double> ends;
};

}  // namespace

TEST_CASE("a flow takes both latencies and then its bytes over the slower of the two lines") {
  Recorded run({line(10, 1000, 0.5), line(1000, 40, 0.25)});
  run.flow(0, 1, 100);  // 0.75 + 100/10
  run.net.run();
  CHECK(run.ends == std::vector<double>{10.75});
  CHECK(run.net.now().value() == 10.75);
  CHECK(run.use(0).up.value() == 100);
  CHECK(run.use(0).down.value() == 0);
  CHECK(run.use(1).down.value() == 100);
  CHECK(run.use(0).up_busy.value() == 10);
  CHECK(run.use(1).down_busy.value() == 10);
  CHECK(run.net.flows_started() == 1);
}

TEST_CASE("flows that fill a hub's line share it evenly and speed up as others end") {
  Recorded run({line(100, 100), line(100, 100), line(10, 10)});
  run.flow(0, 2, 50);   // 5 each: ends at 10
  run.flow(1, 2, 100);  // 50 left at 10, then 10 per second: ends at 15
  run.net.run();
  CHECK(run.ends == std::vector<double>{10, 15});
  CHECK(run.use(2).down.value() == 150);
  CHECK(run.use(2).down_busy.value() == 15);
  CHECK(run.use(1).up_busy.value() == 15);
}

TEST_CASE("what a slow client does not take of the hub's line is for the others") {
  Recorded run({line(10, 10), line(1, 1), line(20, 20), line(20, 20)});
  run.flow(0, 1, 9);   // its own line: 1 per second, ends at 9
  run.flow(0, 2, 9);   // (10 - 1) / 2 = 4.5: ends at 2
  run.flow(0, 3, 36);  // 9 until 2, then 9 per second: 27 left, ends at 5
  run.net.run();
  CHECK(run.ends[0] == Approx(9).epsilon(1e-12));
  CHECK(run.ends[1] == Approx(2).epsilon(1e-12));
  CHECK(run.ends[2] == Approx(5).epsilon(1e-12));
}

TEST_CASE("lines contended at both ends are filled from the lowest level up") {
  // Host 2 takes in 6: 3 of host 0 and 3 of host 1. Host 0 sends 10: 7 are left for host 3.
  Recorded run({line(10, 10), line(10, 10), line(10, 6), line(10, 100)});
  run.flow(0, 2, 30);
  run.flow(1, 2, 30);
  run.flow(0, 3, 70);
  run.net.run();
  for (const double end : run.ends) CHECK(end == Approx(10).epsilon(1e-12));
}

TEST_CASE("up and down of one host do not contend") {
  Recorded run({line(10, 10), line(100, 100), line(100, 100)});
  run.flow(0, 1, 100);
  run.flow(2, 0, 100);
  run.net.run();
  CHECK(run.ends == std::vector<double>{10, 10});
}

TEST_CASE("the closed form shares nothing") {
  Recorded run({line(100, 100), line(100, 100), line(10, 10)}, EngineKind::closed_form);
  run.flow(0, 2, 50);
  run.flow(1, 2, 100);
  run.net.run();
  CHECK(run.ends == std::vector<double>{5, 10});
  CHECK(run.use(2).down.value() == 150);
  CHECK(run.use(2).down_busy.value() == 10);
}

TEST_CASE("no bytes take the latency alone and cross no line") {
  Recorded run({line(10, 10, 0.5), line(10, 10, 0.25), line(10, 10)});
  run.flow(0, 1, 0);
  run.net.run();
  CHECK(run.ends == std::vector<double>{0.75});
  CHECK(run.use(0).up_busy.value() == 0);
  Recorded at_once({line(10, 10), line(10, 10)});
  at_once.flow(0, 1, 0);
  CHECK(at_once.ends == std::vector<double>{-1});  // not before run()
  at_once.net.run();
  CHECK(at_once.ends == std::vector<double>{0});
}

TEST_CASE("a flow that is taken back has moved what had arrived, and the others speed up") {
  Recorded run({line(100, 100), line(100, 100), line(10, 10)});
  const auto first = run.flow(0, 2, 50);
  run.flow(1, 2, 100);
  run.at(4, [&] {
    CHECK(run.net.arrived(first).value() == Approx(20).epsilon(1e-12));
    CHECK(run.net.cancel_flow(first).value() == Approx(20).epsilon(1e-12));
    CHECK(run.net.cancel_flow(first).value() == 0);
    CHECK(run.net.arrived(first).value() == 0);
  });
  run.net.run();
  CHECK(run.ends[0] == -1);
  CHECK(run.ends[1] == Approx(4 + 80.0 / 10).epsilon(1e-12));  // 5 per second until 4
  CHECK(run.use(2).down.value() == Approx(120).epsilon(1e-12));
  CHECK(run.use(0).up.value() == Approx(20).epsilon(1e-12));
  CHECK(run.use(0).up_busy.value() == 4);
}

TEST_CASE("a flow taken back during its latency has moved nothing") {
  Recorded run({line(10, 10, 1), line(10, 10, 1)});
  const auto flow = run.flow(0, 1, 100);
  run.at(1.5, [&] { CHECK(run.net.cancel_flow(flow).value() == 0); });
  run.net.run();
  CHECK(run.ends[0] == -1);
  CHECK(run.net.now().value() == 1.5);
  CHECK(run.use(0).up.value() == 0);
}

TEST_CASE("a flow taken back at the instant of its arrival has moved everything") {
  Recorded run({line(10, 10), line(10, 10)});
  StarNetwork::Handle flow;
  run.at(10, [&] { CHECK(run.net.cancel_flow(flow).value() == 100); });  // asked for first: happens first
  flow = run.flow(0, 1, 100);
  run.net.run();
  CHECK(run.ends[0] == -1);
  CHECK(run.use(1).down.value() == 100);
}

TEST_CASE("a handle is out of date once its flow has ended, whoever uses its place") {
  Recorded run({line(10, 10), line(10, 10)});
  const auto old = run.flow(0, 1, 10);
  run.net.run();
  run.flow(0, 1, 10);
  CHECK(run.net.cancel_flow(old).value() == 0);
  run.net.run();
  CHECK(run.ends == std::vector<double>{1, 2});
}

TEST_CASE("use and arrived count what is under way") {
  Recorded run({line(100, 100), line(100, 100), line(10, 10)});
  const auto own = run.flow(0, 1, 1000);
  run.flow(0, 2, 100);
  run.flow(1, 2, 100);
  run.at(2, [&] {
    CHECK(run.use(2).down.value() == Approx(20).epsilon(1e-12));
    CHECK(run.use(2).down_busy.value() == 2);
    CHECK(run.use(0).up.value() == Approx(2 * (95 + 5)).epsilon(1e-12));
    CHECK(run.net.arrived(own).value() == Approx(190).epsilon(1e-12));
  });
  run.net.run();
}

TEST_CASE("what happens at the same instant happens in the order in which it was asked for") {
  Recorded run({line(10, 10), line(10, 10), line(100, 100)});
  std::string order;
  const auto note = [&](char name) { return [&order, name] { order += name; }; };
  run.net.after(Seconds(10), note('a'));
  run.net.flow(DeviceId(1), DeviceId(2), Bytes(100), note('b'));
  run.net.after(Seconds(10), note('c'));
  run.net.flow(DeviceId(0), DeviceId(2), Bytes(100), note('d'));
  run.net.after(Seconds(10), [&] {
    order += 'e';
    run.net.after(Seconds(0), note('g'));
  });
  run.net.after(Seconds(10), note('f'));
  run.net.run();
  CHECK(order == "abcdefg");
}

TEST_CASE("equal flows that share a line end at the same instant, in the order of their starts") {
  std::vector<AccessLine> lines(101, line(70, 70));
  Recorded run(lines);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::size_t client = (i * 37) % 100;
    run.net.flow(DeviceId(client), DeviceId(100), Bytes(1e6 / 3), [&order, client] { order.push_back(client); });
  }
  run.net.run();
  REQUIRE(order.size() == 100);
  for (std::size_t i = 0; i < 100; ++i) CHECK(order[i] == (i * 37) % 100);
  CHECK(run.net.now().value() == Approx(100e6 / 3 / 70).epsilon(1e-12));
}

TEST_CASE("a cancelled timer neither acts nor moves the clock") {
  Recorded run({line(10, 10), line(10, 10)});
  const auto timer = run.net.after(Seconds(100), [] { FAIL("cancelled"); });
  run.at(1, [&] { run.net.cancel_timer(timer); });
  run.net.after(Seconds(std::numeric_limits<double>::infinity()), [] { FAIL("never"); });
  run.net.run();
  CHECK(run.net.now().value() == 1);
}

TEST_CASE("a run that was stopped goes on where it was") {
  Recorded run({line(10, 10), line(10, 10)});
  run.flow(0, 1, 100);
  run.at(4, [&] { run.net.stop(); });
  run.net.run();
  CHECK(run.net.now().value() == 4);
  CHECK(run.use(0).up.value() == 40);
  run.net.run();
  CHECK(run.ends == std::vector<double>{10});
}

TEST_CASE("a million hosts that do nothing are no load") {
  StarNetwork net(std::vector<AccessLine>(1000001, line(1e6, 1e6)), EngineKind::flow);
  double end = 0;
  net.flow(DeviceId(999999), DeviceId(1000000), Bytes(1e6), [&] { end = net.now().value(); });
  net.run();
  CHECK(end == 1);
  CHECK(net.hosts() == 1000001);
}

TEST_CASE("every byte that leaves a host arrives at another, also of flows that are taken back") {
  Random random(7);
  std::vector<AccessLine> lines;
  for (int i = 0; i < 40; ++i) lines.push_back(line(random.uniform(1e5, 1e7), random.uniform(1e5, 1e7), 0.01));
  Recorded run(lines);
  double asked_for = 0, taken_back = 0, moved = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t from = random.below(40), to = (from + 1 + random.below(39)) % 40;
    const double bytes = random.uniform(1, 1e7), start = random.uniform(0, 100), patience = random.uniform(0.1, 60);
    asked_for += bytes;
    run.at(start, [&, from, to, bytes, patience] {
      const std::size_t number = run.ends.size();
      const auto flow = run.flow(from, to, bytes);
      run.net.after(Seconds(patience), [&, flow, number, bytes] {
        if (run.ends[number] >= 0) return;
        const double arrived = run.net.cancel_flow(flow).value();
        CHECK(arrived <= bytes);
        moved += arrived;
        taken_back += bytes;
      });
    });
  }
  run.net.run();
  double up = 0, down = 0;
  for (std::size_t host = 0; host < 40; ++host) {
    const LineUse use = run.use(host);
    up += use.up.value();
    down += use.down.value();
    CHECK(use.up.value() <= lines[host].up.value() * use.up_busy.value() * (1 + 1e-9));
    CHECK(use.down.value() <= lines[host].down.value() * use.down_busy.value() * (1 + 1e-9));
  }
  CHECK(taken_back > 0);
  CHECK(up == Approx(asked_for - taken_back + moved).epsilon(1e-12));
  CHECK(down == Approx(up).epsilon(1e-12));
}

TEST_CASE("rates without end, flows to oneself and negative bytes are broken promises") {
  CHECK_THROWS(StarNetwork({line(0, 1)}, EngineKind::flow));
  CHECK_THROWS(StarNetwork({line(1, std::numeric_limits<double>::infinity())}, EngineKind::flow));
  CHECK_THROWS(StarNetwork({line(1, 1, -1)}, EngineKind::flow));
  StarNetwork net({line(1, 1), line(1, 1)}, EngineKind::flow);
  CHECK_THROWS(net.flow(DeviceId(0), DeviceId(0), Bytes(1), [] {}));
  CHECK_THROWS(net.flow(DeviceId(0), DeviceId(2), Bytes(1), [] {}));
  CHECK_THROWS(net.flow(DeviceId(0), DeviceId(1), Bytes(-1), [] {}));
}

}  // namespace orrery
