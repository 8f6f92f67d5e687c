// What obstacles suggest can be done: on the devices that there are, and beside everything else that a layout asks.
#include <map>
#include <sstream>
#include <utility>

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

/// What stands behind "use KEY" or "or KEY" of an obstacle, "A" or "A or B"; empty where it says something else.
std::vector<double> suggested(const std::string& obstacle, const std::string& key) {
  std::vector<double> values;
  const std::size_t from = obstacle.find(" - ");
  for (const std::string word : {"use ", "or "}) {
    const std::size_t at = obstacle.find(" " + word + key + " ", from);
    if (from == std::string::npos || at == std::string::npos) continue;
    std::istringstream text(obstacle.substr(at + 1 + word.size() + key.size() + 1));
    for (double value = 0; text >> value;) {
      values.push_back(value);
      std::string next;
      if (!(text >> next) || next != "or") break;
    }
  }
  return values;
}

/// What an obstacle is about: its text up to the first number.
std::string kind_of(const std::string& obstacle) {
  return obstacle.substr(0, obstacle.find_first_of("0123456789"));
}

/// Follows suggestions and counts them. All devices stay in use where they were.
class Follower {
 public:
  Follower(TrainingJob job, int devices) : job_(std::move(job)), devices_(devices), judge_(job_) {}

  void follow_all(const Layout& layout) {
    for (const std::string& obstacle : judge_.obstacles(layout)) {
      INFO(to_text(layout) << ": " << obstacle);
      CHECK(obstacle.back() != ' ');
      follow(obstacle, "tp", &Layout::tp, layout);
      follow(obstacle, "pp", &Layout::pp, layout);
      follow(obstacle, "cp", &Layout::cp, layout);
      follow(obstacle, "ep", &Layout::ep, layout);
      follow(obstacle, "interleave", &Layout::interleave, layout);
      for (const double value : suggested(obstacle, "expert_imbalance")) {
        TrainingJob other = job_;
        other.expert_imbalance = value;
        expect_gone(LayoutJudge(other), layout, obstacle);
        ++followed_["expert_imbalance"];
      }
    }
  }

  [[nodiscard]] int followed(const std::string& key) const {
    const auto found = followed_.find(key);
    return found == followed_.end() ? 0 : found->second;
  }

 private:
  void follow(const std::string& obstacle, const std::string& key, int Layout::*degree, const Layout& layout) {
    for (const double value : suggested(obstacle, key)) {
      Layout other = layout;
      other.*degree = static_cast<int>(value);
      if (layout.devices() == devices_) other.dp = static_cast<int>(devices_ / (other.devices() / other.dp));
      if (layout.devices() <= devices_) CHECK(other.devices() <= devices_);
      expect_gone(judge_, other, obstacle);
      ++followed_[key];
    }
  }

  static void expect_gone(const LayoutJudge& judge, const Layout& layout, const std::string& obstacle) {
    for (const std::string& left : judge.obstacles(layout)) CHECK(kind_of(left) != kind_of(obstacle));
  }

  TrainingJob job_;
  int devices_;
  LayoutJudge judge_;
  std::map<std::string, int> followed_;
};

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

TEST_CASE("whoever follows a suggestion on stages, slices or chunks meets that obstacle no more") {
  Follower follower(megatron_job({30, 1536, 24}, 1680, 48), 48);
  for (const int tp : {1, 2, 3, 4, 6, 8, 12, 16, 24}) {
    for (const int pp : {1, 2, 3, 4, 6, 8, 12, 16}) {
      for (const int interleave : {1, 2, 3, 4, 5, 16}) {
        Layout layout = tensor_parallel(tp, 1);
        layout.pp = pp, layout.interleave = interleave;
        follower.follow_all(layout);  // on some devices, or on too many
        if (48 % (tp * pp) != 0) continue;
        layout.dp = 48 / (tp * pp);
        follower.follow_all(layout);
      }
    }
  }
  CHECK(follower.followed("tp") >= 70);
  CHECK(follower.followed("interleave") >= 100);
  CHECK(follower.followed("pp") >= 20);
}

TEST_CASE("whoever follows a suggestion on parts of sequences meets that obstacle no more") {
  Follower follower(megatron_job({30, 1536, 24}, 1680, 48), 48);
  for (const int cp : {2, 3, 5, 6, 12, 24, 48, 96}) {
    for (const int tp : {1, 2, 4, 5, 8}) {
      for (const auto sequence : {SequenceParallel::off, SequenceParallel::on}) {
        Layout layout = tensor_parallel(tp, 1, sequence);
        layout.cp = cp;
        follower.follow_all(layout);
        if (48 % (tp * cp) != 0) continue;
        layout.dp = 48 / (tp * cp);
        follower.follow_all(layout);
      }
    }
  }
  CHECK(follower.followed("cp") >= 50);
}

TEST_CASE("whoever follows a suggestion on experts meets that obstacle no more") {
  for (const double imbalance : {1.0, 2.5, 3.0}) {
    TrainingJob job = experts_job(24);
    for (Layer& layer : job.network.layers) {
      if (layer.kind == LayerKind::mixture_of_experts) layer.experts_per_token = 3;
    }
    job.expert_imbalance = imbalance;
    Follower follower(job, 24);
    for (const int tp : {1, 2, 4}) {
      for (const int ep : {2, 3, 4, 5, 6, 8, 12, 24}) {
        for (const int dp : {1, 2, 3, 6, 24 / tp}) {
          Layout layout = tensor_parallel(tp, dp, SequenceParallel::on);
          layout.ep = ep;
          follower.follow_all(layout);
          layout.etp = 1;
          follower.follow_all(layout);
          layout.zero_stage = 1, layout.zero_group = dp;
          follower.follow_all(layout);
        }
      }
    }
    CHECK(follower.followed("ep") >= 100);
    if (imbalance > 1) CHECK(follower.followed("expert_imbalance") >= 10);
  }
}

TEST_CASE("a share that is no round number is suggested rounded down") {
  TrainingJob job = experts_job(16);
  for (Layer& layer : job.network.layers) {
    if (layer.kind == LayerKind::mixture_of_experts) layer.experts_per_token = 3;
  }
  job.expert_imbalance = 3;
  Layout layout;
  layout.dp = 16, layout.ep = 4;  // two of three experts of a token, 4 / 3 of the mean each
  CHECK(LayoutJudge(job).obstacles(layout) ==
        Told{"expert_imbalance 3: a token visits no expert twice, so of ep 4 ranks the busiest has up to 2.6666 times "
             "the mean - use expert_imbalance 2.6666"});
}

TEST_CASE("a pipeline is suggested where there are devices for one, and nothing else is said of its chunks") {
  const auto told = [](int devices, int tp, int dp, int interleave) {
    Layout layout = tensor_parallel(tp, dp);
    layout.interleave = interleave;
    TrainingJob job = megatron_job({24, 1024, 16}, 48, devices, "modern");
    job.cluster.nodes = devices, job.cluster.devices_per_node = 1;
    return LayoutJudge(job).obstacles(layout);
  };
  CHECK(told(8, 1, 8, 3) == Told{"interleave 3 needs a pipeline - use interleave 1 or pp 2"});
  CHECK(told(8, 2, 1, 3) == Told{"interleave 3 needs a pipeline - use interleave 1 or pp 2"});
  CHECK(told(5, 4, 1, 3) == Told{"interleave 3 needs a pipeline - use interleave 1"});
  CHECK(told(8, 1, 8, 7) == Told{"interleave 7 needs a pipeline - use interleave 1"});  // seven chunks divide nothing
}

TEST_CASE("where there are too few devices for any degree that would do one is named all the same") {
  Layout layout = tensor_parallel(10, 1);
  layout.pp = 16;
  const std::vector<std::string> told = LayoutJudge(job_of("gpt2-medium", 8)).obstacles(layout);
  REQUIRE(told.size() >= 2);
  CHECK(told[0] == "dp 1 x tp 10 x pp 16 x cp 1 = 160 devices, but the cluster has 8 - use tp x pp x cp up to 8");
  CHECK(told[1] == "tp 10 does not divide the 16 heads of gpt2-medium - use tp 8 or 16");
  layout = {};
  layout.cp = 24, layout.pp = 12;
  CHECK(LayoutJudge(job_of("gpt2-medium", 8)).obstacles(layout).back() ==
        "cp 24 does not divide the 1024 tokens of a sample - use cp 8");
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
