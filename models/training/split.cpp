#include <algorithm>
#include <numeric>
#include <span>

#include "models/training/dataset.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

template <class Numbers>
void append_row(const Numbers& rows, std::size_t index, std::size_t size, Numbers& to) {
  const auto first = rows.begin() + static_cast<std::ptrdiff_t>(index * size);
  to.insert(to.end(), first, first + static_cast<std::ptrdiff_t>(size));
}

Samples chosen(const Samples& samples, std::span<const std::size_t> indices) {
  const std::size_t count = samples.count();
  Samples part;
  part.labels_per_sample = samples.labels_per_sample;
  for (const std::size_t index : indices) {
    append_row(samples.inputs, index, samples.inputs.size() / count, part.inputs);
    append_row(samples.labels, index, samples.labels_per_sample, part.labels);
    append_row(samples.groups, index, samples.groups.size() / count, part.groups);
    append_row(samples.targets, index, samples.targets.size() / count, part.targets);
  }
  return part;
}

}  // namespace

SampleSets split(const Samples& samples, std::size_t train, Random& random) {
  ORRERY_EXPECT(train <= samples.count());
  std::vector<std::size_t> order(samples.count());
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(order);
  return {chosen(samples, std::span(order).first(train)), chosen(samples, std::span(order).subspan(train))};
}

}  // namespace orrery
