#include "models/training/markov_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Power iteration on the lazy chain (P + I) / 2: it has the same stationary distribution, and unlike P it never cycles.
std::vector<double> stationary_of(const TransitionTable& rows) {
  constexpr double precision = 1e-13;
  constexpr int most_rounds = 1'000'000;
  std::vector<double> shares(rows.size(), 1.0 / static_cast<double>(rows.size())), next(rows.size());
  for (int round = 0; round < most_rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) next[i] = shares[i] / 2;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (const auto& [token, probability] : rows[i]) {
        next[static_cast<std::size_t>(token)] += shares[i] * probability / 2;
      }
    }
    double change = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) change += std::abs(next[i] - shares[i]);
    shares.swap(next);
    if (change < precision) return shares;
  }
  ORRERY_EXPECT(!"a Markov chain that settles");
  return shares;
}

double row_entropy(const std::vector<Transition>& row) {
  double entropy = 0;
  for (const Transition& next : row) entropy -= next.probability * std::log(next.probability);
  return entropy;
}

// The index at which the running sum passes `drawn`; the last one takes what rounding leaves.
template <class Items, class Probability>
std::size_t drawn_index(const Items& items, double drawn, Probability probability) {
  std::size_t index = 0;
  for (; index + 1 < items.size(); ++index) {
    drawn -= probability(items[index]);
    if (drawn < 0) break;
  }
  return index;
}

std::vector<std::int32_t> shuffled_numbers(std::size_t count, Random& random) {
  std::vector<std::int32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  random.shuffle(numbers);
  return numbers;
}

std::vector<Transition> draw_row(std::int32_t first, std::size_t successors, std::size_t states, Random& random) {
  std::vector<Transition> row = {{first, 0}};
  while (row.size() < successors) {
    const auto state = static_cast<std::int32_t>(random.below(states));
    const bool is_new = std::none_of(row.begin(), row.end(), [&](const auto& other) { return other.token == state; });
    if (is_new) row.push_back({state, 0});
  }
  double sum = 0;
  for (Transition& next : row) {
    next.probability = std::max(random.gamma(1.0), 1e-300);  // 0 would break the ring
    sum += next.probability;
  }
  for (Transition& next : row) next.probability /= sum;
  return row;
}

}  // namespace

MarkovChain::MarkovChain(TransitionTable rows) : rows_(std::move(rows)) {
  ORRERY_EXPECT(!rows_.empty());
  for (const auto& row : rows_) {
    double sum = 0;
    for (const auto& [token, probability] : row) {
      ORRERY_EXPECT(token >= 0 && static_cast<std::size_t>(token) < rows_.size() && probability > 0);
      sum += probability;
    }
    ORRERY_EXPECT(std::abs(sum - 1) < 1e-9);
  }
  stationary_ = stationary_of(rows_);
}

double MarkovChain::entropy_nats() const {
  double entropy = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) entropy += stationary_[i] * row_entropy(rows_[i]);
  return entropy;
}

std::vector<std::int32_t> MarkovChain::text(std::size_t length, Random& random) const {
  ORRERY_EXPECT(length > 0);
  std::vector<std::int32_t> tokens(length);
  const auto start = drawn_index(stationary_, random.uniform(), [](double share) { return share; });
  tokens[0] = static_cast<std::int32_t>(start);
  for (std::size_t i = 1; i < length; ++i) {
    const auto& row = rows_[static_cast<std::size_t>(tokens[i - 1])];
    tokens[i] = row[drawn_index(row, random.uniform(), [](const Transition& next) { return next.probability; })].token;
  }
  return tokens;
}

TransitionTable draw_table(std::size_t states, std::size_t most_successors, Random& random) {
  ORRERY_EXPECT(most_successors >= 2 && most_successors <= states);
  const std::vector<std::int32_t> ring = shuffled_numbers(states, random);
  TransitionTable rows(states);
  for (std::size_t i = 0; i < states; ++i) {
    const std::size_t successors = 2 + random.below(most_successors - 1);
    rows[static_cast<std::size_t>(ring[i])] = draw_row(ring[(i + 1) % states], successors, states, random);
  }
  return rows;
}

TransitionTable token_table(const TransitionTable& classes, std::size_t vocabulary, Random& random) {
  ORRERY_EXPECT(!classes.empty() && vocabulary % classes.size() == 0);
  const std::size_t members = vocabulary / classes.size();
  const std::vector<std::int32_t> tokens = shuffled_numbers(vocabulary, random);  // class after class
  double sum = 0;
  for (std::size_t rank = 1; rank <= members; ++rank) sum += 1 / static_cast<double>(rank);
  TransitionTable rows(vocabulary);
  for (std::size_t before = 0; before < vocabulary; ++before) {
    auto& row = rows[static_cast<std::size_t>(tokens[before])];
    for (const auto& [next, probability] : classes[before / members]) {
      for (std::size_t member = 0; member < members; ++member) {
        const double share = 1 / (static_cast<double>(member + 1) * sum);
        row.push_back({tokens[static_cast<std::size_t>(next) * members + member], probability * share});
      }
    }
  }
  return rows;
}

MarkovChain token_chain(const TokenOptions& options, std::uint64_t seed) {
  Random random = Random::derived(seed, "token table", options.vocabulary);
  const TransitionTable classes = draw_table(options.classes, options.most_successors, random);
  return MarkovChain(token_table(classes, options.vocabulary, random));
}

Samples token_samples(const MarkovChain& chain, std::size_t sequences, std::size_t tokens, std::uint64_t seed,
                      std::string_view purpose) {
  Random random = Random::derived(seed, fmt::format("tokens {}", purpose), chain.vocabulary());
  const std::size_t count = sequences * tokens;
  const std::vector<std::int32_t> text = chain.text(count + 1, random);
  Samples samples;
  samples.labels_per_sample = tokens;
  samples.inputs.resize(count);
  std::transform(text.begin(), text.end() - 1, samples.inputs.begin(),
                 [](std::int32_t token) { return static_cast<float>(token); });
  samples.labels.assign(text.begin() + 1, text.end());
  return samples;
}

}  // namespace orrery
