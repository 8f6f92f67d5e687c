#include "models/training/markov_chain.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "sim/base/contract.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

TEST_CASE("entropies of chains of two tokens are those computed by hand") {
  // From 0 a coin decides, from 1 always back to 0: shares 2/3 and 1/3, and only the coin surprises, by ln 2.
  const MarkovChain coin({{{0, 0.5}, {1, 0.5}}, {{0, 1.0}}});
  CHECK(coin.stationary()[0] == Approx(2.0 / 3).epsilon(1e-12));
  CHECK(coin.entropy_nats() == Approx(2.0 / 3 * std::log(2.0)).epsilon(1e-12));
  // Leaving 0 with 0.1 and 1 with 0.4: shares 0.8 and 0.2 (0.8 x 0.1 = 0.2 x 0.4).
  // -0.1 ln 0.1 - 0.9 ln 0.9 = 0.325083, -0.4 ln 0.4 - 0.6 ln 0.6 = 0.673012; 0.8 x 0.325083 + 0.2 x 0.673012.
  const MarkovChain sticky({{{0, 0.9}, {1, 0.1}}, {{0, 0.4}, {1, 0.6}}});
  CHECK(sticky.stationary()[1] == Approx(0.2).epsilon(1e-12));
  CHECK(sticky.entropy_nats() == Approx(0.394669).margin(1e-6));
}

TEST_CASE("a chain that goes round and round has equal shares and no entropy") {
  const MarkovChain ring({{{1, 1.0}}, {{2, 1.0}}, {{0, 1.0}}});
  for (const double share : ring.stationary()) CHECK(share == Approx(1.0 / 3).epsilon(1e-12));
  CHECK(ring.entropy_nats() == 0.0);
  Random random(1);
  const auto text = ring.text(7, random);
  for (std::size_t i = 1; i < text.size(); ++i) CHECK(text[i] == (text[i - 1] + 1) % 3);
}

TEST_CASE("tables that are no chain break a promise") {
  CHECK_THROWS_AS(MarkovChain(TransitionTable{}), ContractViolation);
  CHECK_THROWS_AS(MarkovChain({{{0, 0.5}}}), ContractViolation);
  CHECK_THROWS_AS(MarkovChain({{{0, 1.0}, {1, 0.0}}, {{0, 1.0}}}), ContractViolation);
  CHECK_THROWS_AS(MarkovChain({{{2, 1.0}}, {{0, 1.0}}}), ContractViolation);
}

// Tokens that can be reached from token 0.
std::size_t reached(const TransitionTable& rows) {
  std::vector<bool> seen(rows.size());
  std::vector<std::size_t> open = {0};
  std::size_t count = 0;
  while (!open.empty()) {
    const std::size_t token = open.back();
    open.pop_back();
    if (seen[token]) continue;
    seen[token] = true;
    ++count;
    for (const Transition& next : rows[token]) open.push_back(static_cast<std::size_t>(next.token));
  }
  return count;
}

TransitionTable reversed(const TransitionTable& rows) {
  TransitionTable back(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const Transition& next : rows[i]) {
      back[static_cast<std::size_t>(next.token)].push_back({static_cast<std::int32_t>(i), next.probability});
    }
  }
  return back;
}

TEST_CASE("drawn tables reach every token from every other, with unequal successors that do not repeat") {
  for (const std::size_t vocabulary : {2U, 3U, 90U, 1000U}) {
    for (const std::size_t most : {std::size_t{2}, std::min<std::size_t>(vocabulary, 5)}) {
      Random random(vocabulary + most);
      const TransitionTable rows = draw_table(vocabulary, most, random);
      CHECK(reached(rows) == vocabulary);
      CHECK(reached(reversed(rows)) == vocabulary);
      for (const auto& row : rows) {
        REQUIRE(row.size() >= 2);
        REQUIRE(row.size() <= most);
        std::map<std::int32_t, double> successors;
        for (const Transition& next : row) successors[next.token] = next.probability;
        REQUIRE(successors.size() == row.size());
        REQUIRE(row[0].probability != row[1].probability);
      }
    }
  }
}

TEST_CASE("the entropy of tokens in classes is that of the classes and that of the choice within one") {
  // Shares 1 / 1.5 and 0.5 / 1.5: -(2/3) ln(2/3) - (1/3) ln(1/3) = 0.636514.
  Random random(1);
  const TransitionTable coin = {{{0, 0.5}, {1, 0.5}}, {{0, 1.0}}};
  const TransitionTable rows = token_table(coin, 4, random);
  const MarkovChain tokens(rows);
  CHECK(tokens.entropy_nats() == Approx(2.0 / 3 * std::log(2.0) + 0.636514).margin(1e-6));
  for (const auto& row : rows) CHECK((row.size() == 4 || row.size() == 2));
  // The larger set: the same law, with the sum of 1/r for 50 ranks.
  const MarkovChain words = token_chain(markov_1000, 1);
  Random again = Random::derived(1, "token table", 1000);
  const MarkovChain classes(draw_table(20, 5, again));
  double sum = 0, shares = 0;
  for (int rank = 1; rank <= 50; ++rank) sum += 1.0 / rank;
  for (int rank = 1; rank <= 50; ++rank) shares += std::log(rank * sum) / (rank * sum);
  CHECK(words.entropy_nats() == Approx(classes.entropy_nats() + shares).epsilon(1e-9));
  CHECK(reached(words.rows()) == 1000);
}

TEST_CASE("the stationary shares of a drawn chain stay when a step is taken") {
  const MarkovChain chain = token_chain(markov_1000, 3);
  std::vector<double> next(chain.vocabulary());
  double sum = 0;
  for (std::size_t i = 0; i < chain.vocabulary(); ++i) {
    sum += chain.stationary()[i];
    for (const Transition& step : chain.rows()[i]) {
      next[static_cast<std::size_t>(step.token)] += chain.stationary()[i] * step.probability;
    }
  }
  CHECK(sum == Approx(1.0).epsilon(1e-12));
  for (std::size_t i = 0; i < next.size(); ++i) CHECK(next[i] == Approx(chain.stationary()[i]).margin(1e-12));
}

struct Measured {
  double entropy = 0, standard_error = 0;
};

// Entropy of the next token given the one before, from counts alone, and the error of a mean of so many surprises.
// Surprises of neighbouring tokens are hardly correlated: the standard error neglects it, the test allows 5 of them.
Measured conditional_entropy(const Samples& samples) {
  std::map<std::int32_t, double> tokens;
  std::map<std::pair<std::int32_t, std::int32_t>, double> pairs;
  for (std::size_t i = 0; i < samples.labels.size(); ++i) {
    const auto token = static_cast<std::int32_t>(samples.inputs[i]);
    ++tokens[token];
    ++pairs[{token, samples.labels[i]}];
  }
  const auto count = static_cast<double>(samples.labels.size());
  // A table fitted to the text itself looks too sure by half a nat per free entry, spread over the text (Miller 1955).
  const double bias = static_cast<double>(pairs.size() - tokens.size()) / (2 * count);
  double sum = 0, squares = 0;
  for (const auto& [pair, times] : pairs) {
    const double surprise = -std::log(times / tokens[pair.first]);
    sum += times * surprise;
    squares += times * surprise * surprise;
  }
  const double mean = sum / count;
  return {mean + bias, std::sqrt((squares / count - mean * mean) / count)};
}

TEST_CASE("what is counted in a text of known entropy agrees with the exact entropy") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const DataSet data = load_data_set("markov-90", seed);
    REQUIRE(data.entropy_nats);
    const Measured measured = conditional_entropy(data.train);
    INFO("exact " << *data.entropy_nats << ", counted " << measured.entropy << " +- " << measured.standard_error);
    CHECK(measured.standard_error < 0.003);
    CHECK(std::abs(measured.entropy - *data.entropy_nats) < 5 * measured.standard_error);
  }
}

TEST_CASE("the exact table predicts the test text of 1000 words with the exact entropy") {
  const DataSet data = load_data_set("markov-1000", 1);
  const MarkovChain chain = token_chain(markov_1000, 1);
  CHECK(data.entropy_nats == chain.entropy_nats());
  double sum = 0;
  for (std::size_t i = 0; i < data.test.labels.size(); ++i) {
    const auto& row = chain.rows()[static_cast<std::size_t>(data.test.inputs[i])];
    const auto next =
        std::find_if(row.begin(), row.end(), [&](auto& step) { return step.token == data.test.labels[i]; });
    REQUIRE(next != row.end());
    sum -= std::log(next->probability);
  }
  // 65,536 surprises with a standard deviation of about 1.5: 5 standard errors.
  CHECK(sum / static_cast<double>(data.test.labels.size()) == Approx(*data.entropy_nats).margin(5 * 1.5 / 256));
}

TEST_CASE("sequences are pieces of one text whose labels are the next tokens") {
  const MarkovChain chain = token_chain(markov_90, 1);
  const Samples samples = token_samples(chain, 5, 80, 1, "train");
  CHECK(samples.count() == 5);
  CHECK(samples.labels_per_sample == 80);
  for (std::size_t i = 0; i + 1 < samples.inputs.size(); ++i) {
    REQUIRE(samples.inputs[i + 1] == static_cast<float>(samples.labels[i]));
  }
  CHECK(token_samples(chain, 5, 80, 1, "train").labels == samples.labels);
  CHECK(token_samples(chain, 5, 80, 2, "train").labels != samples.labels);
  CHECK(token_samples(chain, 5, 80, 1, "test").labels != samples.labels);
}

}  // namespace
}  // namespace orrery
