#include "scenarios/measure/tensor_weights.hpp"

#include <algorithm>
#include <cstdint>

namespace orrery {
namespace {

constexpr int weights_tag = 2;  // that of the exchanges is 1

/// The numbers of each layer's part, one layer after the other from `first` on.
std::vector<NumberRange> ranges_of(const std::vector<LayerPart>& layers, std::vector<std::size_t> LayerPart::*numbers,
                                   std::size_t first) {
  std::vector<NumberRange> ranges;
  for (const LayerPart& layer : layers) {
    ranges.push_back({first, (layer.*numbers).size()});
    first += ranges.back().count;
  }
  return ranges;
}

std::size_t end_of(const std::vector<NumberRange>& ranges) {
  return ranges.empty() ? 0 : ranges.back().first + ranges.back().count;
}

std::vector<NumberRange> trained(const ExecutionPlan& plan, const std::vector<NumberRange>& parameters) {
  std::vector<NumberRange> ranges;
  for (std::size_t i = 0; i < plan.kernels(); ++i) {
    if (!plan.graph().layers[i].frozen) ranges.push_back(parameters[i]);
  }
  return ranges;
}

}  // namespace

TensorWeights::TensorWeights(const RealJob& job, const std::vector<std::vector<LayerPart>>& parts)
    : job_(job),
      parts_(parts),
      parameters_(ranges_of(own_parts(), &LayerPart::parameters, 0)),
      state_(ranges_of(own_parts(), &LayerPart::state, end_of(parameters_))),
      optimizer_(job.optimizer, trained(*job.plan, parameters_)),
      gradients_(end_of(parameters_)) {
  for (const std::size_t place : places_of(static_cast<std::size_t>(job.communicator.rank()))) {
    weights_.push_back(place == nowhere ? 0.0F : job.start[place]);
  }
}

const std::vector<LayerPart>& TensorWeights::own_parts() const {
  return parts_[static_cast<std::size_t>(job_.communicator.rank())];
}

/// Parameters of all layers, then their running statistics.
std::vector<std::size_t> TensorWeights::places_of(std::size_t device) const {
  std::vector<std::size_t> places;
  for (const auto numbers : {&LayerPart::parameters, &LayerPart::state}) {
    for (const LayerPart& layer : parts_[device]) {
      places.insert(places.end(), (layer.*numbers).begin(), (layer.*numbers).end());
    }
  }
  return places;
}

NumberRange TensorWeights::table(std::size_t tied) const {
  std::size_t owner = tied;
  while (own_parts()[--owner].layer.kind != LayerKind::embedding) continue;
  const LayerPart& part = own_parts()[owner];
  const std::int64_t rows = part.layer.vocabulary - (part.mode == SplitMode::vocabulary ? 1 : 0);
  return {parameters_[owner].first, static_cast<std::size_t>(rows * part.layer.out.channels)};
}

void TensorWeights::clear_gradients() {
  std::fill(gradients_.begin(), gradients_.end(), 0.0F);
}

void TensorWeights::clear_row_of_zeros(std::size_t layer) {
  const std::vector<std::size_t>& places = own_parts()[layer].parameters;
  const std::span<float> own = gradient(layer);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] == nowhere) own[i] = 0.0F;
  }
}

bool TensorWeights::trains(std::size_t layer) const {
  return !job_.plan->graph().layers[layer].frozen && parameters_[layer].count > 0;
}

void TensorWeights::update(GroupExchange& exchange) {
  Seconds begin = job_.recorder.now();
  optimizer_.begin_step();
  if (job_.optimizer.kind == OptimizerKind::lamb) {
    std::vector<SquaredNorms> norms = norms_of_parts();
    job_.recorder.computed(Phase::optimizer, begin);
    add_up(norms, exchange);
    begin = job_.recorder.now();
    for (std::size_t i = 0; i < norms.size(); ++i) {
      if (trains(i)) {
        optimizer_.apply(parameters_[i].first, parameters_[i].of(std::span<float>(weights_)), norms[i]);
      }
    }
  } else {
    for (const NumberRange& block : optimizer_.blocks()) {
      optimizer_.update(block.first, block.of(std::span<float>(weights_)), block.of(std::span<float>(gradients_)));
    }
  }
  job_.recorder.computed(Phase::optimizer, begin);
}

std::vector<SquaredNorms> TensorWeights::norms_of_parts() {
  std::vector<SquaredNorms> norms(job_.plan->kernels());
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (trains(i)) norms[i] = optimizer_.prepare(parameters_[i].first, parameters(i), gradient(i));
  }
  return norms;
}

// A layer that is not split is whole on every device; of the others each number is on one device.
void TensorWeights::add_up(std::vector<SquaredNorms>& norms, GroupExchange& exchange) const {
  std::vector<float> sums;
  const auto is_split = [&](std::size_t layer) { return own_parts()[layer].mode != SplitMode::replicated; };
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (is_split(i))
      sums.insert(sums.end(), {static_cast<float>(norms[i].weights), static_cast<float>(norms[i].direction)});
  }
  if (sums.empty()) return;
  exchange.describe(Phase::optimizer, LayerId(), 0);
  exchange.all_reduce(sums);
  std::size_t at = 0;
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (!is_split(i)) continue;
    norms[i] = {sums[at], sums[at + 1]};
    at += 2;
  }
}

std::vector<float> TensorWeights::collect() const {
  Communicator& communicator = job_.communicator;
  if (communicator.rank() > 0) {
    Ticket ticket = communicator.send(weights_, 0, weights_tag);
    communicator.wait(ticket);
    return {};
  }
  std::vector<float> whole(job_.plan->weight_count());
  for (std::size_t device = parts_.size(); device-- > 0;) {  // the first one last: what all have is its own
    std::vector<float> theirs(weights_.begin(), weights_.end());
    const std::vector<std::size_t> places = places_of(device);
    if (device > 0) {
      theirs.resize(places.size());
      Ticket ticket = communicator.receive(theirs, static_cast<int>(device), weights_tag);
      communicator.wait(ticket);
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] != nowhere) whole[places[i]] = theirs[i];
    }
  }
  return whole;
}

}  // namespace orrery
