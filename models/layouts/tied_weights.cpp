// An embedding whose matrix the head uses once more.
#include <algorithm>
#include <cstdint>

#include "models/layouts/judge_state.hpp"
#include "sim/base/number.hpp"

namespace orrery {

/// The head's backward pass reads the matrix for the gradients of its inputs, whether the matrix trains or not.
void LayoutJudge::State::note_tied_weights() {
  const std::vector<Layer>& layers = job_.network.layers;
  const auto head = std::find_if(layers.begin(), layers.end(), [](const Layer& layer) { return layer.tied; });
  if (head == layers.end()) return;
  const LayerId owner = owner_of_tied_weights(job_.network, *head);
  if (!owner.valid()) return;
  const Layer& embedding = layers[owner.index()];
  const double numbers = number(embedding.vocabulary * embedding.out.channels);
  (embedding.frozen ? frozen_tied_numbers_ : tied_numbers_) = numbers;
  const auto holds_it = [&](const Block& block) { return owner.index() < block.end; };
  const auto block = std::find_if(sequence_.blocks.begin(), sequence_.blocks.end(), holds_it);
  const bool goes_back = head->input.valid() && marks_.has_backward[head->input.index()];
  if (goes_back && !block->has_backward) tied_numbers_back_ = numbers;
}

void LayoutJudge::State::add_tied_copy(StageWork& work, const Layout& layout) const {
  if (layout.pp == 1) {
    work.forward_parameters -= tied_numbers_back_ / layout.tp;
    return;
  }
  work.parameters += tied_numbers_ / layout.tp;
  work.frozen_parameters += frozen_tied_numbers_ / layout.tp;
  if (tied_numbers_ > 0) ++work.weight_tensors;
}

WholeExchange LayoutJudge::State::tied_exchange(const Layout& layout) const {
  if (layout.pp == 1 || tied_numbers_ == 0) return {};
  const Bytes bytes(tied_numbers_ / layout.tp * wire_bytes_of_gradient());
  const GroupPlace ends = place_of_ends(layout, job_.cluster.joined_devices());
  const Paths& paths = paths_for(layout);
  const LibraryCost cost = library_cost(CollectiveKind::all_reduce, ends, bytes, paths.node, paths.network);
  return {cost.total(), cost.sent()};
}

}  // namespace orrery
