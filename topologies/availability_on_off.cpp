// A two-state Markov chain in continuous time: times online and offline are exponential with the given means. The
// chance to be online is mean_online / (mean_online + mean_offline) at every instant, because a client starts in that
// state; what is left of its first time is exponential too (the law has no memory).
#include "sim/base/contract.hpp"
#include "topologies/availability_laws.hpp"

namespace orrery {
namespace {

class OnOff final : public TurnTaking {
 public:
  OnOff(const AvailabilitySpec& spec, const LawClients& clients)
      : TurnTaking(clients), mean_online_(spec.mean_online.value()), mean_offline_(spec.mean_offline.value()) {
    ORRERY_EXPECT(mean_online_ > 0.0 && mean_offline_ > 0.0);
  }

 protected:
  double zone(std::size_t) const override { return 0.0; }
  double first_share(double) const override { return mean_online_ / (mean_online_ + mean_offline_); }
  double online_time(double exponential) const override { return mean_online_ * exponential; }
  double offline_time(double exponential, double, double) const override { return mean_offline_ * exponential; }

 private:
  double mean_online_, mean_offline_;
};

}  // namespace

std::unique_ptr<Availability> make_on_off(const AvailabilitySpec& spec, const LawClients& clients) {
  return std::make_unique<OnOff>(spec, clients);
}

}  // namespace orrery
