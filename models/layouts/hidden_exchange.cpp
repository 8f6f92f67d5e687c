#include "models/layouts/hidden_exchange.hpp"

#include <algorithm>

namespace orrery {

ExchangeParts beside(Seconds exchange, double hidden_share, Seconds& computing) {
  const Seconds hidden = std::min(exchange * hidden_share, computing);
  computing -= hidden;
  return {exchange - hidden, hidden};
}

TensorHidden tensor_hidden(const FrameworkProfile& framework, const Layout& layout) {
  const double overlap = framework.tensor_overlap.value;
  if (layout.sequence_parallel == SequenceParallel::on) return {overlap, overlap};
  return {0, std::min(overlap, 1.0 - framework.gather_again_exposed.value)};
}

}  // namespace orrery
