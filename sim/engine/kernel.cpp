#include "sim/engine/kernel.hpp"

namespace orrery {

std::string_view name_of(EngineKind kind) {
  return kind == EngineKind::flow ? "flow" : "closed-form";
}

}  // namespace orrery
