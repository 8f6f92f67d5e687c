#include "sim/engine/star_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/engine/heap.hpp"
#include "sim/engine/line_sharing.hpp"

namespace orrery {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr std::size_t up_of(DeviceId host) {
  return 2 * host.index();
}
constexpr std::size_t down_of(DeviceId host) {
  return 2 * host.index() + 1;
}

/// Numbered places that are used again; a handle of an earlier use is out of date.
template <class Item>
class Slots {
 public:
  StarNetwork::Handle take(Item item) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(places_.size()));
      places_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    places_[slot].item = std::move(item);
    places_[slot].used = true;
    return {slot, places_[slot].generation};
  }
  Item give_back(std::uint32_t slot) {
    places_[slot].used = false;
    ++places_[slot].generation;
    free_.push_back(slot);
    return std::move(places_[slot].item);
  }
  [[nodiscard]] bool holds(StarNetwork::Handle handle) const {
    return handle.slot < places_.size() && places_[handle.slot].used &&
           places_[handle.slot].generation == handle.generation;
  }
  Item& operator[](std::uint32_t slot) { return places_[slot].item; }
  [[nodiscard]] std::uint32_t generation(std::uint32_t slot) const { return places_[slot].generation; }

 private:
  struct Place {
    Item item;
    std::uint32_t generation = 0;
    bool used = false;
  };
  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;
};

}  // namespace

struct StarNetwork::Impl {
  struct Flow {
    DeviceId from, to;
    double bytes = 0;
    std::uint64_t order = 0;
    Action done;
    enum class State : std::uint8_t { waiting, moving, arrived } state = State::waiting;
  };
  struct Event {
    double time = 0;
    std::uint64_t order = 0;  // in which it was asked for
    Handle handle;
    enum class Of : std::uint8_t { timer, latency, arrival } of = Of::timer;
    bool operator<(const Event& other) const {  // the first on top of a heap
      return time != other.time ? time > other.time : order > other.order;
    }
  };

  Impl(std::vector<AccessLine> given, EngineKind engine)
      : lines(std::move(given)),
        sharing(2 * lines.size(),
                engine == EngineKind::flow ? LineSharing::Sharing::fair : LineSharing::Sharing::none) {
    for (const AccessLine& line : lines) {
      ORRERY_EXPECT(line.up.value() > 0.0 && std::isfinite(line.up.value()));
      ORRERY_EXPECT(line.down.value() > 0.0 && std::isfinite(line.down.value()));
      ORRERY_EXPECT(line.latency.value() >= 0.0 && std::isfinite(line.latency.value()));
    }
  }

  Handle start(Flow flow) {
    const double latency = (lines[flow.from.index()].latency + lines[flow.to.index()].latency).value();
    const std::uint64_t order = flow.order;
    const bool moves = flow.bytes > 0.0;
    const Handle handle = flows.take(std::move(flow));
    if (latency > 0.0 || !moves) {
      heap_push(events, Event{now + latency, order, handle, moves ? Event::Of::latency : Event::Of::arrival});
    } else {
      move(handle.slot);
    }
    return handle;
  }

  void move(std::uint32_t slot) {
    Flow& flow = flows[slot];
    flow.state = Flow::State::moving;
    sharing.join(slot, {up_of(flow.from), lines[flow.from.index()].up.value()},
                 {down_of(flow.to), lines[flow.to.index()].down.value()}, flow.bytes, now);
  }

  double moved(std::uint32_t slot) {
    const Flow& flow = flows[slot];
    if (flow.state == Flow::State::waiting) return 0.0;
    return flow.state == Flow::State::arrived ? flow.bytes : sharing.moved(slot, now);
  }

  [[nodiscard]] bool holds(const Event& event) const {
    return event.of == Event::Of::timer ? timers.holds(event.handle) : flows.holds(event.handle);
  }

  /// When something else than the arrival of a moving flow happens next.
  double next_event() {
    while (!events.empty() && !holds(events.front())) heap_pop(events);
    return events.empty() ? infinity : events.front().time;
  }

  void happen(const Event& event) {
    const std::uint32_t slot = event.handle.slot;
    switch (event.of) {
      case Event::Of::latency:
        move(slot);
        return;
      case Event::Of::timer:
        timers.give_back(slot)();
        return;
      case Event::Of::arrival:
        flows.give_back(slot).done();
        return;
    }
  }

  /// The clock goes on once nothing is left of an instant: all that starts and ends within it changes the rates once.
  void run() {
    stopped = false;
    while (!stopped) {
      if (next_event() <= now) {
        happen(heap_pop(events));
        continue;
      }
      sharing.settle(now);
      const double next = std::min(next_event(), sharing.next_end());
      if (next == infinity) return;
      now = next;
      for (const std::uint32_t slot : sharing.end_until(now)) {
        flows[slot].state = Flow::State::arrived;
        heap_push(events, Event{now, flows[slot].order, {slot, flows.generation(slot)}, Event::Of::arrival});
      }
    }
  }

  std::vector<AccessLine> lines;
  LineSharing sharing;
  Slots<Flow> flows;
  Slots<Action> timers;
  std::vector<Event> events;  // heap
  double now = 0.0;
  std::uint64_t asked = 0;
  std::uint64_t flows_started = 0;
  bool stopped = false;
};

StarNetwork::StarNetwork(std::vector<AccessLine> lines, EngineKind engine)
    : impl_(std::make_unique<Impl>(std::move(lines), engine)) {}

StarNetwork::~StarNetwork() = default;

StarNetwork::Handle StarNetwork::flow(DeviceId from, DeviceId to, Bytes bytes, Action done) {
  ORRERY_EXPECT(from.valid() && from.index() < hosts() && to.valid() && to.index() < hosts() && from != to);
  ORRERY_EXPECT(bytes.value() >= 0.0 && std::isfinite(bytes.value()));
  ++impl_->flows_started;
  return impl_->start({from, to, bytes.value(), impl_->asked++, std::move(done)});
}

Bytes StarNetwork::cancel_flow(Handle flow) {
  if (!impl_->flows.holds(flow)) return {};
  const double moved = impl_->moved(flow.slot);
  if (impl_->flows[flow.slot].state == Impl::Flow::State::moving) impl_->sharing.leave(flow.slot, impl_->now);
  impl_->flows.give_back(flow.slot);
  return Bytes(moved);
}

Bytes StarNetwork::arrived(Handle flow) const {
  return impl_->flows.holds(flow) ? Bytes(impl_->moved(flow.slot)) : Bytes();
}

StarNetwork::Handle StarNetwork::after(Seconds delay, Action action) {
  ORRERY_EXPECT(delay.value() >= 0.0);
  const Handle handle = impl_->timers.take(std::move(action));
  heap_push(impl_->events, Impl::Event{impl_->now + delay.value(), impl_->asked++, handle, Impl::Event::Of::timer});
  return handle;
}

void StarNetwork::cancel_timer(Handle timer) {
  if (impl_->timers.holds(timer)) impl_->timers.give_back(timer.slot);
}

void StarNetwork::run() {
  impl_->run();
}

void StarNetwork::stop() {
  impl_->stopped = true;
}

Seconds StarNetwork::now() const {
  return Seconds(impl_->now);
}

const AccessLine& StarNetwork::line(DeviceId host) const {
  return impl_->lines[host.index()];
}

LineUse StarNetwork::use(DeviceId host) const {
  const LineSharing::Meter up = impl_->sharing.meter(up_of(host), impl_->now);
  const LineSharing::Meter down = impl_->sharing.meter(down_of(host), impl_->now);
  return {Bytes(up.bytes), Bytes(down.bytes), Seconds(up.busy), Seconds(down.busy)};
}

std::size_t StarNetwork::hosts() const {
  return impl_->lines.size();
}

std::uint64_t StarNetwork::flows_started() const {
  return impl_->flows_started;
}

}  // namespace orrery
