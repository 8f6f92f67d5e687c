// Rows of mixtures of experts, whose layouts no even cut and no plain group of replicas gives.
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using namespace testing;

RowCase case_named(const std::string& model, const std::string& cells) {
  return case_of_row(
      "id,metric,value,unit,device,precision,year,seq_len,model,devices,tp,pp,ep,interleave,global_batch,micro_batch",
      "A-T-1,iteration_time,1,s,H100-80GB-SXM,bf16,2025,4096," + model + "," + cells);
}

}  // namespace

TEST_CASE("groups of experts that only the slices together hold have whole experts") {
  const RowCase spans = case_named("Qwen3 235B-A22B", "256,2,8,32,4,2048,1");
  CHECK(spans.layout.ep == 32);
  CHECK(spans.layout.etp == 1);
  CHECK(assumes(spans, "etp 1, as ep 32 does not divide dp 16 x cp 1"));
  CHECK(LayoutJudge(spans.job).obstacles(spans.layout).empty());
  CHECK(case_named("Qwen3 235B-A22B", "256,2,8,16,4,2048,1").layout.etp == 0);
  CHECK(case_named("Qwen3 235B-A22B", "256,2,8,24,4,2048,1").layout.etp == 0);  // divides neither: an obstacle
}

TEST_CASE("chunks that do not divide the blocks of a row are uneven") {
  const RowCase uneven = case_named("DeepSeek-V3", "256,1,4,64,4,2048,1");
  CHECK(uneven.layout.chunks == Chunks::uneven);
  CHECK(assumes(uneven, "uneven chunks, as 16 do not divide 61 blocks"));
  CHECK(LayoutJudge(uneven.job).obstacles(uneven.layout).empty());
  CHECK(case_named("DeepSeek-V3", "256,1,4,64,5,2048,1").layout.chunks == Chunks::uneven);  // dense ones are dealt, too
  CHECK(case_named("DeepSeek-V3", "256,1,8,32,1,2048,1").layout.chunks == Chunks::equal);
}

TEST_CASE("GPT-OSS is known by its name") {
  const RowCase row = case_named("GPT-OSS 120B", "64,1,4,8,1,512,4");
  CHECK(row.network.shape.experts == 128);
  CHECK(row.network.shape.window == 128);
}

}  // namespace orrery
