// Degrees that a row leaves blank: given by the other figures, searched, or missing; and what does not fit.
#include <fmt/format.h>

#include "analysis/validation/measured/row_degrees.hpp"
#include "analysis/validation/measured/solved_case.hpp"
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr const char* columns =
    "id,metric,value,unit,device,precision,year,model,devices,tp,pp,dp,zero_stage,global_batch,micro_batch";

RowCase llama(const std::string& cells) {
  return case_of_row(columns, "A-T-1,mfu,40,%,H100-80GB-SXM,bf16,2024,Llama 3 405B," + cells);
}

std::string skipped(const std::string& cells) {
  try {
    llama(cells);
  } catch (const RowSkipped& reason) {
    return reason.what();
  }
  return {};
}

bool ends_so(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

TEST_CASE("a blank tp or pp is searched, with the other as it is stated, and told") {
  const ChosenLayout stages = chosen_layout(llama("16384,8,,,1,2048,1"));
  CHECK(stages.fits);
  CHECK(stages.layout.tp == 8);
  CHECK(stages.layout.pp > 1);  // 405 billion weights and gradients of 2 + 4 bytes on 8 devices are 304 GB each
  CHECK(stages.layout.devices() == 16384);
  const ChosenLayout ranks = chosen_layout(llama("16384,,16,,1,2048,1"));
  CHECK(ranks.fits);
  CHECK(ranks.layout.pp == 16);
  CHECK(ranks.layout.tp > 1);
  CHECK(ranks.layout.sequence_parallel == SequenceParallel::on);
  CHECK(ranks.layout.devices() == 16384);
  CaseSolver solver(shared_tables());
  const SolvedCase& solved = solver.solve(
      one_row(columns, "A-T-1,mfu,40,%,H100-80GB-SXM,bf16,2024,Llama 3 405B," + std::string("16384,8,,,1,2048,1")));
  const std::string& told = solved.row.assumed.back();
  CHECK(told.rfind("tp 8, pp ", 0) == 0);
  CHECK(ends_so(told, "(the fastest that fits)"));
}

TEST_CASE("a blank tp or pp beside dp is what the devices leave for it") {
  const RowCase stages = llama("16384,8,,128,1,2048,1");
  CHECK(stages.layout.pp == 16);
  CHECK_FALSE(stages.open.degrees());
  CHECK(assumes(stages, "pp 16, what 16384 devices leave for it"));
  CHECK(llama("16384,,16,128,1,2048,1").layout.tp == 8);
  CHECK(llama("8,,,8,1,2048,1").layout.tp == 1);
  const RowCase both = llama("16384,,,128,1,2048,1");
  CHECK(both.open.degrees());
  for (const Layout& layout : with_degrees(both)) CHECK(layout.tp * layout.pp == 128);
  CHECK(skipped("16384,8,,100,1,2048,1") == "dp is 100, but 16384 devices / (tp 8 x pp 1 x cp 1) are 2048");
}

TEST_CASE("devices are missing where dp is, too, and else the product, which is told") {
  CHECK(skipped(",8,16,,1,2048,1") == "missing: devices");
  CHECK(skipped(",,,,1,2048,1") == "missing: devices");
  const RowCase row = llama(",8,,2,1,2048,1");
  CHECK(row.layout.devices() == 16);
  CHECK(assumes(row, "16 devices, tp 8 x pp 1 x cp 1 x dp 2"));
}

TEST_CASE("states that are sharded and networks that are no transformers are split by data alone, and that is told") {
  const RowCase sharded = llama("64,,,,FSDP,2048,1");
  CHECK(sharded.layout.dp == 64);
  CHECK_FALSE(sharded.open.degrees());
  CHECK(assumes(sharded, "tp 1, as states are sharded"));
  CHECK(assumes(sharded, "pp 1, as states are sharded"));
  const RowCase images =
      case_of_row(columns, "A-T-1,throughput,1,images/s,V100-32GB-SXM,fp32,2020,ResNet-50,64,,,,,,32");
  CHECK(images.layout.dp == 64);
  CHECK(assumes(images, "tp 1, as such networks are trained by data alone"));
}

TEST_CASE("the batch of a row whose dp is open is not rounded to a dp that nothing chose") {
  // tp 8 alone would leave dp 2048, and 1024 samples would become 2048 of them.
  CHECK(llama("16384,8,,,1,1024,1").job.batch == 1024);
  CHECK(chosen_layout(llama("16384,8,,,1,1024,1")).layout.dp <= 1024);
}

TEST_CASE("a stated layout that does not fit says what it needs") {
  CaseSolver solver(shared_tables());
  const SolvedCase& solved =
      solver.solve(one_row(columns, "A-T-1,mfu,40,%,H100-80GB-SXM,bf16,2024,Llama 3 405B,16384,8,1,,1,2048,1"));
  const double needs = solved.step.memory.peak().value() / gibi;
  CHECK(needs > 80);
  CHECK(solved.row.assumed.back() == fmt::format("needs {:.1f} of 80 GiB", needs));
}

TEST_CASE("a row without a year is of 2022, or of the year after its device's") {
  const auto year = [](const std::string& device) {
    return case_of_row("id,metric,value,unit,model,devices,tp,pp,global_batch,device",
                       "A-T-1,mfu,40,%,Llama 3 8B,8,8,1,64," + device);
  };
  const RowCase hopper = year("H100-80GB-SXM");  // of 2022
  CHECK(hopper.year == 2023);
  CHECK(hopper.job.framework.id == "modern");
  CHECK(hopper.job.precision == Precision::bf16);
  CHECK(assumes(hopper, "year 2023, the one after h100-sxm"));
  const RowCase ampere = year("A100-80GB-SXM");  // of 2020
  CHECK(ampere.year == 2022);
  CHECK(ampere.job.framework.id == "megatron-2021");
  CHECK(assumes(ampere, "year 2022"));
}

}  // namespace orrery
