// Why layouts are out, for reading.
#pragma once

#include <string>

namespace orrery {

/// A constraint (Rejection::constraint, in which every number is an N) without its numbers: "tp does not divide the
/// heads". One that nobody has written so keeps its words, with another letter for every number.
std::string rejection_text(const std::string& constraint);

}  // namespace orrery
