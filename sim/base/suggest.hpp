// "Did you mean": the nearest known name to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace orrery {

/// Damerau-Levenshtein distance (insert, delete, replace, swap of neighbours), case ignored.
int edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word`, case ignored: one that begins with it, else one that contains it (words of 3
/// letters or more), else the one within distance 2 (1 for words of up to 3 letters). Of those the nearest, ties go to
/// the earlier candidate. Nothing when none is near.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// `did you mean "x"?` when something is near, else `known: a, b, c`. Of more than 12 names the first 12 and "...", or,
/// when there is a command that lists them all, that: "see `orrery list devices`".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates, std::string_view command = {});

}  // namespace orrery
