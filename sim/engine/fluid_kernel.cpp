#include "sim/engine/fluid_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/text.hpp"

namespace orrery {

namespace {

const Platform& checked(const Platform& platform) {
  const std::vector<std::string> reasons = check(platform);
  if (!reasons.empty()) throw std::runtime_error("the platform cannot be simulated: " + join(reasons, "; "));
  return platform;
}

/// A slot that is free, in `slots`, marked as taken.
template <class Slot>
std::uint32_t take_slot(std::vector<Slot>& slots, std::vector<std::uint32_t>& free) {
  if (free.empty()) {
    slots.emplace_back();
    return static_cast<std::uint32_t>(slots.size() - 1);
  }
  const std::uint32_t slot = free.back();
  free.pop_back();
  return slot;
}

}  // namespace

FluidKernel::FluidKernel(const Platform& platform, Sharing sharing)
    : platform_(checked(platform)),
      sharing_(sharing),
      meters_(platform.links.size()),
      processors_(platform.hosts.size()),
      host_failed_(platform.hosts.size(), 0),
      link_failed_(platform.links.size(), 0) {}

const Route& FluidKernel::route_of(DeviceId from, DeviceId to) {
  const std::uint64_t key = (static_cast<std::uint64_t>(from.index()) << 32) | to.index();
  const auto found = routes_.find(key);
  if (found != routes_.end()) return found->second;
  return routes_.emplace(key, route(platform_, from, to)).first->second;
}

bool FluidKernel::is_broken(DeviceId from, DeviceId to, const Route& route) const {
  return host_failed_[from.index()] || host_failed_[to.index()] ||
         std::any_of(route.links.begin(), route.links.end(), [&](LinkId id) { return link_failed_[id.index()]; });
}

void FluidKernel::compute(DeviceId host, Seconds work, Done done) {
  ORRERY_EXPECT(host.valid() && host.index() < platform_.hosts.size() && work.value() >= 0.0);
  if (host_failed_[host.index()]) {
    after(Seconds(), [done = std::move(done)] { done(Outcome::failed); });
    return;
  }
  const std::uint32_t slot = take_slot(works_, free_works_);
  Work& entry = works_[slot];
  entry.host = host;
  entry.done = std::move(done);
  const Ticket ticket{slot, entry.use};
  Processor& processor = processors_[host.index()];
  if (++processor.active == 1 || sharing_ == Sharing::none) {
    work_alone(ticket, work);
    return;
  }
  entry.state = State::shared;
  share_work(processor);
  start_work(ticket, host, work);
}

void FluidKernel::work_alone(Ticket ticket, Seconds work) {
  Work& entry = works_[ticket.slot];
  entry.state = State::alone;
  entry.end = now().value() + work.value();
  processors_[entry.host.index()].alone = static_cast<std::int32_t>(ticket.slot);
  after(work, [this, ticket] {
    const Work& ended = works_[ticket.slot];
    if (ended.use == ticket.use && ended.state == State::alone) end_work(ticket.slot, Outcome::done);
  });
}

/// The work that had the host for itself goes on beside others.
void FluidKernel::share_work(Processor& processor) {
  if (processor.alone == nobody) return;
  const auto slot = static_cast<std::uint32_t>(processor.alone);
  Work& entry = works_[slot];
  processor.alone = nobody;
  const double left = entry.end - now().value();
  if (left <= 0.0) return;  // its end is an event of this very moment
  entry.state = State::shared;
  start_work({slot, entry.use}, entry.host, Seconds(left));
}

void FluidKernel::flow(DeviceId from, DeviceId to, Bytes bytes, Done done) {
  flow(from, to, bytes, 1.0, std::move(done));
}

void FluidKernel::flow(DeviceId from, DeviceId to, Bytes bytes, double hops, Done done) {
  ORRERY_EXPECT(from.valid() && from.index() < platform_.hosts.size());
  ORRERY_EXPECT(to.valid() && to.index() < platform_.hosts.size());
  ORRERY_EXPECT(bytes.value() >= 0.0 && std::isfinite(bytes.value()) && hops >= 0.0);
  const Route& way = route_of(from, to);
  ++flows_started_;
  if (is_broken(from, to, way)) {
    after(Seconds(), [done = std::move(done)] { done(Outcome::failed); });
    return;
  }
  const std::uint32_t slot = take_slot(flows_, free_flows_);
  Flow& entry = flows_[slot];
  entry.from = from;
  entry.to = to;
  entry.bytes = bytes;
  entry.route = &way;
  entry.done = std::move(done);
  entry.state = State::waiting;
  const Ticket ticket{slot, entry.use};
  const Seconds wait = way.latency * hops;
  if (wait.value() > 0.0 || bytes.value() <= 0.0 || way.links.empty()) {
    after(wait, [this, ticket] { latency_passed(ticket); });
  } else {
    latency_passed(ticket);
  }
}

void FluidKernel::latency_passed(Ticket ticket) {
  Flow& entry = flows_[ticket.slot];
  if (entry.use != ticket.use) return;
  if (entry.bytes.value() <= 0.0 || entry.route->links.empty()) {
    end_flow(ticket.slot, Outcome::done);
    return;
  }
  meter_start(*entry.route);
  if (sharing_ == Sharing::none || !crowd_in(*entry.route)) {
    move_alone(ticket);
  } else {
    entry.state = State::shared;
    start_transfer(ticket, entry.from, entry.to, entry.bytes);
  }
}

/// True when others are on the route already; those that had their links for themselves now share them.
bool FluidKernel::crowd_in(const Route& route) {
  bool crowded = false;
  for (const LinkId id : route.links) {
    const Meter& meter = meters_[id.index()];
    crowded = crowded || meter.active > 1;
    if (meter.alone != nobody) share_flow(static_cast<std::uint32_t>(meter.alone));
  }
  return crowded;
}

void FluidKernel::move_alone(Ticket ticket) {
  Flow& entry = flows_[ticket.slot];
  const Seconds duration = entry.bytes / entry.route->bandwidth;
  entry.state = State::alone;
  entry.end = now().value() + duration.value();
  for (const LinkId id : entry.route->links) meters_[id.index()].alone = static_cast<std::int32_t>(ticket.slot);
  after(duration, [this, ticket] {
    const Flow& ended = flows_[ticket.slot];
    if (ended.use == ticket.use && ended.state == State::alone) end_flow(ticket.slot, Outcome::done);
  });
}

/// The flow that had its links for itself goes on beside others.
void FluidKernel::share_flow(std::uint32_t slot) {
  Flow& entry = flows_[slot];
  leave_links(entry);
  const Seconds left = Seconds(entry.end) - now();
  if (left.value() <= 0.0) return;  // its end is an event of this very moment
  entry.state = State::shared;
  start_transfer({slot, entry.use}, entry.from, entry.to, entry.route->bandwidth * left);
}

void FluidKernel::leave_links(const Flow& flow) {
  for (const LinkId id : flow.route->links) meters_[id.index()].alone = nobody;
}

void FluidKernel::transfer_ended(Ticket ticket) {
  if (flows_[ticket.slot].use == ticket.use) end_flow(ticket.slot, Outcome::done);
}

void FluidKernel::work_ended(Ticket ticket) {
  if (works_[ticket.slot].use == ticket.use) end_work(ticket.slot, Outcome::done);
}

void FluidKernel::end_flow(std::uint32_t slot, Outcome outcome) {
  Flow& entry = flows_[slot];
  if (entry.state == State::alone && sharing_ == Sharing::fair) leave_links(entry);
  // A flow that was cut counts its time but no bytes: how far it came is not known.
  if (entry.state != State::waiting) meter_stop(*entry.route, outcome == Outcome::done ? entry.bytes : Bytes());
  entry.state = State::free;
  ++entry.use;
  const Done done = std::move(entry.done);
  entry.done = nullptr;
  free_flows_.push_back(slot);
  done(outcome);  // last: it may start other flows and move the slots
}

void FluidKernel::end_work(std::uint32_t slot, Outcome outcome) {
  Work& entry = works_[slot];
  Processor& processor = processors_[entry.host.index()];
  --processor.active;
  if (processor.alone == static_cast<std::int32_t>(slot)) processor.alone = nobody;
  entry.state = State::free;
  ++entry.use;
  const Done done = std::move(entry.done);
  entry.done = nullptr;
  free_works_.push_back(slot);
  done(outcome);
}

void FluidKernel::fail(DeviceId host) {
  ORRERY_EXPECT(host.valid() && host.index() < platform_.hosts.size());
  if (host_failed_[host.index()]) return;
  host_failed_[host.index()] = 1;
  fail_broken();
  turn_off(host);
}

void FluidKernel::fail(LinkId link) {
  ORRERY_EXPECT(link.valid() && link.index() < platform_.links.size());
  if (link_failed_[link.index()]) return;
  link_failed_[link.index()] = 1;
  fail_broken();
  turn_off(link);
}

/// Answers all that has just been broken. Slots that answers take anew are of no concern: nothing broken can start.
void FluidKernel::fail_broken() {
  for (std::uint32_t slot = 0; slot < flows_.size(); ++slot) {
    const Flow& entry = flows_[slot];
    if (entry.state != State::free && is_broken(entry.from, entry.to, *entry.route)) end_flow(slot, Outcome::failed);
  }
  for (std::uint32_t slot = 0; slot < works_.size(); ++slot) {
    const Work& entry = works_[slot];
    if (entry.state != State::free && host_failed_[entry.host.index()]) end_work(slot, Outcome::failed);
  }
}

void FluidKernel::meter_start(const Route& route) {
  const double time = now().value();
  for (const LinkId id : route.links) {
    Meter& meter = meters_[id.index()];
    if (meter.active++ == 0) meter.busy_since = time;
  }
}

void FluidKernel::meter_stop(const Route& route, Bytes bytes) {
  const double time = now().value();
  for (const LinkId id : route.links) {
    Meter& meter = meters_[id.index()];
    meter.bytes += bytes.value();
    if (--meter.active == 0) meter.busy += time - meter.busy_since;
  }
}

std::vector<LinkUse> FluidKernel::link_use() const {
  std::vector<LinkUse> use;
  use.reserve(meters_.size());
  for (std::size_t i = 0; i < meters_.size(); ++i) {
    const Meter& meter = meters_[i];
    const double busy = meter.busy + (meter.active > 0 ? now().value() - meter.busy_since : 0.0);
    use.push_back({LinkId(i), Bytes(meter.bytes), Seconds(busy)});
  }
  return use;
}

}  // namespace orrery
