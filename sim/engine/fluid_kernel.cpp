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

FluidKernel::FluidKernel(const Platform& platform)
    : platform_(checked(platform)),
      meters_(platform.links.size()),
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
  entry.state = State::moving;
  const Ticket ticket{slot, entry.use};
  if (work.value() > 0.0) {
    start_work(ticket, host, work);
  } else {
    after(Seconds(), [this, ticket] { work_ended(ticket); });
  }
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
  const bool moves = bytes.value() > 0.0 && !way.links.empty();
  const Seconds wait = way.latency * hops + (moves ? correction(bytes, way) : Seconds());
  if (wait.value() > 0.0 || !moves) {
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
  entry.state = State::moving;
  meter_start(*entry.route);
  start_transfer(ticket, entry.from, entry.to, entry.bytes, *entry.route);
}

void FluidKernel::transfer_ended(Ticket ticket) {
  if (flows_[ticket.slot].use == ticket.use) end_flow(ticket.slot, Outcome::done);
}

void FluidKernel::work_ended(Ticket ticket) {
  if (works_[ticket.slot].use == ticket.use) end_work(ticket.slot, Outcome::done);
}

void FluidKernel::end_flow(std::uint32_t slot, Outcome outcome) {
  Flow& entry = flows_[slot];
  // A flow that was cut counts its time but no bytes: how far it came is not known.
  if (entry.state == State::moving) meter_stop(*entry.route, outcome == Outcome::done ? entry.bytes : Bytes());
  entry.state = State::free;
  ++entry.use;
  const Done done = std::move(entry.done);
  entry.done = nullptr;
  free_flows_.push_back(slot);
  done(outcome);  // last: it may start other flows and move the slots
}

void FluidKernel::end_work(std::uint32_t slot, Outcome outcome) {
  Work& entry = works_[slot];
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
