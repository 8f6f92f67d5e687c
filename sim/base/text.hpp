// Numbers and names as text, the same in every file and for every locale.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// Shortest text that reads back as the same double (std::to_chars); integers below 1e15 in full, without a decimal
/// point or an exponent ("1000000", not "1e+06").
std::string number_text(double value);

/// The whole of `text` as a finite number (std::from_chars), or nothing.
std::optional<double> parse_number(std::string_view text);

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Letters and signs of a UTF-8 text: what a reader counts as columns.
std::size_t character_count(std::string_view text);

/// Up to `most` characters from the 0-based character `first` on; "..." stands for what is left out on either side.
std::string excerpt(std::string_view text, std::size_t first, std::size_t most);

}  // namespace orrery
