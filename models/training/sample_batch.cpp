#include "models/training/sample_batch.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// The first `count` numbers, more memory only when needed: shrinking and growing again would write zeros each time.
template <class Numbers>
auto first_of(Numbers& numbers, std::size_t count) {
  if (numbers.size() < count) numbers.resize(count);
  return std::span(numbers).first(count);
}

template <class Number>
std::span<Number> row(std::span<Number> rows, std::size_t index, std::size_t size) {
  return rows.subspan(index * size, size);
}

template <class Number>
void copy(std::span<const Number> from, std::span<Number> to) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

std::size_t sample_size(const Samples& samples) {
  return samples.inputs.size() / samples.count();
}

Batch whole(const Samples& samples) {
  return {samples.count(), samples.inputs, {samples.labels, samples.targets}};
}

template <class CopyInput>
Batch SampleBatch::gather_inputs(const Samples& samples, std::span<const std::size_t> indices, CopyInput copy_input) {
  ORRERY_EXPECT(std::all_of(indices.begin(), indices.end(), [&](std::size_t i) { return i < samples.count(); }));
  const std::size_t size = sample_size(samples), labels = samples.labels_per_sample;
  const std::size_t numbers = samples.targets.size() / samples.count();
  const auto all_inputs = std::span<const float>(samples.inputs), all_numbers = std::span<const float>(samples.targets);
  const auto all_labels = std::span<const std::int32_t>(samples.labels);

  const std::span<float> batch_inputs = first_of(inputs_, indices.size() * size);
  const std::span<float> batch_numbers = first_of(numbers_, indices.size() * numbers);
  const std::span<std::int32_t> batch_labels = first_of(labels_, indices.size() * labels);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    copy_input(indices[i], row(all_inputs, indices[i], size), row(batch_inputs, i, size));
    copy(row(all_labels, indices[i], labels), row(batch_labels, i, labels));
    copy(row(all_numbers, indices[i], numbers), row(batch_numbers, i, numbers));
  }
  return {indices.size(), batch_inputs, {batch_labels, batch_numbers}};
}

Batch SampleBatch::gather(const Samples& samples, std::span<const std::size_t> indices) {
  return gather_inputs(samples, indices,
                       [](std::size_t, std::span<const float> from, std::span<float> to) { copy(from, to); });
}

Batch SampleBatch::gather(const Samples& samples, std::span<const std::size_t> indices, const Augmenter& augmenter,
                          std::int64_t epoch) {
  return gather_inputs(samples, indices, [&](std::size_t sample, std::span<const float> from, std::span<float> to) {
    augmenter.copy(from, to, augmenter.change(epoch, sample));
  });
}

}  // namespace orrery
