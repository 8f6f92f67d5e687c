#include "scenarios/measure/tensor_activations.hpp"

#include <algorithm>
#include <cstdint>

namespace orrery {

TensorActivations::TensorActivations(const RealJob& job, const std::vector<std::vector<LayerPart>>& parts,
                                     GroupExchange& exchange)
    : job_(job),
      graph_(job.plan->graph()),
      parts_(parts),
      exchange_(exchange),
      values_(job.plan->kernels()),
      layouts_(job.plan->kernels()) {
  for (std::size_t i = 0; i < layouts_.size(); ++i) {
    if (!part(i).split_output) continue;
    std::vector<std::vector<std::int64_t>> channels;
    for (const auto& device : parts_) channels.push_back(device[i].channels);
    layouts_[i].emplace(channels);
  }
}

void TensorActivations::start(const Batch& batch, int microbatch) {
  batch_ = batch;
  microbatch_ = microbatch;
  reserve();
  mark_ = job_.recorder.now();
}

/// Memory for this many samples; it only grows.
void TensorActivations::reserve() {
  if (batch_.samples <= reserved_) return;
  reserved_ = batch_.samples;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const std::size_t own = reserved_ * static_cast<std::size_t>(part(i).layer.out.count());
    const std::size_t whole = reserved_ * static_cast<std::size_t>(graph_.layers[i].out.count());
    TensorValues& values = values_[i];
    values.own.resize(own);
    values.gradient.numbers.resize(own);
    values.partial.numbers.resize(whole);
    if (part(i).split_output) {
      values.whole.resize(whole);
      values.of_whole.numbers.resize(whole);
    }
  }
}

const LayerPart& TensorActivations::part(std::size_t layer) const {
  return parts_[static_cast<std::size_t>(job_.communicator.rank())][layer];
}

/// The layer whose numbers a layer's output is: views have none of their own. None: the network's input.
std::optional<std::size_t> TensorActivations::source(LayerId layer) const {
  while (layer.valid() && is_view(graph_.layers[layer.index()].kind)) layer = graph_.layers[layer.index()].input;
  return layer.valid() ? std::optional(layer.index()) : std::nullopt;
}

std::span<float> TensorActivations::own(AlignedVector& all, std::size_t layer) const {
  return std::span<float>(all).first(batch_.samples * static_cast<std::size_t>(part(layer).layer.out.count()));
}

std::span<float> TensorActivations::whole(AlignedVector& all, std::size_t layer) const {
  return std::span<float>(all).first(batch_.samples * static_cast<std::size_t>(graph_.layers[layer].out.count()));
}

void TensorActivations::computed(Phase phase) {
  job_.recorder.computed(phase, mark_, microbatch_);
  mark_ = job_.recorder.now();
}

void TensorActivations::begin_exchange(Phase phase, LayerId layer) {
  computed(phase);
  exchange_.describe(phase, layer, microbatch_);
}

void TensorActivations::add_up_output(std::size_t layer) {
  begin_exchange(Phase::forward, part(layer).layer.id);
  exchange_.all_reduce(output(layer));
  end_exchange();
}

std::span<const float> TensorActivations::operand(const LayerPart& reader, LayerId producer) {
  const auto from = source(producer);
  if (!from) return batch_.inputs;
  TensorValues& values = values_[*from];
  if (reader.split_input || !part(*from).split_output) return own(values.own, *from);
  if (!values.gathered) {
    begin_exchange(Phase::forward, reader.layer.id);
    exchange_.all_gather(*layouts_[*from], own(values.own, *from), whole(values.whole, *from));
    end_exchange();
    values.gathered = true;
  }
  return whole(values.whole, *from);
}

GradientPlace TensorActivations::gradient_place(const LayerPart& reader, LayerId producer) {
  const auto from = source(producer);
  if (!from || !job_.plan->steps(*from).slot) return {};
  TensorValues& values = values_[*from];
  if (reader.mode == SplitMode::column) {
    return {whole(values.partial.numbers, *from), values.partial.take_turn()};
  }
  if (reader.split_input || !part(*from).split_output) {
    return {own(values.gradient.numbers, *from), values.gradient.take_turn()};
  }
  return {whole(values.of_whole.numbers, *from), values.of_whole.take_turn()};
}

void TensorActivations::complete_gradient(std::size_t layer) {
  TensorValues& values = values_[layer];
  const std::span<float> gradient = own(values.gradient.numbers, layer);
  if (!values.partial.empty()) {
    const std::span<float> partial = whole(values.partial.numbers, layer);
    begin_exchange(Phase::backward, LayerId(layer));
    if (part(layer).split_output) {
      exchange_.reduce_scatter(*layouts_[layer], partial, values.gradient.take_turn(), gradient);
    } else {
      exchange_.all_reduce(partial);
      const bool adds = values.gradient.take_turn() == Update::add;
      std::transform(partial.begin(), partial.end(), gradient.begin(), gradient.begin(),
                     [adds](float a, float b) { return adds ? a + b : a; });
    }
    end_exchange();
  }
  if (values.of_whole.empty()) return;
  layouts_[layer]->pick(whole(values.of_whole.numbers, layer), static_cast<std::size_t>(job_.communicator.rank()),
                        values.gradient.take_turn(), gradient);
}

}  // namespace orrery
