// Renyi differential privacy of the Gaussian mechanism on a Poisson sample, with noise multiplier z and rate q, at an
// integer order a (Mironov, Talwar, Zhang 2019, arXiv 1908.10530, section 3.3):
//   (a - 1) RDP(a) = log sum_{k=0..a} C(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / (2 z^2))
// added up in logarithms: the terms reach far beyond what a double holds. q = 1: a / (2 z^2). Releases add up. To
// (epsilon, delta), Canonne, Kamath, Steinke 2020 (arXiv 2004.00010, proposition 12):
//   epsilon = min over a of RDP(a) + log((a - 1) / a) - (log delta + log a) / (a - 1)
#include <algorithm>
#include <cmath>
#include <limits>

#include "models/training/federated/privacy.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr int lowest_order = 2, highest_order = 256;

double log_binomial(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

double rdp_of(int order, double rate, double noise) {
  const auto a = static_cast<double>(order);
  if (rate == 1) return a / (2 * noise * noise);
  double sum = -std::numeric_limits<double>::infinity();  // logarithm of the sum so far
  for (int i = 0; i <= order; ++i) {
    const auto k = static_cast<double>(i);
    const double term =
        log_binomial(a, k) + (a - k) * std::log1p(-rate) + k * std::log(rate) + (k * k - k) / (2 * noise * noise);
    const double larger = std::max(sum, term), smaller = std::min(sum, term);
    sum = larger + std::log1p(std::exp(smaller - larger));
  }
  return std::max(0.0, sum / (a - 1));
}

}  // namespace

void RdpAccountant::add(double rate, double noise_multiplier, std::int64_t times) {
  ORRERY_EXPECT(rate >= 0 && rate <= 1 && noise_multiplier >= 0 && times >= 0);
  if (rate == 0 || times == 0) return;
  if (rate != rate_ || noise_multiplier != noise_multiplier_) {
    once_.clear();
    for (int order = lowest_order; order <= highest_order; ++order) {
      once_.push_back(noise_multiplier > 0 ? rdp_of(order, rate, noise_multiplier)
                                           : std::numeric_limits<double>::infinity());
    }
    rate_ = rate;
    noise_multiplier_ = noise_multiplier;
  }
  spent_.resize(once_.size());
  for (std::size_t i = 0; i < once_.size(); ++i) spent_[i] += static_cast<double>(times) * once_[i];
}

double RdpAccountant::rdp(int order) const {
  ORRERY_EXPECT(order >= lowest_order && order <= highest_order);
  return spent_.empty() ? 0.0 : spent_[static_cast<std::size_t>(order - lowest_order)];
}

double RdpAccountant::epsilon(double delta) const {
  ORRERY_EXPECT(delta > 0 && delta < 1);
  if (spent_.empty()) return 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < spent_.size(); ++i) {
    const auto a = static_cast<double>(i) + lowest_order;
    least = std::min(least, spent_[i] + std::log1p(-1 / a) - (std::log(delta) + std::log(a)) / (a - 1));
  }
  return std::max(0.0, least);
}

}  // namespace orrery
