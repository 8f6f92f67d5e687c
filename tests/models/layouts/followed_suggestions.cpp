// What obstacles suggest can be done: on the devices that there are, and beside everything else that a layout asks.
#include <sstream>

#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using namespace testing;
using Told = std::vector<std::string>;

/// A network on so many devices.
TrainingJob job_of(const std::string& network, int devices, std::int64_t batch = 240) {
  TrainingJob job = megatron_job({2, 1024, 16}, batch, devices, "modern");
  job.network = load_network(network);
  return job;
}

Layout tensor_parallel(int tp, int dp, SequenceParallel sequence = SequenceParallel::off) {
  Layout layout;
  layout.tp = tp, layout.dp = dp, layout.sequence_parallel = sequence;
  return layout;
}

/// "use KEY A or B, ..." of an obstacle; empty where it says something else.
std::vector<int> suggested(const std::string& obstacle, const std::string& key) {
  const std::string before = " - use " + key + " ";
  const std::size_t at = obstacle.find(before);
  std::vector<int> values;
  if (at == std::string::npos) return values;
  std::istringstream text(obstacle.substr(at + before.size()));
  for (int value = 0; text >> value;) {
    values.push_back(value);
    std::string word;
    if (!(text >> word) || word != "or") break;
  }
  return values;
}

}  // namespace

TEST_CASE("suggested degrees come out even on the devices that there are") {
  // 25 heads: five ranks would share them, but do not divide 16 devices.
  CHECK(LayoutJudge(job_of("gpt2-xl", 16)).obstacles(tensor_parallel(2, 8)) ==
        Told{"tp 2 does not divide the 25 heads of gpt2-xl - use tp 1"});
  CHECK(LayoutJudge(job_of("gpt2-xl", 40)).obstacles(tensor_parallel(4, 10)) ==
        Told{"tp 4 does not divide the 25 heads of gpt2-xl - use tp 1 or 5"});
}

TEST_CASE("suggested chunks are chunks of as many stages") {
  CHECK(LayoutJudge(job_of("resnet152", 8))
            .obstacles(pipeline(2, 2))
            .back()
            .find("- use interleave 1, or chunks uneven") != std::string::npos);
  const TrainingJob job = megatron_job({26, 1024, 16}, 64, 8);
  // With the ends 28: seven chunks each.
  CHECK(LayoutJudge(job).obstacles(pipeline(4, 3)).back().find("- use interleave 1 or 7, or chunks uneven") !=
        std::string::npos);
}

TEST_CASE("whoever follows a suggestion meets that obstacle no more") {
  const TrainingJob job = megatron_job({30, 1536, 24}, 1680, 48);
  const LayoutJudge judge(job);
  int followed = 0;
  const auto follow = [&](const std::string& obstacle, const std::string& key, int Layout::*degree, Layout layout) {
    for (const int value : suggested(obstacle, key)) {
      Layout other = layout;
      other.*degree = value;
      if (key != "interleave") other.dp = static_cast<int>(48 / (other.devices() / other.dp));
      INFO(obstacle);
      for (const std::string& left : judge.obstacles(other)) CHECK(left.substr(0, 3) != obstacle.substr(0, 3));
      ++followed;
    }
  };
  for (const int tp : {1, 2, 3, 4, 6, 8, 12, 16, 24}) {
    for (const int pp : {1, 2, 3, 4, 6, 8, 12, 16}) {
      for (const int interleave : {1, 2, 3, 4, 5, 16}) {
        if (48 % (tp * pp) != 0) continue;
        Layout layout = tensor_parallel(tp, 48 / (tp * pp));
        layout.pp = pp, layout.interleave = interleave;
        for (const std::string& obstacle : judge.obstacles(layout)) {
          follow(obstacle, "tp", &Layout::tp, layout);
          if (pp > 1) follow(obstacle, "interleave", &Layout::interleave, layout);
        }
      }
    }
  }
  CHECK(followed > 50);
}

TEST_CASE("recurrent layers hand their state along a sequence: its parts cannot be worked on at once") {
  Layout layout;
  layout.cp = 2, layout.dp = 4;
  CHECK(LayoutJudge(job_of("char-lstm", 8)).obstacles(layout) ==
        Told{"cp 2: lstm1 of char-lstm hands its state from token to token, so ranks of later tokens would wait for "
             "those of earlier ones - use cp 1"});
  layout.cp = 1;
  CHECK(LayoutJudge(job_of("char-lstm", 8)).obstacles(layout).empty());
}

TEST_CASE("sequence parallelism gives every rank as many tokens") {
  const LayoutJudge judge(job_of("vit-b16", 8));
  CHECK(judge.obstacles(tensor_parallel(4, 2)).empty());
  CHECK(judge.obstacles(tensor_parallel(4, 2, SequenceParallel::on)) ==
        Told{"sequence_parallel gives every rank as many tokens, but tp 4 does not divide the 197 of vit-b16 - use tp "
             "1, or sequence_parallel false"});
  TrainingJob job = megatron_job({2, 1024, 16}, 16, 16);
  for (Layer& layer : job.network.layers) layer.in.height = layer.out.height = 2044;
  job.network.input.height = 2044;
  Layout layout = tensor_parallel(4, 2, SequenceParallel::on);
  CHECK(LayoutJudge(job).obstacles(layout).empty());
  layout.cp = 2;  // 1022 each
  CHECK(LayoutJudge(job).obstacles(layout) ==
        Told{"sequence_parallel gives every rank as many tokens, but tp 4 x cp 2 = 8 does not divide the 2044 of "
             "megatron - use tp 2, or sequence_parallel false"});
}

}  // namespace orrery
