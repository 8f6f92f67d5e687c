// How fast everybody moves: the levels of the contended lines, found by progressive filling.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/engine/heap.hpp"
#include "sim/engine/line_sharing.hpp"

namespace orrery {
namespace {

// A change that still spreads after so many fillings will reach most of what is connected: then all of it is filled.
constexpr int patience = 16;

}  // namespace

/// The level at which the members fill the room: sum of min(bound, level) = room; infinity when all their bounds fit.
/// Newton's method, which ends exactly: the sum is concave and piecewise linear in the level, so that from the second
/// step on the level only rises, from piece to piece.
double LineSharing::level_of(const std::vector<Member>& members, double room, double guess) {
  double level = guess;
  for (int step = 0;; ++step) {
    double below = 0.0;
    std::size_t above = 0;
    for (const Member& member : members) {
      const bool over = member.bound > level;
      below += over ? 0.0 : member.bound;
      above += over ? 1 : 0;
    }
    if (above == 0 && below <= room * (1.0 + last_digits)) return std::numeric_limits<double>::infinity();
    if (above == 0 && step > 0) return level;  // the last digits of the sum alone stand against it
    const double next =
        above == 0 ? room / static_cast<double>(members.size()) : (room - below) / static_cast<double>(above);
    if (next == level || (step > 0 && next < level && above > 0)) return level;
    level = next;
  }
}

void LineSharing::settle(double now) {
  // NOLINTNEXTLINE(modernize-loop-convert): the list grows while it is walked
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    const std::uint32_t line = dirty_[i];
    if (!lines_[line].dirty) continue;  // settled with another, or empty by now
    stands_alone(line) ? fill_alone(line, now) : fill_around(line, now);
  }
  dirty_.clear();
}

/// No flow of the line crosses another contended line, nor one that governs it still.
bool LineSharing::stands_alone(std::uint32_t line) const {
  const std::vector<Member>& members = lines_[line].members;
  return std::none_of(members.begin(), members.end(), [this](const Member& member) {
    return contended_[member.other] || member.pace == governed_from(1 - member.side);
  });
}

void LineSharing::fill_alone(std::uint32_t line, double now) {
  Active& filled = lines_[line];
  advance(filled, now);
  const double level = level_of(filled.members, filled.capacity, filled.level);
  for (const Member& member : filled.members) {
    const Pace pace = member.bound > level ? governed_from(member.side) : Pace::own;
    if (pace != member.pace) set_pace(member.flow, pace, now);
  }
  set_level(line, level, now);
}

/// Fills the line and as many others as its changes reach: a line that is left out has kept the rates of all its flows,
/// and so stays as it was.
void LineSharing::fill_around(std::uint32_t root, double now) {
  ++region_number_;
  region_.assign(1, root);
  lines_[root].region = region_number_;
  for (std::size_t i = 0; i < region_.size(); ++i) {  // NOLINT(modernize-loop-convert): likewise
    take_neighbours(region_[i], [this](const Member& member) { return lines_[member.other].dirty; });
  }
  fill_region();
  for (int times = 0; grow_region(times < patience ? Growth::changed : Growth::all); ++times) fill_region();
  for (const std::uint32_t line : region_) advance(lines_[line], now);
  for (const std::uint32_t line : region_) {
    for (const Member& member : lines_[line].members) {
      const Pace pace = flows_[member.flow].next_pace;
      if (pace != member.pace) set_pace(member.flow, pace, now);
    }
    set_level(line, lines_[line].next_level, now);
  }
}

/// Progressive filling: the line with the lowest level fixes the rates of its flows, which leaves room on the others.
/// Their levels rise by that, so a level that was found before is never too high. A line outside the region caps the
/// flows that it governs at its level.
void LineSharing::fill_region() {
  ++filling_;
  levels_.clear();
  for (const std::uint32_t line : region_) {
    Active& filled = lines_[line];
    filled.room = filled.capacity;
    filled.stale = false;
    filled.open = filled.members;
    for (Member& member : filled.open) {
      const Active& other = lines_[member.other];
      if (other.region != region_number_ && member.pace == governed_from(1 - member.side)) member.bound = other.level;
    }
    heap_push(levels_, Level{level_of(filled.open, filled.room, filled.level), line});
  }
  double least = 0.0;  // rounding must not take a level below one that was fixed before
  while (!levels_.empty()) {
    const Level lowest = heap_pop(levels_);
    Active& line = lines_[lowest.line];
    if (line.stale) {
      line.stale = false;
      std::erase_if(line.open, [this](const Member& member) { return flows_[member.flow].filling == filling_; });
      heap_push(levels_, Level{std::max(least, level_of(line.open, line.room, least)), lowest.line});
      continue;
    }
    least = lowest.level;
    fix(line, lowest.level);
  }
}

/// What is left open on the line moves at the level, or at its own bound below it; others have that much less room.
void LineSharing::fix(Active& line, double level) {
  line.next_level = level;
  for (const Member& member : line.open) {
    Flow& flow = flows_[member.flow];
    flow.filling = filling_;
    flow.next_rate = std::min(member.bound, level);
    Active& other = lines_[member.other];
    const bool inside = other.region == region_number_;
    if (member.bound > level) {
      flow.next_pace = governed_from(member.side);
    } else {  // the other line governs it as before, or nobody
      const bool capped = !inside && member.pace == governed_from(1 - member.side);
      flow.next_pace = capped ? member.pace : Pace::own;
    }
    if (!inside) continue;
    other.room -= flow.next_rate;
    other.stale = true;
  }
}

template <class Wanted>
void LineSharing::take_neighbours(std::uint32_t line, Wanted wanted) {
  for (const Member& member : lines_[line].members) {
    Active& other = lines_[member.other];
    if (!contended_[member.other] || other.region == region_number_ || !wanted(member)) continue;
    other.region = region_number_;
    region_.push_back(member.other);
  }
}

/// Takes in contended lines: those where a flow's rate would change, or all that flows connect.
bool LineSharing::grow_region(Growth growth) {
  const std::size_t before = region_.size();
  const auto changes = [&](const Member& member) {
    const double old_rate = rate(flows_[member.flow]);
    return growth == Growth::all || std::abs(flows_[member.flow].next_rate - old_rate) > last_digits * old_rate;
  };
  for (std::size_t i = 0; i < (growth == Growth::all ? region_.size() : before); ++i)
    take_neighbours(region_[i], changes);
  return region_.size() > before;
}

double LineSharing::rate(const Flow& flow) const {
  if (flow.pace == Pace::still) return 0.0;
  if (flow.pace == Pace::own) return flow.bound;
  return lines_[flow.line[flow.pace == Pace::first ? 0 : 1]].level;
}

}  // namespace orrery
