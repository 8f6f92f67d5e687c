// Names as people write them in tables ("8x HDR IB 200Gb/s per node (Selene)"), cut into words and recognised by them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// Lower-case runs of letters, digits and dots: "A100-80GB-SXM" is a100, 80gb, sxm.
std::vector<std::string> words_of(std::string_view text);

/// Whether every word of `pattern` (blanks between them) is among `words`. A word that ends in * stands for every word
/// that begins so; one that begins with ! must not be there.
bool has_words(const std::vector<std::string>& words, std::string_view pattern);

/// Whether the words of `phrase` follow one another in `words`.
bool has_phrase(const std::vector<std::string>& words, std::string_view phrase);

/// A rate as written, in bytes per second. Small b: bits. "200Gb/s", "1.8 TB/s", "10 Gbps", "100 Gbit/s".
struct WrittenRate {
  double bytes_per_second = 0;
  bool in_bits = false;
};
std::optional<WrittenRate> rate_in(std::string_view text);

/// A size as written, in bytes: "64KiB", "4 MiB", "268MB", "1048576 B", "1GB". Nothing when there is none ("large").
std::optional<double> size_in(std::string_view text);

/// The number `offset` words after a word (before it when negative), at the first place that has one: "gpu", -1 finds
/// 1024 in "1024 GPU hours".
std::optional<double> number_beside(std::string_view text, std::string_view word, int offset);

/// The integer before the first word that is a number and x: "8x HDR" is 8, "4x4 V100" none.
std::optional<int> count_in(std::string_view text);

}  // namespace orrery
