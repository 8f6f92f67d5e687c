// Data parallelism for real: every rank trains the whole network on its part of the batch; gradients are added up over
// the ranks bucket by bucket while the backward pass goes on. Batch normalisation sees the rank's own samples only, as
// in PyTorch's DistributedDataParallel.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "models/kernels/parallel.hpp"
#include "models/training/batch_runner.hpp"
#include "models/training/gradient_norm.hpp"
#include "models/training/training_step.hpp"
#include "scenarios/measure/exchange_queue.hpp"
#include "scenarios/measure/real_step.hpp"
#include "scenarios/strategies/buckets.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Runs of parameters that train in layers [first, end), joined where they touch.
std::vector<NumberRange> trainable_in(const ExecutionPlan& plan, Span layers) {
  std::vector<NumberRange> ranges;
  for (std::size_t i = layers.first; i < std::min(layers.end, plan.kernels()); ++i) {
    const NumberRange& own = plan.steps(i).parameters;
    if (own.count == 0 || plan.graph().layers[i].frozen) continue;
    if (!ranges.empty() && ranges.back().first + ranges.back().count == own.first) {
      ranges.back().count += own.count;
    } else {
      ranges.push_back(own);
    }
  }
  return ranges;
}

/// A run of gradients that is exchanged when the layers from `ready_at` on are done.
struct GradientExchange {
  std::size_t ready_at = 0;
  NumberRange numbers;
  ScheduleRun run;
};

/// The exchanges in the order in which backward makes them ready; the same on every rank, a server included.
std::vector<GradientExchange> gradient_exchanges(const RealJob& job) {
  const StrategySpec& strategy = job.job.strategy;
  std::vector<GradientExchange> exchanges;
  const int ranks = ranks_of(strategy);
  if (ranks == 1) return exchanges;
  std::vector<int> members(static_cast<std::size_t>(ranks));
  std::iota(members.begin(), members.end(), 0);
  const bool serves = strategy.collective == Algorithm::parameter_server;
  const int per_node = job.job.cluster.description.devices_per_node;
  const GroupShape shape{.ranks = ranks, .ranks_per_node = per_node, .root = serves ? ranks - 1 : 0};
  const Schedule schedule = make_schedule(CollectiveKind::all_reduce, strategy.collective, shape);
  for (const Bucket& bucket : gradient_buckets(job.plan->graph(), strategy.bucket, Bytes(sizeof(float)))) {
    for (const NumberRange& numbers : trainable_in(*job.plan, bucket.layers)) {
      const int tag = static_cast<int>(exchanges.size());
      exchanges.push_back(
          {bucket.layers.first, numbers, ScheduleRun(schedule, members, numbers.count, tag, job.communicator)});
    }
  }
  return exchanges;
}

Activity exchange_activity() {
  Activity what;
  what.dimension = Dimension::dp;
  what.phase = Phase::gradient_exchange;
  return what;
}

class Replica final : public RealStep {
 public:
  explicit Replica(const RealJob& job)
      : job_(job),
        strategy_(job.job.strategy),
        options_(job.optimizer),
        runner_(job.plan, job.workers),
        optimizer_(options_, trainable_layers()),
        exchanges_(gradient_exchanges(job)),
        queue_(job.recorder) {
    weights_.assign(job.start.begin(), job.start.end());
    std::vector<std::size_t> cuts;
    for (const GradientExchange& exchange : exchanges_) {
      if (strategy_.overlap && (cuts.empty() || cuts.back() != exchange.ready_at)) cuts.push_back(exchange.ready_at);
    }
    runner_.set_gradients_ready(std::move(cuts), [this](std::size_t first, std::size_t) { gradients_ready(first); });
    runner_.set_timer([this](std::size_t worker, std::size_t, Pass pass, double seconds) {
      if (worker == 0) layer_done(pass, Seconds(seconds));
    });
  }

  BatchResult run(const Batch& batch) override {
    const auto replicas = static_cast<std::size_t>(strategy_.devices);
    const auto micro_steps = static_cast<std::size_t>(strategy_.accumulation);
    ORRERY_EXPECT(batch.samples % (replicas * micro_steps) == 0);
    const std::size_t each = batch.samples / replicas;
    const Batch own = batch.part(static_cast<std::size_t>(job_.communicator.rank()) * each, each);
    BatchResult sum;
    next_ = 0;
    for (std::size_t part = 0; part < micro_steps; ++part) {
      begin_micro_step(static_cast<int>(part), part + 1 == micro_steps ? Exchanging::yes : Exchanging::no);
      const PassOptions pass{.divisor = mean_divisor(*job_.plan, batch.samples),
                             .seed = draws_of_step(job_.job.scenario.seed, steps_, job_.communicator.rank()) + part,
                             .update = part == 0 ? Update::overwrite : Update::add};
      sum += runner_.run(weights_, own.part(each * part / micro_steps, each / micro_steps), pass);
    }
    require_finite(sum, ++steps_, options_, [this] { return runner_.first_not_finite(); });
    queue_.finish();
    update();
    return sum;
  }

  std::vector<float> weights() override { return {weights_.begin(), weights_.end()}; }

 private:
  enum class Exchanging : std::uint8_t { no, yes };

  [[nodiscard]] std::vector<NumberRange> trainable_layers() const {
    std::vector<NumberRange> layers;
    for (std::size_t i = 0; i < job_.plan->kernels(); ++i) {
      if (!job_.plan->graph().layers[i].frozen) layers.push_back(job_.plan->steps(i).parameters);
    }
    return layers;
  }

  void begin_micro_step(int index, Exchanging exchanging) {
    micro_step_ = index;
    exchanging_ = exchanging;
    pass_ = Pass::forward;
    mark_ = job_.recorder.now();
  }

  /// Called after each layer: what is under way between the ranks moves on. Handling messages takes the processor away
  /// from computing, and is recorded as such.
  void layer_done(Pass pass, Seconds seconds) {
    const Seconds end = job_.recorder.now();
    if (pass == Pass::backward && pass_ == Pass::forward) {
      job_.recorder.computed(Phase::forward, mark_, end - seconds, micro_step_);
      mark_ = end - seconds;
      pass_ = pass;
    }
    queue_.poll();
    constexpr Seconds little(10 * micro);
    const Seconds polled = job_.recorder.now();
    if (polled - end < little) return;
    job_.recorder.computed(pass == Pass::forward ? Phase::forward : Phase::backward, mark_, end, micro_step_);
    mark_ = polled;
  }

  /// Adding the shards' gradients up is part of the backward pass.
  void gradients_ready(std::size_t first) {
    bool exchanges = false;
    while (exchanging_ == Exchanging::yes && next_ < exchanges_.size() && exchanges_[next_].ready_at >= first) {
      exchanges = true;
      GradientExchange& exchange = exchanges_[next_++];
      const std::span<float> sum = runner_.gradient(exchange.numbers.first, exchange.numbers.count);
      job_.recorder.computed(Phase::backward, mark_, micro_step_);
      queue_.add(exchange.run, sum, exchange_activity());
      mark_ = job_.recorder.now();
    }
    if (exchanges) return;
    job_.recorder.computed(Phase::backward, mark_, micro_step_);
    mark_ = job_.recorder.now();
  }

  void update() {
    const Seconds begin = job_.recorder.now();
    optimizer_.begin_step();
    // Where there was an exchange the shards were added up for it; else now, block by block, and then in the cache.
    const bool clips = options_.clip_norm > 0;
    Sums sums = exchanges_.empty() ? Sums::to_make : Sums::made;
    if (clips) clip(std::exchange(sums, Sums::made));
    for_each_task(optimizer_.blocks().size(), job_.workers, [&](std::size_t task, std::size_t) {
      const NumberRange& block = optimizer_.blocks()[task];
      optimizer_.update(block.first, block.of(std::span<float>(weights_)), gradient(block, sums));
    });
    job_.recorder.computed(Phase::optimizer, begin);
  }

  enum class Sums : std::uint8_t { to_make, made };  // over the shards

  std::span<float> gradient(const NumberRange& block, Sums sums) {
    if (sums == Sums::to_make) return runner_.gradient(block.first, block.count);
    return {runner_.gradient(block.first, 0).data(), block.count};
  }

  /// Every rank has the same sums, and so the same norm.
  void clip(Sums sums) {
    double squares = 0;
    for (const NumberRange& block : optimizer_.blocks()) squares += sum_of_squares(gradient(block, sums));
    const auto factor = static_cast<float>(clip_factor(std::sqrt(squares), options_.clip_norm));
    if (factor >= 1.0F) return;
    for (const NumberRange& block : optimizer_.blocks()) {
      for (float& number : gradient(block, Sums::made)) number *= factor;
    }
  }

  RealJob job_;
  const StrategySpec& strategy_;
  const OptimizerOptions& options_;
  BatchRunner runner_;
  Optimizer optimizer_;
  std::vector<GradientExchange> exchanges_;
  ExchangeQueue queue_;
  AlignedVector weights_;
  std::int64_t steps_ = 0;
  // Of the micro-step under way
  int micro_step_ = 0;
  Exchanging exchanging_ = Exchanging::no;
  Pass pass_ = Pass::forward;
  Seconds mark_;          // when what is being computed began
  std::size_t next_ = 0;  // exchange
};

/// Adds up what the replicas push and lets them pull it.
class ParameterServer final : public RealStep {
 public:
  explicit ParameterServer(const RealJob& job)
      : exchanges_(gradient_exchanges(job)), queue_(job.recorder), sums_(job.plan->parameter_count()) {}

  BatchResult run(const Batch& /*batch*/) override {
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    for (GradientExchange& exchange : exchanges_) {
      queue_.add(exchange.run, exchange.numbers.of(std::span<float>(sums_)), exchange_activity());
    }
    queue_.finish();
    return {};
  }

  std::vector<float> weights() override { return {}; }

 private:
  std::vector<GradientExchange> exchanges_;
  ExchangeQueue queue_;
  AlignedVector sums_;
};

}  // namespace

std::unique_ptr<RealStep> make_data_parallel(const RealJob& job) {
  if (job.communicator.rank() >= job.job.strategy.devices) return std::make_unique<ParameterServer>(job);
  return std::make_unique<Replica>(job);
}

}  // namespace orrery
