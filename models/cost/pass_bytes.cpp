#include "models/cost/pass_bytes.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {

Bytes bytes_in_memory(Precision precision) {
  return std::max(bytes_per_number(precision), Bytes(2.0));
}

Bytes pass_bytes(const Layer& layer, Pass pass, double samples, Share share, Precision precision) {
  ORRERY_EXPECT(pass != Pass::optimizer);
  const LayerCost cost = layer_cost(layer);
  double per_sample = cost.input_numbers * share.input + cost.output_numbers * share.output;
  double weights = cost.weights * share.work;
  const KeptForBackward kept = kept_for_backward(layer);
  if (pass == Pass::forward) {
    per_sample += cost.inner_forward * share.work;
  } else {
    const double kept_input = kept.input ? cost.input_numbers * share.input : 0.0;
    const double kept_output = kept.output ? cost.output_numbers * share.output : 0.0;
    per_sample += kept_input + kept_output + (kept.own + cost.inner_backward) * share.work;
    if (!layer.frozen) weights *= 2.0;
  }
  const Bytes masks(samples * kept.masks * share.work);
  return bytes_in_memory(precision) * (samples * per_sample + weights) + masks;
}

}  // namespace orrery
