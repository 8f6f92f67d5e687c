#include "models/layouts/expert_obstacles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "models/layouts/nearest_degrees.hpp"
#include "sim/base/number.hpp"

namespace orrery {
namespace {

class ExpertObstacles {
 public:
  ExpertObstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found)
      : job_(job), layout_(layout), found_(found) {}

  void add() {
    check_expert_degree();
    if (layout_.ep == 1) return;
    for (const Layer& layer : job_.network.layers) experts_ = std::max(experts_, layer.experts);
    if (experts_ == 0) {
      found_.push_back(fmt::format("ep {}: {} has no experts - use ep 1", layout_.ep, job_.network.name));
      return;
    }
    if (experts_ % layout_.ep != 0) {
      found_.push_back(
          fmt::format("ep {} does not divide {} experts - use ep {}", layout_.ep, experts_, nearest_degrees()));
    }
    check_ranks();
    check_imbalance();
    check_shared_states();
  }

 private:
  /// That meet nothing of what is checked here.
  [[nodiscard]] std::string nearest_degrees() const {
    return nearest_values(layout_.ep, experts_, [this](std::int64_t ep) {
      return experts_ % ep == 0 && (shares_out_ranks(ep) || !has_equal_islands(layout_)) &&
             (ep == 1 || (most_imbalance(ep) >= job_.expert_imbalance && keeps_groups_whole(ep)));
    });
  }

  [[nodiscard]] bool shares_out_ranks(std::int64_t ep) const { return expert_ranks_in_step(layout_) % ep == 0; }

  void check_ranks() {
    if (shares_out_ranks(layout_.ep) || !has_equal_islands(layout_)) return;
    const bool is_split = expert_tensor_degree(layout_) == layout_.tp;
    const bool whole_would_do = is_split && std::int64_t{replicas_in_step(layout_)} * layout_.tp % layout_.ep == 0;
    found_.push_back(fmt::format("ep {} does not divide {}{} = {} ranks that share the experts - use ep {}{}",
                                 layout_.ep, replicas_text(), is_split ? "" : fmt::format(" x tp {}", layout_.tp),
                                 expert_ranks_in_step(layout_), nearest_degrees(),
                                 whole_would_do ? ", or " + whole_experts() : ""));
  }

  /// Without sequence parallelism they are refused.
  [[nodiscard]] std::string whole_experts() const {
    return layout_.sequence_parallel == SequenceParallel::on ? "etp 1" : "etp 1 with sequence_parallel true";
  }

  /// Of the k experts of a token a rank has no more than it holds; in the mean k / ep visit it. Slots need no such
  /// limit: they are filled up.
  [[nodiscard]] double most_imbalance(std::int64_t ep) const {
    double most = job_.expert_imbalance;
    if (job_.capacity_factor > 0) return most;
    for (const Layer& layer : job_.network.layers) {
      if (layer.kind != LayerKind::mixture_of_experts) continue;
      const double visits = number(layer.experts_per_token), held = number(layer.experts) / number(ep);
      most = std::min(most, number(ep) * std::min(visits, held) / visits);
    }
    return most;
  }

  void check_imbalance() {
    const double most = most_imbalance(layout_.ep);
    if (most >= job_.expert_imbalance) return;
    constexpr double digits = 1e4;  // rounded down, so that what is suggested is no more
    const double told = std::floor(most * digits) / digits;
    found_.push_back(
        fmt::format("expert_imbalance {:g}: a token visits no expert twice, so of ep {} ranks the busiest has up to "
                    "{:.10g} times the mean - use expert_imbalance {:.10g}",
                    job_.expert_imbalance, layout_.ep, told, told));
  }

  void check_expert_degree() {
    const int degree = expert_tensor_degree(layout_);
    if (degree == layout_.tp) return;
    if (degree != 1) {
      found_.push_back(
          fmt::format("etp {}: an expert is split over all tp {} ranks that share a layer, or over none - use {}",
                      degree, layout_.tp, other_expert_degrees()));
    } else if (layout_.sequence_parallel == SequenceParallel::off) {
      found_.push_back(fmt::format(
          "etp 1 with tp {}: without sequence parallelism every rank has the same tokens to send to experts - use "
          "sequence_parallel true, or etp {}",
          layout_.tp, layout_.tp));
    }
  }

  [[nodiscard]] std::string other_expert_degrees() const {
    if (layout_.tp == 1) return "etp 1";
    if (layout_.sequence_parallel == SequenceParallel::on) return fmt::format("etp 1 or {}", layout_.tp);
    return fmt::format("etp {}, or {}", layout_.tp, whole_experts());
  }

  /// Or some ranks of a group would share their experts' states and others not.
  [[nodiscard]] bool keeps_groups_whole(std::int64_t ep) const {
    if (layout_.zero_stage < 1 || layout_.zero_group < 1) return true;
    const int degree = std::min(expert_tensor_degree(layout_), layout_.tp);
    const std::int64_t ranks = std::int64_t{layout_.zero_group} * (layout_.tp / degree);
    return ranks % ep == 0 || ep % ranks == 0;
  }

  void check_shared_states() {
    if (keeps_groups_whole(layout_.ep)) return;
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
  std::int64_t experts_ = 0;  // of the layer with most
};

}  // namespace

void add_expert_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found) {
  ExpertObstacles(job, layout, found).add();
}

}  // namespace orrery
