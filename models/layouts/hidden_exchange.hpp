// What software hides of exchanges that go on in a block's passes.
#pragma once

#include "models/cost/framework.hpp"
#include "models/layouts/layout.hpp"

namespace orrery {

/// An exchange beside computing.
struct ExchangeParts {
  Seconds shown, hidden;
};

/// Software hides a share of it, which is no longer than the computing; it is taken from that.
ExchangeParts beside(Seconds exchange, double hidden_share, Seconds& computing);

/// Shares of tensor-parallel exchanges that software hides, by pass. Products and collectives go piece by piece side by
/// side where sequence parallelism cuts both (Transformer Engine, tp_comm_overlap); without it a sum forward is waited
/// for, and one backward goes beside the gradients of the weights, as the gathers of sequence parallelism do.
struct TensorHidden {
  double forward = 0, backward = 0;
};
TensorHidden tensor_hidden(const FrameworkProfile& framework, const Layout& layout);

}  // namespace orrery
