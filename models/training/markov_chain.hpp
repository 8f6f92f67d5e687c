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

/// A table with 2 to `most_successors` successors per token, their number uniform. One of them is the next token of a
/// random ring through the whole vocabulary, which makes the chain irreducible; the others are drawn uniformly without
/// repetition; probabilities are uniform on all that sum to 1 (Dirichlet(1, ..., 1)). 2 <= most_successors <=
/// vocabulary.
TransitionTable draw_table(std::size_t vocabulary, std::size_t most_successors, Random& random);

/// What a set of sequences looks like.
struct TokenOptions {
  std::size_t vocabulary = 1000, most_successors = 5, tokens = 128;
  std::size_t train = 8192, test = 512;  // sequences
};

/// The data sets of these names.
inline constexpr TokenOptions markov_1000{};
inline constexpr TokenOptions markov_90{.vocabulary = 90, .tokens = 80, .train = 4096};

/// The chain of a data set: its table comes from the seed.
MarkovChain token_chain(const TokenOptions& options, std::uint64_t seed);
/// `sequences` consecutive pieces of one text of the chain: inputs are options.tokens tokens, labels the tokens that
/// follow each. Texts of different `purpose` (train, test) are drawn apart.
Samples token_samples(const MarkovChain& chain, std::size_t sequences, std::size_t tokens, std::uint64_t seed,
                      std::string_view purpose);

}  // namespace orrery
