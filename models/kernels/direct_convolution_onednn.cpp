// Built instead of direct_convolution.cpp where oneDNN is found: see CMakeLists.txt, ORRERY_ONEDNN.
#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "models/kernels/columns.hpp"
#include "models/kernels/direct_convolution.hpp"
#include "models/kernels/one_thread.hpp"
#include "models/kernels/onednn.hpp"
#include "models/kernels/parallel.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using onednn::Form, onednn::form, onednn::Tag, onednn::Operand, onednn::Step, onednn::numbers_in;
using Forward = dnnl::convolution_forward;
using InputGradient = dnnl::convolution_backward_data;
using WeightGradient = dnnl::convolution_backward_weights;

// The operands as we keep them; the weights in whatever order each pass likes best.
struct Forms {
  Form image, weights, bias, result;
  Forward::primitive_desc forward;
  InputGradient::primitive_desc input_gradient;
  WeightGradient::primitive_desc weight_gradient;

  Forms(const Layer& layer, std::int64_t samples, const dnnl::engine& engine)
      : image(form({samples, layer.in.channels, layer.in.height, layer.in.width}, Tag::nhwc)),
        weights(form({layer.out.channels, layer.in.channels, layer.kernel, layer.kernel}, Tag::hwio)),
        bias(layer.bias ? form({layer.out.channels}, Tag::a) : Form{}),
        result(form({samples, layer.out.channels, layer.out.height, layer.out.width}, Tag::nhwc)) {
    const Form any = form({layer.out.channels, layer.in.channels, layer.kernel, layer.kernel}, Tag::any);
    const dnnl::memory::dims strides{layer.stride, layer.stride}, padding{layer.padding, layer.padding};
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    forward = onednn::describe<Forward>(engine, dnnl::prop_kind::forward_training, direct, image, any, bias, result,
                                        strides, padding, padding);
    input_gradient = onednn::describe_backward<InputGradient>(engine, forward, direct, image, any, result, strides,
                                                              padding, padding);
    weight_gradient = onednn::describe_backward<WeightGradient>(engine, forward, direct, image, any, bias, result,
                                                                strides, padding, padding);
  }
};

// Everything for one number of samples; serves one thread at a time. Each pass turns our weights into the library's
// order, or its gradient into ours.
class Executor {
 public:
  Executor(const Layer& layer, std::int64_t samples)
      : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), forms_(layer, samples, engine_), layer_(layer) {
    weights_room_ =
        std::max({numbers_in(forms_.forward.weights_desc()), numbers_in(forms_.input_gradient.weights_desc()),
                  numbers_in(forms_.weight_gradient.diff_weights_desc())});
    work_room_ = std::max({forward_.work_count(), input_gradient_.work_count(), weight_gradient_.work_count(),
                           to_forward_.work_count(), to_input_gradient_.work_count(), overwrite_.work_count(),
                           add_.work_count()});
  }

  [[nodiscard]] std::int64_t scratch_count() const {
    return weights_room_ + work_room_ + std::max(numbers_in(forms_.image), numbers_in(forms_.result));
  }

  void forward(const ForwardData& data) {
    const Room room = room_in(data.scratch);
    to_forward_.execute(stream_, room.work, weights_.as(DNNL_ARG_FROM, data.parameters.data()),
                        forward_weights_.as(DNNL_ARG_TO, room.weights));
    forward_.execute(stream_, room.work, image_.as(DNNL_ARG_SRC, data.input.data()),
                     forward_weights_.as(DNNL_ARG_WEIGHTS, room.weights), result_.as(DNNL_ARG_DST, data.output.data()),
                     bias(DNNL_ARG_BIAS, data.parameters.data() + weights()));
  }

  void input_gradient(const BackwardData& data) {
    const Room room = room_in(data.scratch);
    const bool adds = data.input_update == Update::add;
    to_input_gradient_.execute(stream_, room.work, weights_.as(DNNL_ARG_FROM, data.parameters.data()),
                               input_gradient_weights_.as(DNNL_ARG_TO, room.weights));
    input_gradient_.execute(stream_, room.work, result_.as(DNNL_ARG_DIFF_DST, data.output_gradient.data()),
                            input_gradient_weights_.as(DNNL_ARG_WEIGHTS, room.weights),
                            image_.as(DNNL_ARG_DIFF_SRC, adds ? room.rest : data.input_gradient.data()));
    if (!adds) return;
    add_columns(room.rest, static_cast<std::int64_t>(data.input_gradient.size()), 1, data.input_gradient.data());
  }

  void parameter_gradient(const BackwardData& data) {
    const Room room = room_in(data.scratch);
    const bool adds = data.parameter_update == Update::add;
    float* biases = data.parameter_gradient.data() + weights();
    weight_gradient_.execute(stream_, room.work, image_.as(DNNL_ARG_SRC, data.input.data()),
                             result_.as(DNNL_ARG_DIFF_DST, data.output_gradient.data()),
                             weight_gradient_weights_.as(DNNL_ARG_DIFF_WEIGHTS, room.weights),
                             bias(DNNL_ARG_DIFF_BIAS, adds ? room.rest : biases));
    (adds ? add_ : overwrite_)
        .execute(stream_, room.work, weight_gradient_weights_.as(DNNL_ARG_FROM, room.weights),
                 weights_.as(DNNL_ARG_TO, data.parameter_gradient.data()));
    if (layer_.bias && adds) add_columns(room.rest, layer_.out.channels, 1, biases);
  }

 private:
  struct Room {
    float *weights, *work, *rest;
  };
  [[nodiscard]] Room room_in(std::span<float> scratch) const {
    ORRERY_EXPECT(static_cast<std::int64_t>(scratch.size()) >= scratch_count());
    return {scratch.data(), scratch.data() + weights_room_, scratch.data() + weights_room_ + work_room_};
  }
  [[nodiscard]] std::int64_t weights() const {
    return layer_.kernel * layer_.kernel * layer_.in.channels * layer_.out.channels;
  }
  dnnl_exec_arg_t bias(int role, const float* numbers) {
    return layer_.bias ? bias_.as(role, numbers) : dnnl_exec_arg_t{};
  }

  dnnl::engine engine_;
  dnnl::stream stream_;
  Forms forms_;
  Layer layer_;
  std::int64_t weights_room_ = 0, work_room_ = 0;
  Operand image_{forms_.image, engine_}, weights_{forms_.weights, engine_}, bias_{forms_.bias, engine_},
      result_{forms_.result, engine_}, forward_weights_{forms_.forward.weights_desc(), engine_},
      input_gradient_weights_{forms_.input_gradient.weights_desc(), engine_},
      weight_gradient_weights_{forms_.weight_gradient.diff_weights_desc(), engine_};
  Step<Forward> forward_{forms_.forward, engine_};
  Step<InputGradient> input_gradient_{forms_.input_gradient, engine_};
  Step<WeightGradient> weight_gradient_{forms_.weight_gradient, engine_};
  Step<dnnl::reorder> to_forward_{reorder(forms_.weights, forms_.forward.weights_desc(), Update::overwrite), engine_},
      to_input_gradient_{reorder(forms_.weights, forms_.input_gradient.weights_desc(), Update::overwrite), engine_},
      overwrite_{reorder(forms_.weight_gradient.diff_weights_desc(), forms_.weights, Update::overwrite), engine_},
      add_{reorder(forms_.weight_gradient.diff_weights_desc(), forms_.weights, Update::add), engine_};

  [[nodiscard]] dnnl::reorder::primitive_desc reorder(const Form& from, const Form& to, Update update) const {
    return onednn::describe_reorder(engine_, from, to, update);
  }
};

// Executors by number of samples, made when a number is first seen, one for every thread that may ask at once.
class OneDnnConvolution final : public DirectConvolution {
  using Owned = std::unique_ptr<Executor>;

  template <class Work>
  auto with_executor(std::int64_t samples, Work work) const {
    const OneThread guard;
    struct Lease {
      const OneDnnConvolution& from;
      std::int64_t samples;
      Owned executor;
      ~Lease() { from.give_back(samples, std::move(executor)); }
    };
    const Lease lease{*this, samples, take(samples)};
    return work(*lease.executor);
  }

  Owned take(std::int64_t samples) const {
    const std::scoped_lock lock(mutex_);
    std::vector<Owned>& idle = idle_[samples];
    if (idle.empty()) {
      for (std::size_t thread = 0; thread < default_workers(); ++thread) {
        idle.push_back(std::make_unique<Executor>(layer_, samples));
      }
    }
    Owned executor = std::move(idle.back());
    idle.pop_back();
    return executor;
  }

  void give_back(std::int64_t samples, Owned executor) const {
    const std::scoped_lock lock(mutex_);
    idle_[samples].push_back(std::move(executor));
  }

 public:
  explicit OneDnnConvolution(const Layer& layer) : layer_(layer) { static_cast<void>(scratch_count(1)); }

  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    return with_executor(samples, [](Executor& executor) { return executor.scratch_count(); });
  }
  void forward(const ForwardData& data) const override {
    with_executor(data.samples, [&](Executor& executor) { executor.forward(data); });
  }
  void input_gradient(const BackwardData& data) const override {
    with_executor(data.samples, [&](Executor& executor) { executor.input_gradient(data); });
  }
  void parameter_gradient(const BackwardData& data) const override {
    with_executor(data.samples, [&](Executor& executor) { executor.parameter_gradient(data); });
  }

 private:
  Layer layer_;
  mutable std::mutex mutex_;
  mutable std::map<std::int64_t, std::vector<Owned>> idle_;
};

}  // namespace

std::unique_ptr<DirectConvolution> make_direct_convolution(const Layer& layer) {
  try {
    return std::make_unique<OneDnnConvolution>(layer);
  } catch (const dnnl::error&) {
    return nullptr;  // nothing in the library fits this shape or this processor
  }
}

}  // namespace orrery
