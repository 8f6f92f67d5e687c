// Text of known entropy: a first-order Markov chain over a vocabulary of tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/training/dataset.hpp"
#include "sim/base/random.hpp"

namespace orrery {

struct Transition {
  std::int32_t token = 0;  // that follows
  double probability = 0;
};

/// Transitions of every token, only those with a probability above 0.
using TransitionTable = std::vector<std::vector<Transition>>;

class MarkovChain {
 public:
  /// A row per token, with probabilities above 0 that sum to 1. From every token every other can be reached
  /// (irreducible), else there is no one stationary distribution.
  explicit MarkovChain(TransitionTable rows);

  [[nodiscard]] std::size_t vocabulary() const { return rows_.size(); }
  [[nodiscard]] const TransitionTable& rows() const { return rows_; }
  /// Share of each token in an endless text: power iteration until a round moves less than 1e-13 of the whole.
  [[nodiscard]] const std::vector<double>& stationary() const { return stationary_; }
  /// Entropy rate, nats per token (Cover and Thomas 2006, theorem 4.2.4): - sum_i pi_i sum_j P_ij ln P_ij. No
  /// predictor has a lower expected cross entropy, and one that has learned the table reaches it from the first token
  /// on, since the token before tells all there is to know.
  [[nodiscard]] double entropy_nats() const;

  /// A text of `length` tokens whose first comes from the stationary distribution.
  [[nodiscard]] std::vector<std::int32_t> text(std::size_t length, Random& random) const;

 private:
  TransitionTable rows_;
  std::vector<double> stationary_;
};

/// A table with 2 to most_successors successors per state, their number uniform. One of them is the next state of a
/// random ring through all states, which makes the chain irreducible; the others are drawn uniformly without
/// repetition; probabilities are uniform on all that sum to 1 (Dirichlet(1, ..., 1)). 2 <= most_successors <= states.
TransitionTable draw_table(std::size_t states, std::size_t most_successors, Random& random);

/// Tokens in classes, as in the class bigrams of Brown et al. 1992 (Class-Based n-gram Models of Natural Language,
/// equation 1): P(token | before) = P(its class | class before) x share of the token in its class. Every class has
/// vocabulary / classes tokens, drawn at random, with shares proportional to 1, 1/2, 1/3, ... (Zipf's law). The entropy
/// is that of the chain of classes and that of the shares together.
TransitionTable token_table(const TransitionTable& classes, std::size_t vocabulary, Random& random);

/// What a set of sequences looks like. There are classes because 1000 unrelated rows take too long to learn: an
/// embedding of 128 numbers with two perceptron blocks (PyTorch, AdamW, 2,048 tokens per step) was 6.5 % above the
/// entropy after 300 steps on rows of 2 to 5 successors each, and 2 % above it after 150 on rows like these. gpt-mini
/// came within 1.5 % after 300 steps of 16 sequences (Adam, rate 0.002), char-lstm within 0.1 % after 200 of 32 (0.01),
/// which is less than the training text once: nothing is learned by heart. 65,536 tokens to test on leave a standard
/// error of 0.15 % of the entropy.
struct TokenOptions {
  std::size_t vocabulary = 1000, classes = 20, most_successors = 5, tokens = 128;
  std::size_t train = 8192, test = 512;  // sequences
};
/// The data sets of these names.
inline constexpr TokenOptions markov_1000{};
inline constexpr TokenOptions markov_90{.vocabulary = 90, .classes = 9, .tokens = 80, .train = 10240};

/// The chain of a data set: its table comes from the seed.
MarkovChain token_chain(const TokenOptions& options, std::uint64_t seed);
/// `sequences` consecutive pieces of one text of the chain: inputs are options.tokens tokens, labels the tokens that
/// follow each. Texts of different `purpose` (train, test) are drawn apart.
Samples token_samples(const MarkovChain& chain, std::size_t sequences, std::size_t tokens, std::uint64_t seed,
                      std::string_view purpose);

}  // namespace orrery
