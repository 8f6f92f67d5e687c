// Stages for real: every rank holds a run of layers; micro-batches pass through them in the order of the schedule that
// the simulation uses, activations forward, gradients back.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "models/kernels/all_finite.hpp"
#include "models/training/training_step.hpp"
#include "scenarios/measure/cut_tensors.hpp"
#include "scenarios/measure/neighbour_message.hpp"
#include "scenarios/measure/real_step.hpp"
#include "scenarios/measure/schedule_run.hpp"
#include "scenarios/measure/stage_shard.hpp"
#include "scenarios/strategies/stage_plan.hpp"
#include "scenarios/strategies/stages.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr int weights_tag = 1 << 14;  // above those of the micro-batches

/// The embedding and the tied layer on different stages: both hold the table and add up their gradients.
struct TiedTable {
  NumberRange numbers;
  ScheduleRun sum;
};

class Stage final : public RealStep {
 public:
  explicit Stage(const RealJob& job)
      : job_(job),
        stage_(job.communicator.rank()),
        stages_(job.job.strategy.devices),
        order_(stage_order(job.job.strategy)),
        spans_(stage_spans(job.job, order_)),
        options_(job.optimizer),
        tasks_(order_.of(stage_)),
        gradients_(job.plan->parameter_count()),
        shards_(job.plan, span(), most_in_flight(tasks_), [this] { look_after_messages(); }) {
    refuse_clipping(options_, "every stage has the gradients of its own layers only");
    weights_.assign(job.start.begin(), job.start.end());
    if (!is_first()) before_.emplace(*job.plan, span().first);
    if (!is_last()) after_.emplace(*job.plan, span().end);
    find_tied_table();
    optimizer_.emplace(options_, trained_layers());
  }

  BatchResult run(const Batch& batch) override {
    const auto count = static_cast<std::size_t>(order_.microbatches);
    ORRERY_EXPECT(batch.samples % count == 0);
    batch_ = batch;
    samples_ = batch.samples / count;
    result_ = {};
    for (const NumberRange& layer : trained_layers()) {
      const std::span<float> own = layer.of(std::span<float>(gradients_));
      std::fill(own.begin(), own.end(), 0.0F);
    }
    expect_messages();
    for (const Task& task : tasks_) {
      task.kind == Task::Kind::forward ? forward(task.microbatch) : backward(task.microbatch);
    }
    ++steps_;
    if (tied_) exchange_tied();
    update();
    for (NeighbourMessage& message : forward_out_) message.wait(job_);
    for (NeighbourMessage& message : backward_out_) message.wait(job_);
    return result_;
  }

  std::vector<float> weights() override {
    std::vector<float> whole(weights_.begin(), weights_.end());
    for (int stage = 1; stage < stages_; ++stage) {
      if (stage_ != 0 && stage_ != stage) continue;
      for (const NumberRange& own : numbers_of(spans_[static_cast<std::size_t>(stage)])) {
        Ticket ticket = stage_ == 0 ? job_.communicator.receive(own.of(std::span<float>(whole)), stage, weights_tag)
                                    : job_.communicator.send(own.of(std::span<const float>(whole)), 0, weights_tag);
        job_.communicator.wait(ticket);
      }
    }
    return whole;
  }

 private:
  using Way = NeighbourMessage::Way;

  [[nodiscard]] bool is_first() const { return stage_ == 0; }
  [[nodiscard]] bool is_last() const { return stage_ + 1 == stages_; }
  [[nodiscard]] Span span() const { return spans_[static_cast<std::size_t>(stage_)]; }
  static int forward_tag(int microbatch) { return 2 * microbatch; }
  static int backward_tag(int microbatch) { return 2 * microbatch + 1; }

  void find_tied_table() {
    const auto stage_of = [&](LayerId layer) {
      int stage = 0;
      while (spans_[static_cast<std::size_t>(stage)].end <= layer.index()) ++stage;
      return stage;
    };
    for (const Layer& layer : job_.plan->graph().layers) {
      const LayerId owner = owner_of_tied_weights(job_.plan->graph(), layer);
      if (!owner.valid() || layer.frozen || stage_of(owner) == stage_of(layer.id)) continue;
      if (stage_ != stage_of(owner) && stage_ != stage_of(layer.id)) continue;
      const NumberRange table = job_.plan->steps(layer.id.index()).tied_table;
      const Schedule ring = make_schedule(CollectiveKind::all_reduce, Algorithm::ring, {.ranks = 2});
      tied_.emplace(TiedTable{table, ScheduleRun(ring, {stage_of(owner), stage_of(layer.id)}, table.count,
                                                 weights_tag + 1, job_.communicator)});
      return;
    }
  }

  /// Parameters and running statistics of a run of layers; each lies in one piece.
  [[nodiscard]] std::vector<NumberRange> numbers_of(Span layers) const {
    NumberRange parameters = job_.plan->steps(layers.first).parameters, state = job_.plan->steps(layers.first).state;
    for (std::size_t i = layers.first + 1; i < std::min(layers.end, job_.plan->kernels()); ++i) {
      parameters.count += job_.plan->steps(i).parameters.count;
      state.count += job_.plan->steps(i).state.count;
    }
    return {parameters, state};
  }

  /// In order: a tied table that belongs to an earlier stage comes first.
  [[nodiscard]] std::vector<NumberRange> trained_layers() const {
    std::vector<NumberRange> layers;
    const bool of_earlier_stage = tied_ && tied_->numbers.first < job_.plan->steps(span().first).parameters.first;
    if (of_earlier_stage) layers.push_back(tied_->numbers);
    for (std::size_t i = span().first; i < std::min(span().end, job_.plan->kernels()); ++i) {
      if (!job_.plan->graph().layers[i].frozen) layers.push_back(job_.plan->steps(i).parameters);
    }
    return layers;
  }

  /// All receptions of the step at once: what the neighbours send flows while this stage computes.
  void expect_messages() {
    const auto count = static_cast<std::size_t>(order_.microbatches);
    for (auto* messages : {&forward_in_, &forward_out_, &backward_in_, &backward_out_}) messages->resize(count);
    for (int m = 0; m < order_.microbatches; ++m) {
      const auto index = static_cast<std::size_t>(m);
      if (!is_first()) {
        forward_in_[index].numbers.resize(before_->forward_numbers(samples_));
        forward_in_[index].post(Way::in, stage_ - 1, forward_tag(m), Phase::forward, m, job_);
      }
      if (!is_last()) {
        backward_in_[index].numbers.resize(after_->backward_numbers(samples_));
        backward_in_[index].post(Way::in, stage_ + 1, backward_tag(m), Phase::backward, m, job_);
      }
    }
  }

  void look_after_messages() {
    for (auto* messages : {&forward_in_, &forward_out_, &backward_in_, &backward_out_}) {
      for (NeighbourMessage& message : *messages) message.look(job_);
    }
  }

  void wait(NeighbourMessage& message) {
    while (!message.look(job_)) look_after_messages();
  }

  void forward(int microbatch) {
    const auto index = static_cast<std::size_t>(microbatch);
    StageShard& shard = shards_.take(microbatch);
    shard.start(weights_, batch_.part(index * samples_, samples_),
                draws_of_step(job_.job.scenario.seed, steps_, microbatch));
    if (!is_first()) wait(forward_in_[index]);
    const Seconds begin = job_.recorder.now();
    if (!is_first()) before_->unpack_outputs(forward_in_[index].numbers, shard.runner());
    shard.forward();
    if (is_last()) {
      result_ += shard.runner().loss();
    } else {
      forward_out_[index].numbers.resize(after_->forward_numbers(samples_));
      after_->pack_outputs(shard.runner(), forward_out_[index].numbers);
    }
    // The stage of the first layer whose output is not finite tells of it: later ones know only what came.
    const bool finite = is_last() ? std::isfinite(result_.loss_sum) : all_finite(forward_out_[index].numbers);
    if (!finite) throw diverged(steps_ + 1, first_not_finite(shard.runner()), options_.learning_rate);
    job_.recorder.computed(Phase::forward, begin, microbatch);
    if (!is_last())
      forward_out_[index].post(Way::out, stage_ + 1, forward_tag(microbatch), Phase::forward, microbatch, job_);
  }

  /// Of this stage.
  [[nodiscard]] std::string first_not_finite(ShardRunner& runner) const {
    const std::vector<Layer>& layers = job_.plan->graph().layers;
    for (std::size_t i = span().first; i < std::min(span().end, job_.plan->kernels()); ++i) {
      if (!runner.has_finite_output(i)) return layers[i].name;
    }
    return layers.back().name;
  }

  void backward(int microbatch) {
    const auto index = static_cast<std::size_t>(microbatch);
    StageShard& shard = shards_.give_back(microbatch);
    if (!is_last()) wait(backward_in_[index]);
    const Seconds begin = job_.recorder.now();
    if (is_last()) {
      shard.runner().loss_gradient(mean_divisor(*job_.plan, batch_.samples));
    } else {
      after_->unpack_gradients(backward_in_[index].numbers, shard.runner());
    }
    shard.backward(gradients_);
    shard.update_state(weights_);
    if (!is_first()) {
      backward_out_[index].numbers.resize(before_->backward_numbers(samples_));
      before_->pack_gradients(shard.runner(), backward_out_[index].numbers);
    }
    job_.recorder.computed(Phase::backward, begin, microbatch);
    if (!is_first())
      backward_out_[index].post(Way::out, stage_ - 1, backward_tag(microbatch), Phase::backward, microbatch, job_);
  }

  void exchange_tied() {
    Activity what;
    what.stream = Stream::collective;
    what.dimension = Dimension::pp;
    what.phase = Phase::gradient_exchange;
    what.ready = what.start = job_.recorder.now();
    what.bytes = tied_->sum.bytes_sent();
    const std::size_t activity = job_.recorder.open(what);
    tied_->sum.start(tied_->numbers.of(std::span<float>(gradients_)));
    while (!tied_->sum.advance()) look_after_messages();
    job_.recorder.close(activity, job_.recorder.now());
  }

  void update() {
    const Seconds begin = job_.recorder.now();
    optimizer_->begin_step();
    for (const NumberRange& block : optimizer_->blocks()) {
      optimizer_->update(block.first, block.of(std::span<float>(weights_)), block.of(std::span<float>(gradients_)));
      look_after_messages();
    }
    job_.recorder.computed(Phase::optimizer, begin);
  }

  RealJob job_;
  int stage_, stages_;
  StageOrder order_;
  std::vector<Span> spans_;
  const OptimizerOptions& options_;
  std::vector<Task> tasks_;
  std::optional<CutTensors> before_, after_;  // at the stage's ends; none at the network's
  std::optional<TiedTable> tied_;
  std::optional<Optimizer> optimizer_;  // made when the tied table is known
  AlignedVector weights_, gradients_;
  ShardsInFlight shards_;
  std::vector<NeighbourMessage> forward_in_, forward_out_, backward_in_, backward_out_;  // by micro-batch
  Batch batch_;
  std::size_t samples_ = 0;  // of a micro-batch
  BatchResult result_;
  std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<RealStep> make_staged(const RealJob& job) {
  return std::make_unique<Stage>(job);
}

}  // namespace orrery
