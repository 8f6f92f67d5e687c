#include "scenarios/measure/tensor_values.hpp"

namespace orrery {

SplitLayout::SplitLayout(const std::vector<std::vector<std::int64_t>>& channels) {
  for (const auto& own : channels) {
    std::vector<Run>& runs = runs_.emplace_back();
    for (const std::int64_t channel : own) {
      const auto at = static_cast<std::size_t>(channel);
      if (!runs.empty() && runs.back().from + runs.back().count == at) {
        ++runs.back().count;
      } else {
        runs.push_back({at, 1});
      }
    }
    channels_ += own.size();
  }
}

/// visit(place in the whole, place in the own part, count), for `numbers` numbers of the whole.
template <class Visit>
void SplitLayout::visit_runs(std::size_t device, std::size_t numbers, Visit visit) const {
  std::size_t own = 0;
  for (std::size_t position = 0; position < numbers / channels_; ++position) {
    for (const Run& run : runs_[device]) {
      visit(position * channels_ + run.from, own, run.count);
      own += run.count;
    }
  }
}

void SplitLayout::put(std::span<const float> own, std::size_t device, std::span<float> whole) const {
  visit_runs(device, whole.size(), [&](std::size_t place, std::size_t at, std::size_t count) {
    std::copy_n(own.data() + at, count, whole.data() + place);
  });
}

void SplitLayout::pick(std::span<const float> whole, std::size_t device, Update update, std::span<float> own) const {
  visit_runs(device, whole.size(), [&](std::size_t place, std::size_t at, std::size_t count) {
    const float* from = whole.data() + place;
    float* to = own.data() + at;
    if (update == Update::overwrite) {
      std::copy_n(from, count, to);
    } else {
      std::transform(from, from + count, to, to, [](float a, float b) { return a + b; });
    }
  });
}

}  // namespace orrery
