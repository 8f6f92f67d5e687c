// Gaps between kernels: launches, a host that is slower than its device, updates that start a kernel for everything.
#include "models/cost/operators.hpp"
#include "models/layouts/blocks.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

TrainingJob small_job(const std::string& network, std::int64_t batch, const std::string& framework) {
  TrainingJob job = megatron_job({4, 1024, 16}, batch, 1, framework);
  job.network = load_network(network);
  job.precision = Precision::fp32;
  job.optimizer = OptimizerKind::adam;
  return job;
}

StepPrediction step_of(const TrainingJob& job) {
  Layout layout;
  layout.microbatch = static_cast<int>(job.batch);
  return LayoutJudge(job).predict(layout);
}

/// Every operator of one pass through the network, on samples of a micro-batch.
std::vector<Operator> operators_of_all(const TrainingJob& job) {
  std::vector<Operator> all;
  OperatorShare share;
  share.samples = static_cast<double>(job.batch);
  for (const Layer& layer : job.network.layers) {
    const LayerOperators lists = operators_of(layer, share, job.precision);
    for (const auto* list : {&lists.forward, &lists.backward_input, &lists.backward_weights}) {
      all.insert(all.end(), list->begin(), list->end());
    }
  }
  return all;
}

}  // namespace

TEST_CASE("An operator that does nothing takes its launches") {
  const TrainingJob job = small_job("neumf", 1, "ideal");
  Operator op;
  op.launches = 3;
  CHECK(operator_time(op, job.cluster.device, job.device_law, job.precision) == launch_time(op, job.device_law));
  CHECK(launch_time(op, job.device_law).value() == Approx(3e-6 * job.device_law.kernel_launch_us.value));
  op.kind = Operator::Kind::product;
  CHECK(launch_time(op, job.device_law).value() == Approx(3e-6 * job.device_law.gemm_launch_us.value));
}

TEST_CASE("Without a host what is left between kernels is their launches") {
  const TrainingJob job = small_job("resnet50", 32, "ideal");
  Seconds launches, time;
  for (const Operator& op : operators_of_all(job)) {
    launches += launch_time(op, job.device_law);
    time += operator_time(op, job.cluster.device, job.device_law, job.precision);
  }
  const StepParts parts = step_of(job).parts;
  CHECK(parts.gaps.value() == Approx(launches.value()));
  CHECK((parts.compute + parts.gaps).value() == Approx(time.value()));
}

TEST_CASE("A small network's step is what its host takes, whatever the batch, and the device stands by") {
  TrainingJob job = small_job("neumf", 16, "pytorch-ddp");
  FrameworkProfile& software = job.framework;
  software.host_forward_us = software.host_backward_us = Ranged(50);
  software.host_update_us = Ranged(5);
  software.host_iteration_ms = Ranged(1);
  software.host_sample_us = Ranged(0);
  double calls = 0;
  for (const Operator& op : operators_of_all(job)) calls += op.launches;
  // 12 tensors: four tables, dense layers of weights and biases; Adam does 8 things to each.
  const double host = calls * 50e-6 + 12 * 8 * 5e-6 + 1e-3;
  const StepPrediction few = step_of(job);
  CHECK(few.time().value() == Approx(host).epsilon(0.02));
  CHECK(few.parts.gaps > few.time() * 0.9);
  job.batch = 64;
  CHECK(step_of(job).time().value() == Approx(few.time().value()).epsilon(0.01));
}

TEST_CASE("An update that is not fused hides its host behind what the device has still to do, not its launches") {
  TrainingJob job = small_job("resnet50", 64, "pytorch-ddp");
  job.framework.host_update_us = Ranged(0);
  const StepParts fused = step_of(job).parts;
  job.framework.host_update_us = Ranged(5);  // 161 x 8 x 5 us: 6 ms of a pass of 0.1 s
  const StepParts apart = step_of(job).parts;
  CHECK(apart.optimizer.value() == Approx(fused.optimizer.value() * 80 / 28));  // bytes of Adam in eight passes, in one
  const double launches = 161 * 8 * job.device_law.kernel_launch_us.value * 1e-6;
  CHECK((apart.gaps - fused.gaps).value() == Approx(launches));
  job.framework.host_update_us = Ranged(500);  // 0.64 s
  CHECK(step_of(job).time() > Seconds(161 * 8 * 500e-6));
}

TEST_CASE("Ranks launch updates of the experts and shards that they hold") {
  TrainingJob job = experts_job(8, "pytorch-ddp");
  FrameworkProfile& software = job.framework;
  software.host_forward_us = software.host_backward_us = software.host_sample_us = Ranged(0);
  const auto gaps = [&](double update_us, int ep, int zero_stage) {
    job.framework.host_update_us = Ranged(update_us);
    Layout layout;
    layout.dp = 8, layout.ep = ep, layout.zero_stage = zero_stage;
    return LayoutJudge(job).predict(layout).parts.gaps;
  };
  const auto launched = [&](int ep, int zero_stage) {
    return (gaps(1e-9, ep, zero_stage) - gaps(0, ep, zero_stage)).value() /
           (unfused_update(job.optimizer).operations * job.device_law.kernel_launch_us.value * 1e-6);
  };
  double all = 0, experts = 0;
  for (const Layer& layer : job.network.layers) {
    all += static_cast<double>(weight_tensors(layer)), experts += static_cast<double>(expert_weight_tensors(layer));
  }
  CHECK(experts == 4 * 8 * 2);  // blocks, experts, products
  CHECK(launched(1, 0) == Approx(all));
  CHECK(launched(8, 0) == Approx(all - experts + experts / 8));
  CHECK(launched(1, 1) == Approx(all / 8));
}

TEST_CASE("While a host updates, inside islands and between them, the device stands by") {
  TrainingJob job = megatron_job({4, 1024, 16}, 16, 16, "modern");
  Layout layout;
  layout.dp = 16, layout.offload = Offload::optimizer;
  layout.outer.islands = 2, layout.outer.every = 4;
  const StepParts parts = LayoutJudge(job).predict(layout).parts;
  CHECK(parts.optimizer == Seconds());
  layout.outer.islands = 1;
  CHECK(parts.gaps > LayoutJudge(job).predict(layout).parts.gaps);
}

TEST_CASE("A recurrent layer is one call of the host, and a launch for every token of the device") {
  TrainingJob job = small_job("lstm-rows", 1, "pytorch-ddp");
  job.framework.host_update_us = job.framework.host_iteration_ms = Ranged(0);
  job.framework.host_forward_us = job.framework.host_backward_us = Ranged(1000);
  double calls = 0;
  for (const Layer& layer : job.network.layers) {
    const LayerOperators lists = operators_of(layer, {}, job.precision);
    calls += static_cast<double>(lists.forward.size() + lists.backward_input.size() + lists.backward_weights.size());
  }
  CHECK(step_of(job).time().value() == Approx(calls * 1e-3).epsilon(0.02));
}

TEST_CASE("Depthwise convolutions take as many times their bytes as the software needs") {
  TrainingJob job = small_job("shufflenet-v2-cifar100", 1024, "ideal");
  const Seconds once = step_of(job).time();
  Seconds depthwise;
  OperatorShare share;
  share.samples = 1024;
  for (const Layer& layer : job.network.layers) {
    if (!is_depthwise(layer)) continue;
    const LayerOperators lists = operators_of(layer, share, job.precision);
    for (const auto* list : {&lists.forward, &lists.backward_input, &lists.backward_weights}) {
      for (const Operator& op : *list) {
        depthwise += operator_time(op, job.cluster.device, job.device_law, job.precision);
        depthwise += launch_time(op, job.device_law) * -1.0;
      }
    }
  }
  job.framework.depthwise_slowness = Ranged(8);
  CHECK((step_of(job).time() - once).value() == Approx(7 * depthwise.value()));
}

TEST_CASE("Weights stand in as many tensors as PyTorch keeps them in") {
  const auto tensors = [](const std::string& network) {
    std::int64_t sum = 0;
    for (const Layer& layer : load_network(network).layers) sum += weight_tensors(layer);
    return sum;
  };
  CHECK(tensors("resnet50") == 161);
  CHECK(tensors("shufflenet-v2-cifar100") == 226);
  CHECK(tensors("neumf") == 4 + 4 * 2);
  CHECK(tensors("mixtral-8x7b") == 3 + 32 * (2 + 2 + 1 + 8 * 3));
}

}  // namespace orrery
