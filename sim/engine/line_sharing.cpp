#include "sim/engine/line_sharing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t nothing = 0xffffffffU;
// Bounds that add up to a line's capacity but for their last digits do not contend.
constexpr double last_digits = 1e-12;
// Of the clock: what moves in less time cannot be told from what has moved.
constexpr double clock_digits = 1e-15;

// A change that still spreads after so many fillings will reach most of what is connected: then all of it is filled.
constexpr int patience = 16;

template <class Item>
void push(std::vector<Item>& heap, Item item) {
  heap.push_back(item);
  std::push_heap(heap.begin(), heap.end());
}

template <class Item>
Item pop(std::vector<Item>& heap) {
  std::pop_heap(heap.begin(), heap.end());
  const Item item = heap.back();
  heap.pop_back();
  return item;
}

/// The level at which the members fill the room: sum of min(bound, level) = room; infinity when all their bounds fit.
/// Newton's method, which ends exactly: the sum is concave and piecewise linear in the level, so that from the second
/// step on the level only rises, from piece to piece.
template <class Members>
double level_of(const Members& members, double room, double guess) {
  double level = guess;
  for (int step = 0;; ++step) {
    double below = 0.0;
    std::size_t above = 0;
    for (const auto& member : members) {
      const bool over = member.bound > level;
      below += over ? 0.0 : member.bound;
      above += over ? 1 : 0;
    }
    if (above == 0 && below <= room * (1.0 + last_digits)) return infinity;
    if (above == 0 && step > 0) return level;  // the last digits of the sum alone stand against it
    const double next =
        above == 0 ? room / static_cast<double>(members.size()) : (room - below) / static_cast<double>(above);
    if (next == level || (step > 0 && next < level && above > 0)) return level;
    level = next;
  }
}

}  // namespace

LineSharing::LineSharing(std::size_t lines, Sharing sharing)
    : sharing_(sharing), active_of_(lines, nothing), meters_(lines) {}

std::uint32_t LineSharing::activate(Line line, double now) {
  std::uint32_t& active = active_of_[line.index];
  if (active != nothing) return active;
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(lines_.size()));
    lines_.emplace_back();
    contended_.push_back(0);
  }
  active = free_.back();
  free_.pop_back();
  Active& fresh = lines_[active];
  fresh.index = line.index;
  fresh.capacity = line.capacity;
  fresh.busy_since = now;
  return active;
}

void LineSharing::release(std::uint32_t line, double now) {
  Active& idle = lines_[line];
  meters_[idle.index].busy += now - idle.busy_since;
  active_of_[idle.index] = nothing;
  ++idle.stamp;
  idle.bounds = idle.level = idle.odometer = 0.0;
  idle.marks.clear();
  idle.dirty = false;
  contended_[line] = 0;
  free_.push_back(line);
}

/// After a change of its members: is it contended, and are there rates to be set?
void LineSharing::judge(std::uint32_t line) {
  Active& judged = lines_[line];
  const bool was = contended_[line] != 0;
  const bool is = sharing_ == Sharing::fair && judged.bounds > judged.capacity * (1.0 + last_digits);
  contended_[line] = is ? 1 : 0;
  if (!(was || is) || judged.dirty) return;
  judged.dirty = true;
  dirty_.push_back(line);
}

void LineSharing::enter(std::uint32_t flow, std::size_t side, std::uint32_t line) {
  Active& entered = lines_[line];
  Flow& entering = flows_[flow];
  entering.place[side] = static_cast<std::uint32_t>(entered.members.size());
  entered.members.push_back(
      {entering.bound, flow, entering.line[1 - side], static_cast<std::uint8_t>(side), entering.pace});
  entered.bounds += entering.bound;
  judge(line);
}

void LineSharing::join(std::uint32_t flow, Line first, Line second, double bytes, double now) {
  ORRERY_EXPECT(first.index != second.index && bytes > 0.0);
  if (flows_.size() <= flow) flows_.resize(flow + 1);
  Flow& joining = flows_[flow];
  joining.bytes = bytes;
  joining.bound = std::min(first.capacity, second.capacity);
  joining.base = 0.0;
  joining.pace = Pace::still;
  joining.line[0] = activate(first, now);
  joining.line[1] = activate(second, now);
  for (const std::size_t side : {0, 1}) enter(flow, side, joining.line[side]);
  if (!contended_[joining.line[0]] && !contended_[joining.line[1]]) set_pace(flow, Pace::own, now);
}

void LineSharing::exit(std::uint32_t flow, std::size_t side, double bytes, double now) {
  const std::uint32_t line = flows_[flow].line[side], place = flows_[flow].place[side];
  Active& left = lines_[line];
  meters_[left.index].bytes += bytes;
  left.bounds -= left.members[place].bound;
  left.members[place] = left.members.back();
  flows_[left.members[place].flow].place[left.members[place].side] = place;
  left.members.pop_back();
  left.members.empty() ? release(line, now) : judge(line);
}

double LineSharing::leave(std::uint32_t flow, double now) {
  const double bytes = moved(flow, now);
  ++flows_[flow].epoch;
  for (const std::size_t side : {0, 1}) exit(flow, side, bytes, now);
  return bytes;
}

double LineSharing::odometer(const Active& line, double now) {
  return line.odometer + line.level * (now - line.since);
}

double LineSharing::moved(std::uint32_t flow, double now) const {
  const Flow& asked = flows_[flow];
  switch (asked.pace) {
    case Pace::still:
      return asked.base;
    case Pace::own:
      return std::min(asked.bytes, asked.base + asked.bound * (now - asked.since));
    default:
      break;
  }
  const Active& governor = lines_[asked.line[asked.pace == Pace::first ? 0 : 1]];
  return std::clamp(asked.bytes - (asked.base - odometer(governor, now)), 0.0, asked.bytes);
}

void LineSharing::set_pace(std::uint32_t flow, Pace pace, double now) {
  Flow& changed = flows_[flow];
  const double left = changed.bytes - moved(flow, now);
  changed.pace = pace;
  ++changed.epoch;
  for (const std::size_t side : {0, 1}) lines_[changed.line[side]].members[changed.place[side]].pace = pace;
  if (pace == Pace::own) {
    changed.base = changed.bytes - left;
    changed.since = now;
    push(ends_, End{now + left / changed.bound, flow, changed.epoch, End::Of::flow});
  } else {
    Active& governor = lines_[changed.line[pace == Pace::first ? 0 : 1]];
    changed.base = odometer(governor, now) + left;
    push(governor.marks, Mark{changed.base, flow, changed.epoch});
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
    push(levels_, Level{level_of(filled.open, filled.room, filled.level), line});
  }
  double least = 0.0;  // rounding must not take a level below one that was fixed before
  while (!levels_.empty()) {
    const Level lowest = pop(levels_);
    Active& line = lines_[lowest.line];
    if (line.stale) {
      line.stale = false;
      std::erase_if(line.open, [this](const Member& member) { return flows_[member.flow].filling == filling_; });
      push(levels_, Level{std::max(least, level_of(line.open, line.room, least)), lowest.line});
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

void LineSharing::advance(Active& line, double now) {
  line.odometer = odometer(line, now);
  line.since = now;
}

void LineSharing::set_level(std::uint32_t line, double level, double now) {
  lines_[line].level = level;
  lines_[line].dirty = false;
  foretell(line, now);
}

/// When the first of those that a line governs will arrive.
void LineSharing::foretell(std::uint32_t line, double now) {
  Active& told = lines_[line];
  ++told.stamp;
  while (!told.marks.empty() && flows_[told.marks.front().flow].epoch != told.marks.front().epoch) pop(told.marks);
  if (told.marks.empty()) {
    told.level = told.odometer = 0.0;
    return;
  }
  const double left = std::max(0.0, told.marks.front().odometer - told.odometer);
  push(ends_, End{now + left / told.level, line, told.stamp, End::Of::line});
}

bool LineSharing::holds(const End& end) const {
  return end.stamp == (end.of == End::Of::flow ? flows_[end.id].epoch : lines_[end.id].stamp);
}

double LineSharing::next_end() {
  while (!ends_.empty() && !holds(ends_.front())) pop(ends_);
  return ends_.empty() ? infinity : ends_.front().time;
}

const std::vector<std::uint32_t>& LineSharing::end_until(double now) {
  ended_.clear();
  while (next_end() <= now) {
    const End end = pop(ends_);
    if (end.of == End::Of::line) {
      end_marks(end.id, now);
    } else {
      ended_.push_back(end.id);
    }
  }
  for (const std::uint32_t flow : ended_) {
    Flow& arrived = flows_[flow];
    arrived.base = arrived.bytes;  // whatever the last digits of the clock say
    arrived.pace = Pace::still;
    leave(flow, now);
  }
  return ended_;
}

/// The first that the line governs arrives, and all that would within the last digits of the clock.
void LineSharing::end_marks(std::uint32_t line, double now) {
  Active& ending = lines_[line];
  const double reached =
      std::max(ending.marks.front().odometer, odometer(ending, now)) + ending.level * now * clock_digits;
  while (!ending.marks.empty()) {
    const Mark mark = ending.marks.front();
    const bool valid = flows_[mark.flow].epoch == mark.epoch;
    if (valid && mark.odometer > reached + last_digits * flows_[mark.flow].bytes) break;
    pop(ending.marks);
    if (valid) ended_.push_back(mark.flow);
  }
  advance(ending, now);
  foretell(line, now);
}

LineSharing::Meter LineSharing::meter(std::size_t line, double now) const {
  Meter meter = meters_[line];
  if (active_of_[line] == nothing) return meter;
  const Active& active = lines_[active_of_[line]];
  for (const Member& member : active.members) meter.bytes += moved(member.flow, now);
  meter.busy += now - active.busy_since;
  return meter;
}

}  // namespace orrery
