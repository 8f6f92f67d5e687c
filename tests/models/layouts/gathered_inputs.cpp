// What software keeps that gathers inputs of tensor-parallel products once (PyTorch), and what gathers them again
// (Megatron-LM), what copies tokens to exchange them, and what the loss holds where ranks have parts of the logits.
#include "models/cost/operators.hpp"
#include "models/layouts/block_price.hpp"
#include "models/layouts/step_prediction.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr double tokens = 2048, hidden = 1024, classes = 51200;
constexpr int tp = 4, blocks = 4;

TrainingJob keeping(double gathered) {
  TrainingJob job = megatron_job({blocks, 1024, 16}, 8, 8, "modern");
  job.framework.kept_gathered = Ranged(gathered);
  return job;
}

Layout split(SequenceParallel sequence) {
  Layout layout;
  layout.tp = tp, layout.dp = 2, layout.sequence_parallel = sequence;
  return layout;
}

TEST_CASE("gathered inputs that are kept add the other ranks' parts, and are not sent again") {
  const Layout layout = split(SequenceParallel::on);
  const StepPrediction again = LayoutJudge(keeping(0)).predict(layout), kept = LayoutJudge(keeping(1)).predict(layout);
  // What each block's attention and perceptron read, and the head, in 16 bits.
  const double others = (2 * blocks + 1) * tokens * hidden * 2 * (tp - 1) / tp;
  CHECK((kept.memory.states.activations - again.memory.states.activations).value() == Approx(others));
  const double microbatches = 4;
  CHECK((again.exchanged_per_device.node - kept.exchanged_per_device.node).value() == Approx(microbatches * others));
  CHECK(kept.parts.exposed_tp < again.parts.exposed_tp);
}

TEST_CASE("inputs are gathered once more for the gradients of weights alone: not for frozen ones") {
  const auto sent_back = [](const TrainingJob& job) {
    return LayoutJudge(job).prices(split(SequenceParallel::on)).stages[0].chunks[0].tensor_sent.backward.total();
  };
  const auto frozen = [&](const std::string& part) {
    TrainingJob job = keeping(0);
    for (Layer& layer : job.network.layers) layer.frozen = layer.name.find(part) != std::string::npos;
    return job;
  };
  const double each = tokens * hidden * 2 * (tp - 1) / tp;
  const double all = sent_back(keeping(0)).value();
  CHECK(all - sent_back(frozen("block.")).value() == Approx(2 * blocks * each));
  CHECK(all - sent_back(frozen("block.3.")).value() == Approx(2 * each));
  CHECK(sent_back(frozen("block.")).value() - sent_back(keeping(1)).value() == Approx(each));  // the head's
}

TEST_CASE("without sequence parallelism nothing is gathered, kept or sent again") {
  const Layout layout = split(SequenceParallel::off);
  const StepPrediction again = LayoutJudge(keeping(0)).predict(layout), kept = LayoutJudge(keeping(1)).predict(layout);
  CHECK(kept.memory.peak() == again.memory.peak());
  CHECK(kept.time() == again.time());
}

TEST_CASE("tokens of several sequences are copied before each scatter and after each gather along them") {
  const auto priced = [](double copies, int microbatch, SequenceParallel sequence, Precision precision) {
    TrainingJob job = keeping(1);
    job.precision = precision;
    job.framework.sequence_copies = Ranged(copies);
    Layout layout = split(sequence);
    layout.microbatch = microbatch;
    const BlockSequence all = blocks_of(job.network);
    return price_block(job, all.blocks[all.classes[all.repeated]], split_tensor(job.network, tp), layout, paths_of(job),
                       marks_of(job.network, job.framework));
  };
  const TrainingJob job = keeping(1);
  const auto copy_time = [&](double bytes) {
    Operator copy;
    copy.bytes = bytes;
    return operator_time(copy, job.cluster.device, job.device_law, Precision::fp16) /
           job.framework.kernel_efficiency.value;
  };
  const auto on = SequenceParallel::on, off = SequenceParallel::off;
  const BlockPrice none = priced(0, 2, on, Precision::fp16), once = priced(1, 2, on, Precision::fp16);
  // Attention and perceptron gather what goes in and scatter what comes out, and the other way round in backward: two
  // sequences, in 16 bits, read and written.
  const double numbers = 2 * tokens * hidden;
  const double all = 4 * copy_time(2 * 2 * numbers).value();
  CHECK((once.forward - none.forward).value() == Approx(all));
  CHECK((once.backward_input - none.backward_input).value() == Approx(all));
  CHECK(once.forward_kernels - none.forward_kernels == 4);
  CHECK(once.backward_kernels - none.backward_kernels == 4);
  CHECK(once.tensor_forward == none.tensor_forward);
  CHECK(once.tensor_sent.total() == none.tensor_sent.total());
  CHECK(priced(1, 1, on, Precision::fp16).forward == priced(0, 1, on, Precision::fp16).forward);
  CHECK(priced(1, 2, off, Precision::fp16).forward == priced(0, 2, off, Precision::fp16).forward);
  // What is gathered for products in fp8 travels as it was cast; what is scattered, in 16 bits.
  const double cast = 2 * (copy_time(2 * 2 * numbers) + copy_time(2 * numbers)).value();
  const Seconds in_fp8 = priced(1, 2, on, Precision::fp8).forward - priced(0, 2, on, Precision::fp8).forward;
  CHECK(in_fp8.value() == Approx(cast));
}

TEST_CASE("a loss keeps its bytes per logit, no less than the logits themselves") {
  const auto kept = [](double bytes, Precision precision) {
    TrainingJob job = keeping(0);
    job.precision = precision;
    job.framework.kept_logit_bytes = Ranged(bytes);
    Layout whole;
    whole.dp = 8;
    return LayoutJudge(job).memory(whole).states.activations.value();
  };
  const double logits = tokens * classes;
  CHECK(kept(4, Precision::fp16) - kept(2, Precision::fp16) == Approx(2 * logits));
  CHECK(kept(2, Precision::fp32) == kept(4, Precision::fp32));
}

TEST_CASE("the loss holds what its kind takes per logit of a rank: whole ones or parts") {
  const auto working = [](Layout layout) {
    TrainingJob job = keeping(0);
    job.framework.logit_gradient_bytes = Ranged(10);
    job.framework.split_logit_gradient_bytes = Ranged(14);
    return LayoutJudge(job).memory(layout).working.value();
  };
  Layout whole;
  whole.dp = 8;
  CHECK(working(whole) == Approx(10 * tokens * classes));
  CHECK(working(split(SequenceParallel::on)) == Approx(14 * tokens * classes / tp));
  CHECK(working(split(SequenceParallel::off)) == Approx(14 * tokens * classes / tp));
}

}  // namespace
}  // namespace orrery
