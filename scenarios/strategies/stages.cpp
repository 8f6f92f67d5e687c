#include "scenarios/strategies/stages.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Sums of the same costs in another order differ by less than this part: rounding decides nothing.
constexpr double rounding = 1e-12;

/// What a cut into runs is judged by: the first value, among equals the second.
struct Value {
  double first = infinity, second = infinity;
};

bool clearly_less(double a, double b) {
  return a < b * (1.0 - rounding);
}
bool better(const Value& a, const Value& b) {
  if (clearly_less(a.first, b.first)) return true;
  return !clearly_less(b.first, a.first) && clearly_less(a.second, b.second);
}

struct Partition {
  Value value;
  std::vector<Span> spans;
};

/// The cut of `count` layers into `parts` runs of best value, by dynamic programming. `join(head, part, run)`: the
/// value of a head of runs followed by that run, the part-th; infinity forbids it. Equal values: the last run begins as
/// early as possible.
template <typename Join>
Partition best_partition(std::size_t count, std::size_t parts, const Join& join) {
  // value[p][end]: of the first `end` layers cut into p runs; start[p][end]: where the last of them begins.
  std::vector<std::vector<Value>> value(parts + 1, std::vector<Value>(count + 1));
  std::vector<std::vector<std::size_t>> start(parts + 1, std::vector<std::size_t>(count + 1, 0));
  value[0][0] = {0.0, 0.0};
  for (std::size_t p = 1; p <= parts; ++p) {
    for (std::size_t end = p; end <= count; ++end) {
      for (std::size_t begin = p - 1; begin < end; ++begin) {
        const Value joined = join(value[p - 1][begin], p - 1, Span{begin, end});
        if (!better(joined, value[p][end])) continue;
        value[p][end] = joined;
        start[p][end] = begin;
      }
    }
  }
  Partition best{value[parts][count], std::vector<Span>(parts)};
  std::size_t end = count;
  for (std::size_t p = parts; p > 0; --p) {
    best.spans[p - 1] = {start[p][end], end};
    end = start[p][end];
  }
  return best;
}

std::vector<double> prefix_sums(const std::vector<double>& values) {
  std::vector<double> sums(values.size() + 1, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) sums[i + 1] = sums[i] + values[i];
  return sums;
}

/// 1 for the layers of which every run must have one: those with FLOPs if they suffice, else those that take time, else
/// all.
std::vector<double> layers_that_work(const LayerRow& row, std::size_t parts) {
  for (const std::vector<double>* column : {&row.flops, &row.seconds}) {
    std::vector<double> works;
    for (const double amount : *column) works.push_back(amount > 0 ? 1.0 : 0.0);
    if (static_cast<std::size_t>(std::count(works.begin(), works.end(), 1.0)) >= parts) return works;
  }
  return std::vector<double>(row.seconds.size(), 1.0);
}

}  // namespace

std::vector<Span> cut_into_stages(const LayerRow& row, std::size_t parts) {
  const std::size_t count = row.seconds.size();
  ORRERY_EXPECT(parts >= 1 && parts <= count);
  ORRERY_EXPECT(row.flops.size() == count && row.cut_bytes.size() == count);
  ORRERY_EXPECT(row.seconds_of_part.empty() || row.seconds_of_part.size() == parts);
  std::vector<std::vector<double>> times;
  for (const std::vector<double>& seconds : row.seconds_of_part) times.push_back(prefix_sums(seconds));
  if (times.empty()) times.push_back(prefix_sums(row.seconds));
  const std::vector<double> working = prefix_sums(layers_that_work(row, parts));
  const auto time_of = [&](std::size_t part, Span run) {
    const std::vector<double>& time = times[std::min(part, times.size() - 1)];
    return working[run.end] > working[run.first] ? time[run.end] - time[run.first] : infinity;
  };
  const auto largest = [&](const Value& head, std::size_t part, Span run) {
    return Value{std::max(head.first, time_of(part, run)), 0.0};
  };
  const double smallest = best_partition(count, parts, largest).value.first;
  const double limit = smallest * (1.0 + stage_slack) + rounding * times.front().back();
  const auto traffic = [&](const Value& head, std::size_t part, Span run) {
    const double seconds = time_of(part, run);
    if (seconds > limit) return Value{};
    const double bytes = run.first > 0 ? row.cut_bytes[run.first - 1] : 0.0;
    return Value{head.first + bytes, head.second + seconds * seconds};
  };
  return best_partition(count, parts, traffic).spans;
}

double numbers_across(const LayerGraph& graph, std::size_t cut, Pass pass) {
  const std::vector<bool> wanted =
      pass == Pass::backward ? needs_gradient(graph) : std::vector<bool>(graph.layers.size(), true);
  std::vector<bool> crosses(graph.layers.size(), false);
  double numbers = 0;
  const auto read = [&](LayerId producer) {
    if (!producer.valid() || producer.index() >= cut || crosses[producer.index()]) return;
    if (!wanted[producer.index()]) return;
    crosses[producer.index()] = true;
    numbers += static_cast<double>(graph.layers[producer.index()].out.count());
  };
  for (std::size_t i = cut; i < graph.layers.size(); ++i) {
    read(graph.layers[i].input);
    read(graph.layers[i].skip);
  }
  return numbers;
}

}  // namespace orrery
