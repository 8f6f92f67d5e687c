// Names as people write them in tables ("8x HDR IB 200Gb/s per node (Selene)"), cut into words and recognised by them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// Digits, dots and the letters a to z of either case.
bool is_word_letter(char letter);

/// Lower-case runs of letters, digits and dots: "A100-80GB-SXM" is a100, 80gb, sxm.
std::vector<std::string> words_of(std::string_view text);

/// Whether every word of `pattern` (blanks between them) is among `words`. A word that ends in * stands for every word
/// that begins so; one that begins with ! must not be there; words joined by - must follow one another.
bool has_words(const std::vector<std::string>& words, std::string_view pattern);

/// Whether the words of `phrase` follow one another in `words`.
bool has_phrase(const std::vector<std::string>& words, std::string_view phrase);

/// "1,082,990" as 1082990; commas that do not part three digits from digits stay.
std::string without_thousands_separators(std::string_view text);

/// The number `offset` words after a word (before it when negative), at the first place that has one: "gpu", -1 finds
/// 1024 in "1024 GPU hours" and "1,024 GPU hours".
std::optional<double> number_beside(std::string_view text, std::string_view word, int offset);

}  // namespace orrery
