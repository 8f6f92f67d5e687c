// Like on-off, but clients come back more often at some hours than at others, so that the chance to be online follows
//   p(t) = share (1 + amplitude cos(2 pi (t + zone - peak) / day)), cut to [0, 1].
// Times online stay exponential with mean 1 / m = mean_online. A client that is offline comes back with the rate
//   c(t) = (p'(t) + m p(t)) / (1 - p(t)),
// because then the balance p' = c (1 - p) - m p of the two states (Kolmogorov's forward equation) is p(t) itself. Where
// that is negative the chance falls as fast as clients leave and no faster (c = 0); where p comes near 1, clients stay
// away for a second in the mean (c = 1/s). c is taken as constant over each quarter of an hour (its value in the
// middle); a time offline ends when the integral of c has grown by a draw of the exponential law of mean 1.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include "sim/base/contract.hpp"
#include "topologies/availability_laws.hpp"

namespace orrery {
namespace {

constexpr double day = 86400.0, hour = 3600.0;
constexpr std::size_t slots = 96;
constexpr double slot_time = day / slots;

class Diurnal final : public TurnTaking {
 public:
  Diurnal(const AvailabilitySpec& spec, const LawClients& clients)
      : TurnTaking(clients),
        mean_online_(spec.mean_online.value()),
        share_(mean_online_ / (mean_online_ + spec.mean_offline.value())),
        amplitude_(spec.amplitude),
        peak_(spec.peak.value()),
        zones_(spec.zones) {
    ORRERY_EXPECT(mean_online_ > 0.0 && spec.mean_offline.value() > 0.0 && amplitude_ >= 0.0);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      rates_[slot] = rate((static_cast<double>(slot) + 0.5) * slot_time);
      over_a_day_ += rates_[slot] * slot_time;
    }
  }

 protected:
  double zone(std::size_t client) const override {
    if (zones_.empty()) return 0.0;
    return zones_[Random::derived(clients().seed, "time zone", client).below(zones_.size())];
  }
  double first_share(double zone) const override { return std::clamp(wanted(zone * hour), 0.0, 1.0); }
  double online_time(double exponential) const override { return mean_online_ * exponential; }
  double offline_time(double exponential, double begin, double zone) const override;

 private:
  [[nodiscard]] double angle(double local) const { return 2.0 * std::numbers::pi * (local - peak_) / day; }
  [[nodiscard]] double wanted(double local) const { return share_ * (1.0 + amplitude_ * std::cos(angle(local))); }
  [[nodiscard]] double rate(double local) const;

  double mean_online_, share_, amplitude_, peak_;
  std::vector<double> zones_;
  std::array<double, slots> rates_{};
  double over_a_day_ = 0.0;
};

double Diurnal::rate(double local) const {
  const double chance = wanted(local);
  if (chance <= 0.0) return 0.0;
  if (chance >= 1.0) return 1.0;
  const double rising = -share_ * amplitude_ * std::sin(angle(local)) * 2.0 * std::numbers::pi / day;
  return std::clamp((rising + chance / mean_online_) / (1.0 - chance), 0.0, 1.0);
}

double Diurnal::offline_time(double exponential, double begin, double zone) const {
  if (over_a_day_ <= 0.0) return std::numeric_limits<double>::infinity();
  const double days = std::floor(exponential / over_a_day_);
  double left = exponential - days * over_a_day_;
  double time = days * day;
  double local = std::fmod(begin + zone * hour, day);
  if (local < 0.0) local += day;
  auto slot = std::min(static_cast<std::size_t>(local / slot_time), slots - 1);
  double of_slot = std::max(0.0, static_cast<double>(slot + 1) * slot_time - local);
  for (std::size_t passed = 0; passed <= slots; ++passed) {  // what is left ends within a day
    const double rate = rates_[slot];
    if (rate * of_slot >= left && rate > 0.0) return time + left / rate;
    left -= rate * of_slot;
    time += of_slot;
    slot = (slot + 1) % slots;
    of_slot = slot_time;
  }
  return time;  // but for the last digits
}

}  // namespace

std::unique_ptr<Availability> make_diurnal(const AvailabilitySpec& spec, const LawClients& clients) {
  return std::make_unique<Diurnal>(spec, clients);
}

}  // namespace orrery
