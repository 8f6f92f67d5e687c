#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "models/training/dataset.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

using Parts = std::vector<std::vector<std::size_t>>;

[[noreturn]] void refuse(std::string what, std::string why, std::string suggestion) {
  throw InvalidInput({{.at = {},
                       .key = "partition",
                       .what = std::move(what),
                       .why = std::move(why),
                       .suggestion = std::move(suggestion),
                       .source_line = {}}});
}

// What a sample is dealt by: its label, of a sequence the first.
std::int32_t label_of(const Samples& samples, std::size_t sample) {
  return samples.labels[sample * samples.labels_per_sample];
}

std::vector<std::size_t> numbers_up_to(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

// The i-th of `parts` pieces of a list; pieces differ by at most one.
std::span<const std::size_t> piece(const std::vector<std::size_t>& list, std::size_t i, std::size_t parts) {
  const std::size_t first = list.size() * i / parts, last = list.size() * (i + 1) / parts;
  return std::span<const std::size_t>(list).subspan(first, last - first);
}

Parts iid(std::size_t samples, std::size_t clients, Random& random) {
  std::vector<std::size_t> order = numbers_up_to(samples);
  random.shuffle(order);
  Parts parts(clients);
  for (std::size_t client = 0; client < clients; ++client) {
    const auto part = piece(order, client, clients);
    parts[client].assign(part.begin(), part.end());
  }
  return parts;
}

Parts shards(const Samples& samples, std::size_t clients, Random& random) {
  std::vector<std::size_t> sorted = numbers_up_to(samples.count());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](std::size_t a, std::size_t b) { return label_of(samples, a) < label_of(samples, b); });
  std::vector<std::size_t> hands = numbers_up_to(2 * clients);
  random.shuffle(hands);
  Parts parts(clients);
  for (std::size_t i = 0; i < hands.size(); ++i) {
    const auto shard = piece(sorted, hands[i], hands.size());
    parts[i / 2].insert(parts[i / 2].end(), shard.begin(), shard.end());
  }
  return parts;
}

std::vector<std::vector<std::size_t>> by_label(const Samples& samples) {
  std::vector<std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < samples.count(); ++i) {
    const auto label = static_cast<std::size_t>(label_of(samples, i));
    if (label >= classes.size()) classes.resize(label + 1);
    classes[label].push_back(i);
  }
  return classes;
}

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

Parts draw_dirichlet(const Samples& samples, std::size_t clients, double alpha, Random& random) {
  Parts parts(clients);
  for (std::vector<std::size_t>& members : by_label(samples)) {
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

Parts dirichlet(const Samples& samples, std::size_t clients, double alpha, Random& random) {
  // NIID-Bench asks for 10 samples; where the even share is small, half of it.
  const std::size_t least = std::clamp<std::size_t>(samples.count() / clients / 2, 1, 10);
  constexpr int attempts = 1000;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Parts parts = draw_dirichlet(samples, clients, alpha, random);
    if (std::all_of(parts.begin(), parts.end(), [&](const auto& part) { return part.size() >= least; })) return parts;
  }
  refuse(fmt::format("no split by Dirichlet({}) gives each of {} clients {} samples", alpha, clients, least),
         fmt::format("{} draws failed", attempts), "raise alpha or take fewer clients");
}

}  // namespace

std::vector<std::vector<std::size_t>> partition(const Samples& samples, int clients, PartitionKind kind, double alpha,
                                                Random& random) {
  ORRERY_EXPECT(clients > 0);
  ORRERY_EXPECT(kind != PartitionKind::dirichlet || alpha > 0);
  const auto count = static_cast<std::size_t>(clients);
  const std::size_t needed = kind == PartitionKind::shards ? 2 * count : count;
  if (samples.count() < needed) {
    refuse(fmt::format("{} samples do not suffice for {} clients", samples.count(), clients),
           fmt::format("{} are needed", needed), "take fewer clients");
  }
  switch (kind) {
    case PartitionKind::iid:
      return iid(samples.count(), count, random);
    case PartitionKind::shards:
      return shards(samples, count, random);
    case PartitionKind::dirichlet:
      return dirichlet(samples, count, alpha, random);
  }
  return {};
}

}  // namespace orrery
