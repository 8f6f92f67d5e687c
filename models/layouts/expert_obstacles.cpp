#include "models/layouts/expert_obstacles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/layouts/nearest_values.hpp"

namespace orrery {
namespace {

class ExpertObstacles {
 public:
  ExpertObstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found)
      : job_(job), layout_(layout), found_(found) {}

  void add() {
    check_expert_degree();
    if (layout_.ep == 1) return;
    std::int64_t experts = 0;
    for (const Layer& layer : job_.network.layers) experts = std::max(experts, layer.experts);
    if (experts == 0) {
      found_.push_back(fmt::format("ep {}: {} has no experts - use ep 1", layout_.ep, job_.network.name));
      return;
    }
    if (experts % layout_.ep != 0) {
      found_.push_back(fmt::format("ep {} does not divide {} experts - use ep {}", layout_.ep, experts,
                                   nearest_divisors(experts, layout_.ep)));
    }
    check_ranks();
    check_imbalance();
    check_shared_states();
  }

 private:
  void check_ranks() {
    const std::int64_t ranks = expert_ranks_in_step(layout_);
    if (ranks % layout_.ep == 0 || !has_equal_islands(layout_)) return;
    const bool is_split = expert_tensor_degree(layout_) == layout_.tp;
    const bool whole_would_do = is_split && std::int64_t{replicas_in_step(layout_)} * layout_.tp % layout_.ep == 0;
    found_.push_back(fmt::format("ep {} does not divide {}{} = {} ranks that share the experts - use ep {}{}",
                                 layout_.ep, replicas_text(), is_split ? "" : fmt::format(" x tp {}", layout_.tp),
                                 ranks, nearest_divisors(ranks, layout_.ep), whole_would_do ? ", or etp 1" : ""));
  }

  /// Of the k experts of a token a rank has no more than it holds; in the mean k / ep visit it. Slots need no such
  /// limit: they are filled up.
  void check_imbalance() {
    if (job_.capacity_factor > 0) return;
    double most = job_.expert_imbalance;
    for (const Layer& layer : job_.network.layers) {
      if (layer.kind != LayerKind::mixture_of_experts) continue;
      const auto visits = static_cast<double>(layer.experts_per_token);
      const double held = static_cast<double>(layer.experts) / layout_.ep;
      most = std::min(most, layout_.ep * std::min(visits, held) / visits);
    }
    if (most >= job_.expert_imbalance) return;
    found_.push_back(
        fmt::format("expert_imbalance {:g}: a token visits no expert twice, so of ep {} ranks the busiest has up to "
                    "{:g} times the mean - use expert_imbalance {:g}",
                    job_.expert_imbalance, layout_.ep, most, most));
  }

  void check_expert_degree() {
    const int degree = expert_tensor_degree(layout_);
    if (degree == layout_.tp) return;
    if (degree != 1) {
      found_.push_back(
          fmt::format("etp {}: an expert is split over all tp {} ranks that share a layer, or over none - use etp 1{}",
                      degree, layout_.tp, layout_.tp > 1 ? fmt::format(" or {}", layout_.tp) : ""));
    } else if (layout_.sequence_parallel == SequenceParallel::off) {
      found_.push_back(fmt::format(
          "etp 1 with tp {}: without sequence parallelism every rank has the same tokens to send to experts - use "
          "sequence_parallel true, or etp {}",
          layout_.tp, layout_.tp));
    }
  }

  /// Or some ranks of a group would share their experts' states and others not.
  void check_shared_states() {
    if (layout_.zero_stage < 1 || layout_.zero_group < 1) return;
    const int degree = std::min(expert_tensor_degree(layout_), layout_.tp),
              ranks = layout_.zero_group * (layout_.tp / degree);
    if (ranks % layout_.ep == 0 || layout_.ep % ranks == 0) return;
    found_.push_back(fmt::format(
        "zero_group {} cuts through groups of ep {} that share the experts - use a multiple or a divisor of ep",
        layout_.zero_group, layout_.ep));
  }

  /// Who sums gradients in every step.
  [[nodiscard]] std::string replicas_text() const {
    const int islands = layout_.outer.islands;
    const std::string all = fmt::format("dp {} x cp {}", layout_.dp, layout_.cp);
    return islands == 1 ? all : fmt::format("{} / {} islands", all, islands);
  }

  const TrainingJob& job_;
  const Layout& layout_;
  std::vector<std::string>& found_;
};

}  // namespace

void add_expert_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found) {
  ExpertObstacles(job, layout, found).add();
}

}  // namespace orrery
