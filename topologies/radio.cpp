#include "topologies/radio.hpp"

#include <algorithm>

namespace orrery {
namespace {

constexpr double joules_per_byte(double nJ_per_bit) {
  return 8e-9 * nJ_per_bit;
}

Joules moving_energy(const Radio& radio, const RadioBurst& burst) {
  const Joules by_bytes(joules_per_byte(radio.down_nJ_per_bit) * burst.down.value() +
                        joules_per_byte(radio.up_nJ_per_bit) * burst.up.value());
  const Joules drawn = radio.base * burst.active + by_bytes;
  return radio.maximum.value() > 0 ? std::min(drawn, radio.maximum * burst.active) : drawn;
}

Joules tail_energy(const Radio& radio, Seconds quiet_after) {
  if (quiet_after >= radio.tail_time) return radio.tail;
  return radio.tail * (quiet_after / radio.tail_time);
}

}  // namespace

Joules radio_energy(const Link& link, const RadioBurst& burst) {
  if (!link.radio) return link.client_active * burst.active;
  if (burst.active.value() <= 0 && (burst.down + burst.up).value() <= 0) return {};
  return moving_energy(*link.radio, burst) + tail_energy(*link.radio, burst.quiet_after);
}

}  // namespace orrery
