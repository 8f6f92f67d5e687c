#include "scenarios/search/layout_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "scenarios/search/layout_examiner.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// One thread's judgements: of layouts first, first + 1, ...
struct Judged {
  std::vector<std::optional<Candidate>> candidates;
  std::vector<Broken> broken;  // parallel; empty texts for candidates
};

bool is_number(std::string_view word) {
  if (word.empty() || word.front() < '0' || word.front() > '9') return false;
  double value = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
  return read.ptr == word.data() + word.size();  // also one out of range
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
          const PricesByDevices& prices, const SearchProgress& progress)
      : job_(job), layouts_(layouts), spec_(spec), prices_(prices), progress_(progress) {
    judged_.candidates.resize(layouts.size());
    judged_.broken.resize(layouts.size());
  }

  Judged run(int threads) {
    std::vector<std::jthread> others;  // joined, too, where another one cannot be started
    for (int i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
    work();
    others.clear();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(judged_);
  }

 private:
  void work() {
    try {
      LayoutExaminer examiner(job_, spec_, prices_);
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
  const PricesByDevices& prices_;
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
    rejection.kind = broken[i].kind;
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

/// Layouts that only how much is computed again tells apart.
bool is_same_but_recomputation(Layout one, const Layout& other) {
  one.recompute = other.recompute;
  return to_text(one) == to_text(other);
}

/// Of candidates with the same figures, which lie beside each other, all but the first where only recomputation
/// differs: with fused attention `selective` computes nothing again.
std::size_t leave_out_repeated(std::vector<Candidate>& candidates) {
  const auto figures = [](const Candidate& c) { return std::array{c.step_s, c.memory_GiB, c.cost, c.energy_J, c.mfu}; };
  std::vector<Candidate> kept;
  for (const Candidate& candidate : candidates) {
    bool is_repeated = false;
    for (auto other = kept.rbegin(); other != kept.rend() && figures(*other) == figures(candidate); ++other) {
      is_repeated = is_repeated || is_same_but_recomputation(other->layout, candidate.layout);
    }
    if (!is_repeated) kept.push_back(candidate);
  }
  const std::size_t repeated = candidates.size() - kept.size();
  candidates = std::move(kept);
  return repeated;
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
                            const PricesByDevices& prices, int threads, const SearchProgress& progress) {
  Judged judged = Judging(job, layouts, spec, prices, progress).run(std::max(1, threads));
  SearchResult result;
  result.judged = layouts.size();
  for (auto& candidate : judged.candidates) {
    if (candidate) result.candidates.push_back(*candidate);
  }
  std::stable_sort(result.candidates.begin(), result.candidates.end(), [&](const Candidate& a, const Candidate& b) {
    return std::pair(value_of(a, spec.objective), a.memory_GiB) < std::pair(value_of(b, spec.objective), b.memory_GiB);
  });
  result.repeated = leave_out_repeated(result.candidates);
  mark_front(result.candidates);
  result.rejections = rejections_of(layouts, judged.broken);
  return result;
}

}  // namespace orrery
