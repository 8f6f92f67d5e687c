// What this binary is: written into provenance.json and printed by --version.
#pragma once

#include <string>

namespace orrery {

/// "orrery 0.1.0 (commit abc, GCC 12.2.0, SIMD native)"; the commit is left out when the build knew none.
std::string version_text();

}  // namespace orrery
