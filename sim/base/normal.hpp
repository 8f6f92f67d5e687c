// The normal law.
#pragma once

namespace orrery {

/// Mean of the largest of so many independent draws from the standard normal law: 0 of one, 0.564 of two, 1.424 of
/// eight. The integral of x n phi(x) Phi(x)^(n - 1) by Simpson's rule, to 1e-6 for up to 10^6 draws. Contract: >= 1.
double expected_largest(double draws);

}  // namespace orrery
