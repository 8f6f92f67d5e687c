#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Channels in `groups` runs: the first of every run, then the second of every run, and so on (ShuffleNet).
class ChannelShuffle final : public LayerKernel {
 public:
  explicit ChannelShuffle(const Layer& layer)
      : positions_(layer.in.height * layer.in.width), groups_(layer.groups), run_(layer.in.channels / layer.groups) {
    ORRERY_EXPECT(layer.in == layer.out && run_ * groups_ == layer.in.channels);
  }

  void forward(const ForwardData& data) const override {
    for_each_number(data.samples, [&](std::int64_t from, std::int64_t to) { data.output[to] = data.input[from]; });
  }

  void backward(const BackwardData& data) const override {
    if (data.input_gradient.empty()) return;
    if (data.input_update == Update::overwrite) {
      for_each_number(data.samples, [&](std::int64_t from, std::int64_t to) {
        data.input_gradient[from] = data.output_gradient[to];
      });
      return;
    }
    for_each_number(data.samples,
                    [&](std::int64_t from, std::int64_t to) { data.input_gradient[from] += data.output_gradient[to]; });
  }

 private:
  /// visit(place in the input, place in the output)
  template <class Visit>
  void for_each_number(std::int64_t samples, Visit visit) const {
    const std::int64_t channels = groups_ * run_;
    for (std::int64_t first = 0; first < samples * positions_ * channels; first += channels) {
      for (std::int64_t group = 0; group < groups_; ++group) {
        for (std::int64_t index = 0; index < run_; ++index) {
          visit(first + group * run_ + index, first + index * groups_ + group);
        }
      }
    }
  }

  std::int64_t positions_, groups_, run_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_channel_shuffle(const Layer& layer) {
  return std::make_unique<ChannelShuffle>(layer);
}

}  // namespace orrery
