#include "models/layouts/judge_state.hpp"

namespace orrery {

std::vector<LayerPrice> LayoutJudge::State::layer_prices(const Layout& layout) {
  const auto priced = [&](std::size_t index) {
    Block alone;
    alone.first = index, alone.end = index + 1;
    const BlockPrice price = price_block(job_, alone, split_for(layout.tp), layout, paths_for(layout), marks_);
    StageWork states;
    states.parameters = price.parameters, states.expert_parameters = price.expert_parameters;
    if (job_.network.layers[index].tied) add_tied_copy(states, layout);
    return LayerPrice{price.forward, price.backward_input + price.backward_weights,
                      update_time(states, update_bytes(), layout), price.kept};
  };
  std::vector<LayerPrice> prices(job_.network.layers.size());
  for (const Block& block : sequence_.blocks) {
    const Block& known = sequence_.blocks[sequence_.classes[block.klass]];
    for (std::size_t i = block.first; i < block.end; ++i) {
      prices[i] = known.first < block.first ? prices[known.first + i - block.first] : priced(i);
    }
  }
  return prices;
}

}  // namespace orrery
