// Rows of networks that are files: batches in tokens, what their notes say of optimizer and software, power of devices
// that wait for their host.
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using namespace testing;

RowCase case_named(const std::string& cells) {
  return case_of_row("id,metric,value,unit,devices,model,device,precision,micro_batch,source,notes",
                     "A-T-1,throughput,1,tokens/s," + cells);
}

}  // namespace

TEST_CASE("a batch of so many tokens is as many sentences as the network's slots hold") {
  const std::string row = "8,Transformer-big,V100-32GB-SXM,";
  const RowCase whole = case_named(row + "fp16,10240 tokens,x,y");
  CHECK(whole.layout.microbatch == 293);  // 10,240 / 35
  CHECK(whole.job.batch == 8 * 293);
  CHECK(assumes(whole, "micro-batch 293, of so many tokens"));
  CHECK(assumes(whole, "31 tokens counted in a sample"));
  CHECK(case_named(row + "fp32,2560/5120 tokens,x,y").layout.microbatch == 73);
  CHECK(case_named(row + "fp16,2560/5120 tokens,x,y").layout.microbatch == 146);
  CHECK_THROWS_AS(case_named("8,ResNet-50,V100-32GB-SXM,fp16,10240 tokens,x,y"), RowSkipped);
}

TEST_CASE("sentences differ in length, images do not, and text is trained with Adam") {
  const RowCase text = case_named("8,GNMT v2,V100-32GB-SXM,fp16,128,x,y");
  CHECK(text.job.length_variation == 0.073);
  CHECK(text.job.optimizer == OptimizerKind::adam);
  const RowCase images = case_named("8,ResNet-50,V100-32GB-SXM,fp16,128,x,y");
  CHECK(images.job.length_variation == 0);
  CHECK(images.job.optimizer == OptimizerKind::momentum);
}

TEST_CASE("notes name the optimizer") {
  const auto optimizer = [](const std::string& notes) {
    return case_named("1,ResNet-50,V100-32GB-PCIe,fp32,32,x," + notes).job.optimizer;
  };
  CHECK(optimizer("optimizer adadelta") == OptimizerKind::adadelta);
  CHECK(optimizer("optimizer adamw") == OptimizerKind::adamw);
  CHECK(optimizer("LAMB") == OptimizerKind::lamb);
}

TEST_CASE("apex's and DeepSpeed's updates are fused, PyTorch's own of those years are not") {
  const auto update = [](const std::string& source) {
    return case_named("1,BERT-large,V100-32GB-SXM,fp16,32," + source + ",y").job.framework.host_update_us.value;
  };
  CHECK(update("ml-energy/zeus") > 0);
  CHECK(update("NVIDIA/DeepLearningExamples") == 0);
  CHECK(update("microsoft/DeepSpeed") == 0);
}

TEST_CASE("notes say which exchanges show, and that attention and perceptron stand side by side") {
  const RowCase row = case_named("8,Llama 2 7B,A100-80GB-SXM,bf16,1,x,parallel block; shows tensor; shows gradients");
  CHECK(row.network.shape.order == BlockOrder::parallel_one_norm);
  CHECK(row.job.framework.tensor_overlap.value == 0);
  CHECK(row.job.framework.gradient_overlap.value == 0);
  CHECK(row.job.framework.parameter_overlap.value == 0);
  CHECK(case_named("8,Llama 2 7B,A100-80GB-SXM,bf16,1,x,y").network.shape.order == BlockOrder::serial);
}

}  // namespace orrery
