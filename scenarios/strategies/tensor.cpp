// Model parallelism inside the layers: every device does a part of each layer, and the group exchanges activations and
// their gradients, which the next layer waits for.
#include <fmt/format.h>

#include <map>
#include <utility>
#include <variant>

#include "models/layouts/tensor_split.hpp"
#include "scenarios/strategies/building.hpp"

namespace orrery {
namespace {

/// What every rank of the group does, in order: compute over a run of layers, or an exchange that ends it.
struct Stretch {
  Phase phase = Phase::forward;
  Span layers;
};
struct Exchange {
  Phase phase = Phase::forward;
  TensorExchange what;
};
using Item = std::variant<Stretch, Exchange>;

std::vector<Share> shares(const TensorSplit& split) {
  std::vector<Share> all;
  for (const LayerSplit& layer : split.layers) all.push_back(layer.share);
  return all;
}

class TensorStep {
 public:
  TensorStep(const Job& job, const TensorSplit& split, double samples)
      : job_(job),
        samples_(samples),
        ranks_work_(job, {samples, job.strategy.accumulation, shares(split)}),
        work_(ranks_work_.of(RankId(0))) {
    for (std::size_t i = 0; i < split.layers.size(); ++i) {
      exchange(Phase::forward, split.layers[i].before_forward);
      extend_forward(Phase::forward, i);
      exchange(Phase::forward, split.layers[i].after_forward);
    }
    for (std::size_t i = split.layers.size(); i-- > 0;) {
      run_again(split, work_.met_first_in({i, i + 1}));
      exchange(Phase::backward, split.layers[i].before_backward);
      extend_backward(i);
    }
  }

  void write(Plan& plan) const {
    std::vector<RankId> members;
    for (std::size_t rank = 0; rank < plan.program.ranks(); ++rank) members.emplace_back(rank);
    const GroupId group = plan.program.add_group(members);
    std::vector<OpId> previous(members.size());
    Computing computing(plan);
    for (int step = 0; step < job_.strategy.accumulation; ++step) {
      for (const Item& item : items_) {
        if (const auto* stretch = std::get_if<Stretch>(&item)) {
          compute(computing, members, *stretch, step, previous);
        } else {
          write(plan.program, group, std::get<Exchange>(item), step, previous);
        }
      }
    }
    for (const RankId rank : members) {
      const Work update = ranks_work_.of(rank).update();
      computing.add(rank, Phase::optimizer, work_.all(), update, -1, behind(previous[rank.index()]));
    }
  }

  [[nodiscard]] std::vector<std::string> notes() const {
    std::map<std::pair<Phase, CollectiveKind>, std::pair<int, double>> totals;  // how many, bytes
    for (const Item& item : items_) {
      if (const auto* exchange = std::get_if<Exchange>(&item)) {
        auto& [count, sum] = totals[{exchange->phase, exchange->what.kind}];
        ++count;
        sum += bytes(exchange->what).value();
      }
    }
    std::vector<std::string> notes;
    for (const auto& [what, total] : totals) {
      notes.push_back(fmt::format("{}: {} x {} of {} bytes in all per micro-step of {} samples", name_of(what.first),
                                  total.first, name_of(what.second), total.second, samples_));
    }
    return notes;
  }

 private:
  [[nodiscard]] Bytes bytes(const TensorExchange& exchange) const {
    return bytes_sent_per_number(job_) * (exchange.numbers * samples_);
  }

  void exchange(Phase phase, const std::vector<TensorExchange>& exchanges) {
    for (const TensorExchange& what : exchanges) items_.emplace_back(Exchange{phase, what});
  }

  /// The forward pass of a segment once more, with its exchanges.
  void run_again(const TensorSplit& split, Span layers) {
    if (work_.again(layers).time.value() <= 0.0) return;
    for (std::size_t i = layers.first; i < layers.end; ++i) {
      exchange(Phase::recompute, split.layers[i].before_forward);
      extend_forward(Phase::recompute, i);
      exchange(Phase::recompute, split.layers[i].after_forward);
    }
  }

  void extend_forward(Phase phase, std::size_t layer) {
    if (Stretch* open = open_stretch(phase)) {
      open->layers.end = layer + 1;
    } else {
      items_.emplace_back(Stretch{phase, {layer, layer + 1}});
    }
  }

  void extend_backward(std::size_t layer) {
    if (Stretch* open = open_stretch(Phase::backward)) {
      open->layers.first = layer;
    } else {
      items_.emplace_back(Stretch{Phase::backward, {layer, layer + 1}});
    }
  }

  Stretch* open_stretch(Phase phase) {
    auto* last = items_.empty() ? nullptr : std::get_if<Stretch>(&items_.back());
    return last != nullptr && last->phase == phase ? last : nullptr;
  }

  [[nodiscard]] Work work_in(const Stretch& stretch, RankId rank) const {
    const LayerWork& own = ranks_work_.of(rank);
    if (stretch.phase == Phase::recompute) return own.again(stretch.layers);
    return own.of(stretch.phase == Phase::backward ? Pass::backward : Pass::forward, stretch.layers);
  }

  /// Each operation of a rank waits for its previous one: nothing overlaps.
  void compute(Computing& computing, const std::vector<RankId>& members, const Stretch& stretch, int step,
               std::vector<OpId>& previous) const {
    for (const RankId rank : members) {
      OpId& last = previous[rank.index()];
      last = computing.add(rank, stretch.phase, stretch.layers, work_in(stretch, rank), step, behind(last));
    }
  }

  void write(Program& program, GroupId group, const Exchange& exchange, int step, std::vector<OpId>& previous) const {
    const CollectiveId collective =
        program.add_collective({exchange.what.kind, job_.strategy.collective, group, bytes(exchange.what), 0});
    for (const RankId rank : program.group(group)) {
      Op op = collective_op(rank, Dimension::tp, exchange.phase, collective, exchange.what.layer, step);
      op.after = behind(previous[rank.index()]);
      previous[rank.index()] = program.add(std::move(op));
    }
  }

  static std::vector<OpId> behind(OpId last) { return last.valid() ? std::vector{last} : std::vector<OpId>(); }

  const Job& job_;
  double samples_;  // of one micro-step
  RankWork ranks_work_;
  const LayerWork& work_;    // of the first rank: what is run again, and when, is the same for all
  std::vector<Item> items_;  // of one micro-step
};

}  // namespace

Plan plan_tensor(const Job& job) {
  const int devices = job.strategy.devices, micro_steps = job.strategy.accumulation;
  if (devices == 1) {
    Plan alone = plan_single(job);
    alone.notes.emplace_back("one device: there is nothing to split");
    return alone;
  }
  Plan plan = start_plan(job, devices);
  const double samples = divide_batch(job, micro_steps, fmt::format("{} micro-steps", micro_steps));
  const TensorSplit split = split_tensor(job.scenario.workload.network, devices);
  const TensorStep step(job, split, samples);
  step.write(plan);
  plan.degrees.tp = devices;
  plan.microbatches = micro_steps;
  plan.memory = memory_of(job, shares(split), samples, 1);
  plan.fullest = smallest_of(job, plan.program.ranks());
  plan.notes = step.notes();
  plan.notes.insert(plan.notes.end(), split.notes.begin(), split.notes.end());
  note_recompute(job, plan);
  plan.notes.emplace_back("exchanges are not overlapped with compute: the next layer needs their result");
  return plan;
}

}  // namespace orrery
