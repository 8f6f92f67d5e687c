// When and how the verbs of a kernel ended, for tests.
#pragma once

#include "sim/engine/kernel.hpp"

namespace orrery::test {

inline constexpr EngineKind both[] = {EngineKind::flow, EngineKind::closed_form};

/// What the end of a verb looked like.
struct End {
  double time = -1.0;
  Outcome outcome = Outcome::done;
};

inline Done note(Kernel& kernel, End& end) {
  return [&kernel, &end](Outcome outcome) { end = {kernel.now().value(), outcome}; };
}

}  // namespace orrery::test
