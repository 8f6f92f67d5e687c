// Max-min fair sharing where every flow crosses two lines: how fast everybody moves, and who arrives next. Knows no
// hosts, no latency and no actions.
//
// A flow moves at its bound, the slower of its two lines, unless one of them is contended: the bounds of its flows add
// up to more than it carries. A contended line has a level, the most that it gives to one flow; progressive filling
// (Bertsekas and Gallager, "Data Networks", 1992, section 6.5.2) finds the levels of all contended lines that flows
// connect. Whom a line's level governs need not be touched when the level changes: the line counts the bytes that each
// of its governed flows has moved, and a flow has arrived when this odometer reaches a mark that was set once. So an
// event among a thousand flows of one hub costs a pass over their bounds, and nothing at all where no line is
// contended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace orrery {

class LineSharing {
 public:
  enum class Sharing : std::uint8_t { fair, none };  // none: every flow moves at its bound
  struct Line {
    std::size_t index = 0;
    double capacity = 0;  // bytes per second, above 0; always the same for one index
  };
  struct Meter {
    double bytes = 0, busy = 0;
  };
  LineSharing(std::size_t lines, Sharing sharing);

  /// `flow` is a number of the caller's choice, small and free to be used again once it has left. bytes > 0; the lines
  /// are two.
  void join(std::uint32_t flow, Line first, Line second, double bytes, double now);
  /// Returns the bytes moved.
  double leave(std::uint32_t flow, double now);
  [[nodiscard]] double moved(std::uint32_t flow, double now) const;

  /// Sets the rates after all that has joined and left. To be called before time goes on and before next_end().
  void settle(double now);
  /// When the next flow arrives; infinity: none moves.
  [[nodiscard]] double next_end();
  /// The flows that arrive by `now`; they have left. Valid until the next call.
  const std::vector<std::uint32_t>& end_until(double now);

  /// What crossed a line so far, and how long at least one flow was on it.
  [[nodiscard]] Meter meter(std::size_t line, double now) const;

 private:
  // Bounds that add up to a line's capacity but for their last digits do not contend.
  static constexpr double last_digits = 1e-12;
  enum class Pace : std::uint8_t { still, own, first, second };  // own bound, or the level of a line
  static constexpr Pace governed_from(std::size_t side) { return side == 0 ? Pace::first : Pace::second; }
  struct Flow {
    double bytes = 0, bound = 0;
    double base = 0;   // own: moved at `since`; governed: the line's odometer when it arrives
    double since = 0;  // own
    std::uint32_t line[2] = {0, 0}, place[2] = {0, 0};
    std::uint32_t epoch = 0;  // counts changes of pace, over all uses of the number: what was foretold earlier is void
    Pace pace = Pace::still;
    // while filling
    Pace next_pace = Pace::still;
    double next_rate = 0;
    std::uint64_t filling = 0;  // which fixed its rate last
  };
  struct Member {
    double bound = 0;
    std::uint32_t flow = 0;
    std::uint32_t other = 0;  // the flow's other line
    std::uint8_t side = 0;    // 0: first
    Pace pace = Pace::still;  // the flow's
  };
  struct Mark {
    double odometer = 0;
    std::uint32_t flow = 0, epoch = 0;
    bool operator<(const Mark& other) const { return odometer > other.odometer; }  // the first on top of a heap
  };
  /// A line with at least one flow.
  struct Active {
    std::size_t index = 0;
    double capacity = 0;
    double bounds = 0;  // sum
    double level = 0, odometer = 0, since = 0;
    double busy_since = 0;
    std::vector<Member> members;
    std::vector<Mark> marks;  // heap of the governed
    std::uint32_t stamp = 0;  // counts what was foretold: only the last holds
    bool dirty = false;
    // while filling
    std::uint64_t region = 0;  // which it was in last
    double room = 0, next_level = 0;
    std::vector<Member> open;
    bool stale = false;
  };
  struct End {
    double time = 0;
    std::uint32_t id = 0, stamp = 0;
    enum class Of : std::uint8_t { flow, line } of = Of::flow;
    bool operator<(const End& other) const { return time > other.time; }
  };
  struct Level {
    double level = 0;
    std::uint32_t line = 0;
    bool operator<(const Level& other) const { return level != other.level ? level > other.level : line > other.line; }
  };

  std::uint32_t activate(Line line, double now);
  void release(std::uint32_t line, double now);
  void enter(std::uint32_t flow, std::size_t side, std::uint32_t line);
  void exit(std::uint32_t flow, std::size_t side, double bytes, double now);
  void judge(std::uint32_t line);
  [[nodiscard]] static double odometer(const Active& line, double now);
  void set_pace(std::uint32_t flow, Pace pace, double now);
  static void advance(Active& line, double now);
  void set_level(std::uint32_t line, double level, double now);
  void foretell(std::uint32_t line, double now);
  [[nodiscard]] bool holds(const End& end) const;
  void end_marks(std::uint32_t line, double now);
  // line_filling.cpp
  static double level_of(const std::vector<Member>& members, double room, double guess);
  [[nodiscard]] bool stands_alone(std::uint32_t line) const;
  void fill_alone(std::uint32_t line, double now);
  void fill_around(std::uint32_t root, double now);
  void fill_region();
  void fix(Active& line, double level);
  enum class Growth : std::uint8_t { changed, all };
  bool grow_region(Growth growth);
  template <class Wanted>
  void take_neighbours(std::uint32_t line, Wanted wanted);
  [[nodiscard]] double rate(const Flow& flow) const;

  Sharing sharing_;
  std::vector<std::uint32_t> active_of_;  // by line
  std::vector<Meter> meters_;             // by line: of flows that have left
  std::vector<Active> lines_;
  std::vector<char> contended_;  // beside lines_: asked for every flow of a hub at every event
  std::vector<std::uint32_t> free_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> dirty_, region_, ended_;
  std::vector<End> ends_;      // heap
  std::vector<Level> levels_;  // heap
  std::uint64_t region_number_ = 0, filling_ = 0;
};

}  // namespace orrery
