#include "scenarios/search/layout_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// A layout that is out: the constraint with its numbers, and by how much where that can be said.
struct Broken {
  std::string text;
  double excess = 0;
};

/// One thread's judgements: of layouts first, first + 1, ...
struct Judged {
  std::vector<std::optional<Candidate>> candidates;
  std::vector<Broken> broken;  // parallel; empty texts for candidates
};

class Examiner {
 public:
  Examiner(const TrainingJob& job, const SearchSpec& spec, const DevicePrices& prices)
      : judge_(job), spec_(spec), prices_(prices), cluster_(job.cluster), precision_(job.precision) {}

  std::optional<Candidate> examine(const Layout& layout, Broken& broken) {
    const std::vector<std::string> obstacles = judge_.obstacles(layout);
    if (!obstacles.empty()) {
      broken.text = obstacles.front();
      return std::nullopt;
    }
    const StepPrediction step = judge_.predict(layout);
    Candidate candidate = figures_of(layout, step);
    if (over_memory(step, candidate, broken) || over_limits(candidate, broken)) return std::nullopt;
    return candidate;
  }

 private:
  [[nodiscard]] Candidate figures_of(const Layout& layout, const StepPrediction& step) const {
    Candidate candidate;
    candidate.layout = layout;
    candidate.step_s = step.time().value();
    candidate.memory_GiB = step.memory.peak().value() / gibi;
    const auto devices = static_cast<double>(layout.devices());
    constexpr double seconds_per_hour = 3600;
    candidate.cost = devices * prices_.per_hour * candidate.step_s / seconds_per_hour;
    const Seconds computing = step.parts.compute + step.parts.recompute + step.parts.optimizer;
    const Seconds idle = step.parts.bubble + step.parts.gaps;
    const Seconds blocked = step.time() - computing - idle;
    candidate.energy_J =
        devices * (prices_.computing * computing + prices_.blocked * blocked + prices_.idle * idle).value();
    const double peak = peak_of(layout.devices()) * candidate.step_s;
    candidate.mfu = peak > 0 ? step.model_flops.value() / peak : 0.0;
    return candidate;
  }

  /// Of the first `devices` devices together.
  [[nodiscard]] double peak_of(std::int64_t devices) const {
    double sum = 0;
    for (std::size_t group = 0; group < cluster_.groups() && devices > 0; ++group) {
      const NodeGroup& nodes = cluster_.group(group);
      const std::int64_t here = std::min(devices, std::int64_t{nodes.nodes} * nodes.devices_per_node);
      sum += nodes.device.peak_for(precision_).value() * static_cast<double>(here);
      devices -= here;
    }
    return sum;
  }

  bool over_memory(const StepPrediction& step, const Candidate& candidate, Broken& broken) const {
    if (!step.fits(cluster_)) {
      broken = {judge_.memory_obstacle(step.memory),
                step.memory.peak() / cluster_.group(step.memory.group).device.memory};
      return true;
    }
    return over(candidate.memory_GiB, spec_.limits.memory_GiB, "memory", "GiB", broken);
  }

  bool over_limits(const Candidate& candidate, Broken& broken) const {
    return over(candidate.step_s, spec_.limits.step_s, "step", "s", broken) ||
           over(candidate.cost, spec_.limits.cost, "cost of a step", "", broken) ||
           over(candidate.energy_J, spec_.limits.energy_J, "energy of a step", "J", broken);
  }

  static bool over(double value, const std::optional<double>& limit, const char* what, const char* unit,
                   Broken& broken) {
    if (!limit || value <= *limit) return false;
    broken = {fmt::format("over the limit: {} {:.4g} of {:.4g} {}", what, value, *limit, unit), value / *limit};
    return true;
  }

  LayoutJudge judge_;
  const SearchSpec& spec_;
  const DevicePrices& prices_;
  const ClusterDescription& cluster_;
  Precision precision_;
};

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// A constraint with N for its numbers, and for memory without its parts: what rejections are counted by. Numbers
/// within names stay.
std::string kind_of(const std::string& text) {
  if (text.starts_with("does not fit")) return "does not fit in the device's memory";
  std::string kind;
  for (std::string word : split(text.substr(0, text.find(" - ")), ' ')) {
    const std::size_t end = word.find_last_not_of(",;:") + 1;
    if (is_number(std::string_view(word).substr(0, end))) word.replace(0, end, "N");
    kind += kind.empty() ? word : " " + word;
  }
  return kind;
}

constexpr std::size_t batch_size = 256;

/// Batches of layouts are taken in turn; every result lands at its layout's place.
class Judging {
 public:
  Judging(const TrainingJob& job, const std::vector<Layout>& layouts, const SearchSpec& spec,
          const DevicePrices& prices, const SearchProgress& progress)
      : job_(job), layouts_(layouts), spec_(spec), prices_(prices), progress_(progress) {
    judged_.candidates.resize(layouts.size());
    judged_.broken.resize(layouts.size());
  }

  Judged run(int threads) {
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
    work();
    for (std::thread& other : others) other.join();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(judged_);
  }

 private:
  void work() {
    try {
      Examiner examiner(job_, spec_, prices_);
      for (std::size_t first = next_.fetch_add(batch_size); first < layouts_.size();
           first = next_.fetch_add(batch_size)) {
        const std::size_t end = std::min(first + batch_size, layouts_.size());
        for (std::size_t i = first; i < end; ++i) {
          judged_.candidates[i] = examiner.examine(layouts_[i], judged_.broken[i]);
        }
        tell(end - first);
      }
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      failure_ = std::current_exception();
      next_ = layouts_.size();
    }
  }

  void tell(std::size_t more) {
    if (!progress_) return;
    const std::scoped_lock lock(mutex_);
    done_ += more;
    progress_(static_cast<double>(done_) / static_cast<double>(layouts_.size()));
  }

  const TrainingJob& job_;
  const std::vector<Layout>& layouts_;
  const SearchSpec& spec_;
  const DevicePrices& prices_;
  const SearchProgress& progress_;
  Judged judged_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::size_t done_ = 0;
  std::exception_ptr failure_;
};

std::vector<Rejection> rejections_of(const std::vector<Layout>& layouts, const std::vector<Broken>& broken) {
  std::map<std::string, Rejection> by_kind;
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    if (broken[i].text.empty()) continue;
    Rejection& rejection = by_kind[kind_of(broken[i].text)];
    const bool is_nearer = rejection.count == 0 || (broken[i].excess > 0 && broken[i].excess < rejection.excess);
    ++rejection.count;
    if (!is_nearer) continue;
    rejection.nearest = fmt::format("{}: {}", to_text(layouts[i]), broken[i].text);
    rejection.excess = broken[i].excess;
  }
  std::vector<Rejection> all;
  for (auto& [kind, rejection] : by_kind) {
    rejection.constraint = kind;
    all.push_back(std::move(rejection));
  }
  std::stable_sort(all.begin(), all.end(), [](const Rejection& a, const Rejection& b) { return a.count > b.count; });
  return all;
}

double value_of(const Candidate& candidate, Objective objective) {
  switch (objective) {
    case Objective::cost:
      return candidate.cost;
    case Objective::energy:
      return candidate.energy_J;
    case Objective::time:
      break;
  }
  return candidate.step_s;
}

}  // namespace

void mark_front(std::vector<Candidate>& candidates) {
  // In order of time only earlier ones can dominate; the front is short.
  std::vector<Candidate*> order;
  for (Candidate& candidate : candidates) order.push_back(&candidate);
  const auto figures = [](const Candidate& c) { return std::array{c.step_s, c.memory_GiB, c.cost, c.energy_J}; };
  std::stable_sort(order.begin(), order.end(),
                   [&](const Candidate* a, const Candidate* b) { return figures(*a) < figures(*b); });
  std::vector<const Candidate*> front;
  for (Candidate* candidate : order) {
    const auto mine = figures(*candidate);
    const bool is_dominated = std::any_of(front.begin(), front.end(), [&](const Candidate* other) {
      const auto its = figures(*other);
      return std::equal(its.begin(), its.end(), mine.begin(), [](double a, double b) { return a <= b; });
    });
    candidate->on_front = !is_dominated;
    if (!is_dominated) front.push_back(candidate);
  }
}

SearchResult search_layouts(const TrainingJob& job, const std::vector<Layout>& layouts, const SearchSpec& spec,
                            const DevicePrices& prices, int threads, const SearchProgress& progress) {
  Judged judged = Judging(job, layouts, spec, prices, progress).run(std::max(1, threads));
  SearchResult result;
  result.judged = layouts.size();
  for (auto& candidate : judged.candidates) {
    if (candidate) result.candidates.push_back(*candidate);
  }
  std::stable_sort(result.candidates.begin(), result.candidates.end(), [&](const Candidate& a, const Candidate& b) {
    return std::pair(value_of(a, spec.objective), a.memory_GiB) < std::pair(value_of(b, spec.objective), b.memory_GiB);
  });
  mark_front(result.candidates);
  result.rejections = rejections_of(layouts, judged.broken);
  return result;
}

}  // namespace orrery
