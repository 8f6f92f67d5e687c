// The two things that are called "Dirichlet partition" (see partition.hpp).
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "models/training/partition_laws.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Shares of one class. As in NIID-Bench a client that already holds its even share gets no more, so that no client ends
// with most of the data.
std::vector<double> class_shares(const Parts& parts, std::size_t samples, double alpha, Random& random) {
  std::vector<double> shares(parts.size());
  for (double& share : shares) share = random.gamma(alpha);
  for (std::size_t client = 0; client < parts.size(); ++client) {
    if (parts[client].size() * parts.size() >= samples) shares[client] = 0;
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  // With a tiny alpha all draws may underflow to 0: then the next client in need gets the class.
  if (sum <= 0) {
    const auto poorest =
        std::min_element(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    shares[static_cast<std::size_t>(poorest - parts.begin())] = 1;
    return shares;
  }
  for (double& share : shares) share /= sum;
  return shares;
}

Parts draw_classes(const Samples& samples, std::size_t clients, double alpha, Random& random) {
  Parts parts(clients);
  for (std::vector<std::size_t>& members : samples_by_label(samples)) {
    random.shuffle(members);
    const std::vector<double> shares = class_shares(parts, samples.count(), alpha, random);
    double reached = 0;
    std::size_t first = 0;
    for (std::size_t client = 0; client < clients; ++client) {
      reached += shares[client];
      const bool last_share = client + 1 == clients || reached >= 1.0;
      const auto end = static_cast<std::size_t>(reached * static_cast<double>(members.size()));
      const std::size_t last = last_share ? members.size() : std::clamp(end, first, members.size());
      parts[client].insert(parts[client].end(), members.begin() + static_cast<std::ptrdiff_t>(first),
                           members.begin() + static_cast<std::ptrdiff_t>(last));
      first = last;
    }
  }
  return parts;
}

std::vector<double> draw_mix(std::size_t classes, double alpha, Random& random) {
  std::vector<double> mix(classes);
  for (double& share : mix) share = random.gamma(alpha);
  // With a tiny alpha all draws may underflow to 0: that stands for one class alone.
  if (std::accumulate(mix.begin(), mix.end(), 0.0) <= 0) mix[random.below(classes)] = 1;
  return mix;
}

// A class by its share among those that have samples left; where the mix holds none of these, by what is left.
std::size_t draw_class(const std::vector<double>& mix, const Parts& left, Random& random) {
  const auto chosen_by = [&](auto weight) -> std::size_t {
    double sum = 0;
    for (std::size_t c = 0; c < left.size(); ++c) sum += left[c].empty() ? 0.0 : weight(c);
    double at = random.uniform() * sum;
    std::size_t last = left.size();
    for (std::size_t c = 0; c < left.size(); ++c) {
      if (left[c].empty() || weight(c) <= 0) continue;
      last = c;
      at -= weight(c);
      if (at < 0) break;
    }
    return last;
  };
  const std::size_t drawn = chosen_by([&](std::size_t c) { return mix[c]; });
  return drawn < left.size() ? drawn : chosen_by([&](std::size_t c) { return static_cast<double>(left[c].size()); });
}

}  // namespace

Parts deal_dirichlet_classes(const Samples& samples, std::size_t clients, const PartitionOptions& options,
                             Random& random) {
  ORRERY_EXPECT(options.alpha > 0);
  // NIID-Bench asks for 10 samples; where the even share is small, half of it.
  const std::size_t least = std::clamp<std::size_t>(samples.count() / clients / 2, 1, 10);
  constexpr int attempts = 1000;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Parts parts = draw_classes(samples, clients, options.alpha, random);
    if (std::all_of(parts.begin(), parts.end(), [&](const auto& part) { return part.size() >= least; })) return parts;
  }
  refuse_partition(
      fmt::format("no split by Dirichlet({}) gives each of {} clients {} samples", options.alpha, clients, least),
      fmt::format("{} draws failed", attempts), "raise alpha, take fewer clients, or take dirichlet-clients");
}

Parts deal_dirichlet_clients(const Samples& samples, std::size_t clients, const PartitionOptions& options,
                             Random& random) {
  ORRERY_EXPECT(options.alpha > 0);
  Parts left = samples_by_label(samples);
  for (std::vector<std::size_t>& members : left) random.shuffle(members);
  Parts parts(clients);
  for (std::size_t client = 0; client < clients; ++client) {
    const std::vector<double> mix = draw_mix(left.size(), options.alpha, random);
    const std::size_t quota = samples.count() * (client + 1) / clients - samples.count() * client / clients;
    for (std::size_t i = 0; i < quota; ++i) {
      std::vector<std::size_t>& members = left[draw_class(mix, left, random)];
      parts[client].push_back(members.back());
      members.pop_back();
    }
  }
  return parts;
}

}  // namespace orrery
