// The only source of randomness: a seeded generator that is passed in. The distributions are written out because
// those of the standard library differ between implementations; the same seed gives the same numbers everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace orrery {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// An independent generator for a named purpose (a client, a layer, a round): same seed and name, same stream.
  [[nodiscard]] static Random derived(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  std::uint64_t bits() { return engine_(); }
  double uniform();                         // in [0, 1)
  double uniform(double low, double high);  // in [low, high)
  std::size_t below(std::size_t bound);     // in [0, bound), unbiased; bound > 0
  double normal();                          // mean 0, variance 1 (Box-Muller)
  double gamma(double shape);               // scale 1 (Marsaglia and Tsang 2000); shape > 0

  template <class T>
  void shuffle(std::vector<T>& items) {  // Fisher-Yates
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::mt19937_64 engine_;  // its output is fixed by the C++ standard
};

}  // namespace orrery
