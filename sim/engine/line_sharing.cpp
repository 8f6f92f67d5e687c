#include "sim/engine/line_sharing.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/contract.hpp"
#include "sim/engine/heap.hpp"

namespace orrery {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t nothing = 0xffffffffU;
// Of the clock: what moves in less time cannot be told from what has moved.
constexpr double clock_digits = 1e-15;

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
    heap_push(ends_, End{now + left / changed.bound, flow, changed.epoch, End::Of::flow});
  } else {
    Active& governor = lines_[changed.line[pace == Pace::first ? 0 : 1]];
    changed.base = odometer(governor, now) + left;
    heap_push(governor.marks, Mark{changed.base, flow, changed.epoch});
  }
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
  while (!told.marks.empty() && flows_[told.marks.front().flow].epoch != told.marks.front().epoch) heap_pop(told.marks);
  if (told.marks.empty()) {
    told.level = told.odometer = 0.0;
    return;
  }
  const double left = std::max(0.0, told.marks.front().odometer - told.odometer);
  heap_push(ends_, End{now + left / told.level, line, told.stamp, End::Of::line});
}

bool LineSharing::holds(const End& end) const {
  return end.stamp == (end.of == End::Of::flow ? flows_[end.id].epoch : lines_[end.id].stamp);
}

double LineSharing::next_end() {
  while (!ends_.empty() && !holds(ends_.front())) heap_pop(ends_);
  return ends_.empty() ? infinity : ends_.front().time;
}

const std::vector<std::uint32_t>& LineSharing::end_until(double now) {
  ended_.clear();
  while (next_end() <= now) {
    const End end = heap_pop(ends_);
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
    heap_pop(ending.marks);
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
