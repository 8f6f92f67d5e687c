// Tensor parallelism for real: every rank executes its part of every layer, with the exchanges that the simulation
// plans (split_tensor). Dropout on a split output draws for the part, so other numbers than one device would.
#include <algorithm>
#include <optional>
#include <utility>

#include "scenarios/measure/group_exchange.hpp"
#include "scenarios/measure/real_step.hpp"
#include "scenarios/measure/tensor_part.hpp"
#include "scenarios/measure/tensor_values.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr int weights_tag = 2;  // that of the exchanges is 1

class TensorDevice final : public RealStep {
 public:
  explicit TensorDevice(const RealJob& job)
      : job_(job),
        plan_(*job.plan),
        graph_(job.plan->graph()),
        devices_(job.job.strategy.devices),
        split_(split_tensor(graph_, devices_)),
        options_(job.optimizer),
        exchange_(job_),
        values_(plan_.kernels()),
        layouts_(plan_.kernels()) {
    refuse_clipping(options_, "every device has the gradients of its part only");
    if (options_.kind == OptimizerKind::lamb) {
      throw Infeasible(
          "lamb is not executed here: it needs the norms of whole layers, which the devices share - use "
          "adamw, or measure the data-parallel way");
    }
    for (int device = 0; device < devices_; ++device) parts_.push_back(parts_of(plan_, split_, devices_, device));
    make_kernels();
    take_weights(job.start);
    make_layouts();
  }

  BatchResult run(const Batch& batch) override {
    const auto micro_steps = static_cast<std::size_t>(job_.job.strategy.accumulation);
    ORRERY_EXPECT(batch.samples % micro_steps == 0);
    const std::size_t each = batch.samples / micro_steps;
    std::fill(gradients_.begin(), gradients_.end(), 0.0F);
    BatchResult sum;
    for (std::size_t step = 0; step < micro_steps; ++step) {
      microbatch_ = static_cast<int>(step);
      batch_ = batch.part(step * each, each);
      reserve();
      mark_ = job_.recorder.now();
      for (std::size_t i = 0; i < plan_.kernels(); ++i) forward(i);
      sum += loss(mean_divisor(plan_, batch.samples));
      for (std::size_t i = plan_.kernels(); i-- > 0;) backward(i);
      computed(Phase::backward);
    }
    require_finite(sum, ++steps_, options_);
    update();
    return job_.communicator.rank() == 0 ? sum : BatchResult{};
  }

  std::vector<float> weights() override {
    const int rank = job_.communicator.rank();
    if (rank > 0) {
      Ticket ticket = job_.communicator.send(weights_, 0, weights_tag);
      job_.communicator.wait(ticket);
      return {};
    }
    std::vector<float> whole(plan_.weight_count());
    for (int device = devices_; device-- > 0;) {  // the first one last: what all have is its own
      std::vector<float> theirs(weights_.begin(), weights_.end());
      const std::vector<std::size_t> places = places_of(device);
      if (device > 0) {
        theirs.resize(places.size());
        Ticket ticket = job_.communicator.receive(theirs, device, weights_tag);
        job_.communicator.wait(ticket);
      }
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (places[i] != nowhere) whole[places[i]] = theirs[i];
      }
    }
    return whole;
  }

 private:
  [[nodiscard]] const LayerPart& part(std::size_t layer) const {
    return parts_[static_cast<std::size_t>(job_.communicator.rank())][layer];
  }

  /// Parameters of all layers, then their running statistics.
  [[nodiscard]] std::vector<std::size_t> places_of(int device) const {
    std::vector<std::size_t> places;
    for (const auto numbers : {&LayerPart::parameters, &LayerPart::state}) {
      for (const LayerPart& layer : parts_[static_cast<std::size_t>(device)]) {
        places.insert(places.end(), (layer.*numbers).begin(), (layer.*numbers).end());
      }
    }
    return places;
  }

  void make_kernels() {
    std::size_t at = 0;
    std::vector<NumberRange> trained;
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
      kernels_.push_back(make_layer_kernel(part(i).layer));
      const ParameterCount count = kernels_.back()->parameter_count();
      ORRERY_EXPECT(static_cast<std::size_t>(count.weights + count.biases) == part(i).parameters.size());
      ORRERY_EXPECT(static_cast<std::size_t>(kernels_.back()->state_count()) == part(i).state.size());
      parameters_.push_back({at, part(i).parameters.size()});
      if (!graph_.layers[i].frozen) trained.push_back(parameters_.back());
      at += part(i).parameters.size();
    }
    gradients_.resize(at);
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
      state_.push_back({at, part(i).state.size()});
      at += part(i).state.size();
    }
    optimizer_.emplace(options_, std::move(trained));
  }

  void take_weights(std::span<const float> whole) {
    for (const std::size_t place : places_of(job_.communicator.rank())) {
      weights_.push_back(place == nowhere ? 0.0F : whole[place]);
    }
  }

  void make_layouts() {
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
      if (!part(i).split_output) continue;
      std::vector<std::vector<std::int64_t>> channels;
      for (const auto& device : parts_) channels.push_back(device[i].channels);
      layouts_[i].emplace(channels);
    }
  }

  /// Memory for this many samples; it only grows.
  void reserve() {
    if (batch_.samples <= reserved_) return;
    reserved_ = batch_.samples;
    std::int64_t scratch = 0;
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
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
      values.kept.resize(reserved_ * static_cast<std::size_t>(kernels_[i]->kept_count()));
      scratch = std::max(scratch, kernels_[i]->scratch_count(static_cast<std::int64_t>(reserved_)));
    }
    scratch_.resize(static_cast<std::size_t>(scratch));
    sums_.resize(plan_.kernels());
    for (std::size_t i = 0; i < plan_.kernels(); ++i) {
      sums_[i].resize(2 * static_cast<std::size_t>(kernels_[i]->batch_sum_count()));
    }
  }

  /// The layer whose numbers a layer's output is: views have none of their own. None: the network's input.
  [[nodiscard]] std::optional<std::size_t> source(LayerId layer) const {
    while (layer.valid() && is_view(graph_.layers[layer.index()].kind)) layer = graph_.layers[layer.index()].input;
    return layer.valid() ? std::optional(layer.index()) : std::nullopt;
  }

  [[nodiscard]] std::size_t numbers(const Shape& shape) const {
    return batch_.samples * static_cast<std::size_t>(shape.count());
  }
  [[nodiscard]] std::span<float> own(AlignedVector& all, std::size_t layer) const {
    return std::span<float>(all).first(numbers(part(layer).layer.out));
  }
  [[nodiscard]] std::span<float> whole(AlignedVector& all, std::size_t layer) const {
    return std::span<float>(all).first(numbers(graph_.layers[layer].out));
  }

  /// An operand as a layer reads it. Gathers what it must have whole.
  std::span<const float> operand(const LayerPart& reader, LayerId producer) {
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

  /// Where a reader's gradient of its operand goes.
  struct GradientPlace {
    std::span<float> numbers;
    Update update = Update::overwrite;
  };
  GradientPlace gradient_place(const LayerPart& reader, LayerId producer) {
    const auto from = source(producer);
    if (!from || !plan_.steps(*from).slot) return {};
    TensorValues& values = values_[*from];
    if (reader.mode == SplitMode::column) {
      return {whole(values.partial.numbers, *from), values.partial.take_turn()};
    }
    if (reader.split_input || !part(*from).split_output) {
      return {own(values.gradient.numbers, *from), values.gradient.take_turn()};
    }
    return {whole(values.of_whole.numbers, *from), values.of_whole.take_turn()};
  }

  [[nodiscard]] ForwardData forward_data(std::size_t i) {
    const LayerPart& layer = part(i);
    ForwardData data;
    data.samples = static_cast<std::int64_t>(batch_.samples);
    data.input = operand(layer, layer.layer.input);
    if (layer.mode == SplitMode::vocabulary) data.input = own_tokens(layer, data.input);
    if (layer.layer.skip.valid()) data.second = operand(layer, layer.layer.skip);
    const std::span<const float> all(weights_);
    data.parameters = parameters_[i].of(all);
    if (layer.layer.tied) data.tied_table = table(i).of(all);
    data.output = own(values_[i].own, i);
    data.kept =
        std::span<float>(values_[i].kept).first(batch_.samples * static_cast<std::size_t>(kernels_[i]->kept_count()));
    data.scratch = scratch_;
    data.state = state_[i].of(all);
    const int rank = layer.split_output ? job_.communicator.rank() : 0;
    data.context = {Mode::training, draws_of_step(job_.job.scenario.seed, steps_, rank), 0, data.samples, {}};
    return data;
  }

  /// This device's rows of the table that a tied layer shares, without the row of zeros.
  [[nodiscard]] NumberRange table(std::size_t tied) const {
    std::size_t owner = tied;
    while (graph_.layers[--owner].kind != LayerKind::embedding) continue;
    const Layer& embedding = part(owner).layer;
    const bool is_split = part(owner).mode == SplitMode::vocabulary;
    const std::int64_t rows = embedding.vocabulary - (is_split ? 1 : 0);
    return {parameters_[owner].first, static_cast<std::size_t>(rows * embedding.out.channels)};
  }

  /// Tokens of other devices become the row of zeros.
  std::span<const float> own_tokens(const LayerPart& layer, std::span<const float> tokens) {
    const auto first = static_cast<float>(layer.first_token), last = static_cast<float>(layer.layer.vocabulary - 1);
    tokens_.resize(tokens.size());
    std::transform(tokens.begin(), tokens.end(), tokens_.begin(), [&](float token) {
      const bool own = token >= first && token < first + last;
      return own ? token - first : last;
    });
    return tokens_;
  }

  void forward(std::size_t i) {
    values_[i].restart();
    const LayerPart& layer = part(i);
    if (is_view(layer.layer.kind)) return;
    ForwardData data = forward_data(i);
    const std::span<double> sums = std::span<double>(sums_[i]).first(sums_[i].size() / 2);
    if (!sums.empty()) {
      kernels_[i]->forward_sums(data, sums);
      data.context.batch_sums = sums;
      kernels_[i]->update_state(data.context, state_[i].of(std::span<float>(weights_)));
    }
    kernels_[i]->forward(data);
    if (layer.mode != SplitMode::row && layer.mode != SplitMode::vocabulary) return;
    begin_exchange(Phase::forward, layer.layer.id);
    exchange_.all_reduce(data.output);
    end_exchange();
  }

  BatchResult loss(double divisor) {
    const LayerPart& layer = part(plan_.kernels());
    const std::span<const float> scores = operand(layer, layer.layer.input);
    const BatchResult result = plan_.loss().value(scores, batch_.targets);
    computed(Phase::forward);
    const GradientPlace place = gradient_place(layer, layer.layer.input);
    if (!place.numbers.empty()) plan_.loss().gradient(scores, batch_.targets, divisor, place.numbers);
    return result;
  }

  /// Adds up what the readers of a layer's output left behind.
  void complete_gradient(std::size_t i) {
    TensorValues& values = values_[i];
    const std::span<float> gradient = own(values.gradient.numbers, i);
    if (!values.partial.empty()) {
      const std::span<float> partial = whole(values.partial.numbers, i);
      begin_exchange(Phase::backward, LayerId(i));
      if (part(i).split_output) {
        exchange_.reduce_scatter(*layouts_[i], partial, values.gradient.take_turn(), gradient);
      } else {
        exchange_.all_reduce(partial);
        const bool adds = values.gradient.take_turn() == Update::add;
        std::transform(partial.begin(), partial.end(), gradient.begin(), gradient.begin(),
                       [adds](float a, float b) { return adds ? a + b : a; });
      }
      end_exchange();
    }
    if (values.of_whole.empty()) return;
    layouts_[i]->pick(whole(values.of_whole.numbers, i), static_cast<std::size_t>(job_.communicator.rank()),
                      values.gradient.take_turn(), gradient);
  }

  void backward(std::size_t i) {
    const LayerPart& layer = part(i);
    if (!plan_.steps(i).slot || is_view(layer.layer.kind)) return;
    complete_gradient(i);
    const ForwardData forward = forward_data(i);
    BackwardData data{forward.samples, forward.parameters, forward.tied_table, forward.input,
                      forward.output,  forward.second,     forward.kept,       forward.scratch};
    data.output_gradient = own(values_[i].gradient.numbers, i);
    data.context = forward.context;
    const std::span<float> all(gradients_);
    if (plan_.steps(i).trains) {
      data.parameter_gradient = parameters_[i].of(all);
      if (layer.layer.tied) data.tied_gradient = table(i).of(all);
    }
    data.parameter_update = Update::add;
    run_backward_sums(i, data);
    const GradientPlace input = gradient_place(layer, layer.layer.input);
    data.input_gradient = input.numbers;
    data.input_update = input.update;
    if (layer.layer.skip.valid()) {
      const GradientPlace second = gradient_place(layer, layer.layer.skip);
      data.second_gradient = second.numbers;
      data.second_update = second.update;
    }
    kernels_[i]->backward(data);
    if (layer.mode == SplitMode::vocabulary) clear_row_of_zeros(i);
  }

  void run_backward_sums(std::size_t i, BackwardData& data) {
    std::vector<double>& sums = sums_[i];
    if (sums.empty()) return;
    data.context.batch_sums = std::span<const double>(sums).first(sums.size() / 2);
    kernels_[i]->backward_sums(data, std::span<double>(sums).last(sums.size() / 2));
    data.context.batch_sums = sums;
  }

  void clear_row_of_zeros(std::size_t i) {
    const LayerPart& layer = part(i);
    const std::span<float> own_gradient = parameters_[i].of(std::span<float>(gradients_));
    for (std::size_t j = 0; j < layer.parameters.size(); ++j) {
      if (layer.parameters[j] == nowhere) own_gradient[j] = 0.0F;
    }
  }

  void update() {
    const Seconds begin = job_.recorder.now();
    optimizer_->begin_step();
    for (const NumberRange& block : optimizer_->blocks()) {
      optimizer_->update(block.first, block.of(std::span<float>(weights_)), block.of(std::span<float>(gradients_)));
    }
    job_.recorder.computed(Phase::optimizer, begin);
  }

  // Computing is recorded in stretches between exchanges.
  void computed(Phase phase) {
    job_.recorder.computed(phase, mark_, microbatch_);
    mark_ = job_.recorder.now();
  }
  void begin_exchange(Phase phase, LayerId layer) {
    computed(phase);
    exchange_.describe(phase, layer, microbatch_);
  }
  void end_exchange() { mark_ = job_.recorder.now(); }

  RealJob job_;
  const ExecutionPlan& plan_;
  const LayerGraph& graph_;
  int devices_;
  TensorSplit split_;
  const OptimizerOptions& options_;
  GroupExchange exchange_;
  std::vector<std::vector<LayerPart>> parts_;  // by device, by layer
  std::vector<std::unique_ptr<LayerKernel>> kernels_;
  std::vector<NumberRange> parameters_, state_;  // by layer, in weights_
  AlignedVector weights_, gradients_;            // of this device
  std::optional<Optimizer> optimizer_;
  std::vector<TensorValues> values_;                 // by layer
  std::vector<std::optional<SplitLayout>> layouts_;  // of the split outputs
  BatchSums sums_;
  AlignedVector scratch_, tokens_;
  std::size_t reserved_ = 0;
  Batch batch_;  // the micro-step under way
  int microbatch_ = 0;
  Seconds mark_;
  std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<RealStep> make_tensor_parallel(const RealJob& job) {
  return std::make_unique<TensorDevice>(job);
}

}  // namespace orrery
