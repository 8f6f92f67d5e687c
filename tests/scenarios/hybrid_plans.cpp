// Layouts simulated against the closed forms that price them.
#include <algorithm>
#include <cmath>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/training_job.hpp"
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

Scenario gpt(const std::string& keys, const std::string& workload = "", const std::string& cluster = "",
             const std::string& framework = "megatron-2021") {
  return shipped_lab(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 64\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
      "framework = \"" +
      framework + "\"\n" + workload + "[cluster]\nsystem = \"dgx-a100\"\nnodes = 2\n" + cluster +
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + keys);
}

Scenario mixture(const std::string& keys, const std::string& cluster = "") {
  return shipped_lab(
      "[workload]\nnetwork = \"mixtral-8x7b\"\nbatch = 256\nprecision = \"bf16\"\noptimizer = \"adam\"\n"
      "framework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 4\n" +
      cluster + "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + keys);
}

}  // namespace

TEST_CASE("a simulated layout takes what its closed form says, within 1 % without contention") {
  const std::string across = "order = [\"pp\", \"tp\", \"cp\", \"dp\"]\n";
  const std::string keys =
      GENERATE_COPY(as<std::string>(), "", "tp = 8\n", "tp = 4\npp = 4\n", "pp = 4\nzero_stage = 1\n",
                    "tp = 2\npp = 4\ninterleave = 3\nrecompute = \"full\"\n", "tp = 4\npp = 2\ninterleave = 4\n",
                    "tp = 8\nsequence_parallel = true\nzero_stage = 1\nrecompute = \"selective\"\n", "zero_stage = 3\n",
                    "zero_stage = 3\nmicrobatch = 2\nzero_group = 8\n", "pp = 8\nschedule = \"gpipe\"\n",
                    "tp = 2\npp = 4\nschedule = \"zb-h1\"\n", "tp = 2\ncp = 2\npp = 2\n", "tp = 16\n",
                    "tp = 4\ncp = 4\n", "cp = 16\n", "tp = 8\npp = 2\n" + across, "tp = 4\ncp = 2\npp = 2\n" + across);
  INFO(keys);
  const Scenario scenario = gpt(keys);
  CHECK(flow_step(scenario) == Approx(predicted(scenario)).epsilon(0.01));
}

TEST_CASE("where the host sets the pace a simulated layout takes what its closed form says, too") {
  const std::string keys = GENERATE(as<std::string>(), "", "zero_stage = 1\n", "zero_stage = 2\n", "zero_stage = 3\n",
                                    "recompute = \"full\"\n", "tp = 2\nrecompute = \"full\"\n", "tp = 8\n",
                                    "tp = 4\npp = 2\n", "pp = 4\nschedule = \"zb-h1\"\n", "pp = 2\ninterleave = 2\n");
  INFO(keys);
  const Scenario scenario = gpt(keys, "", "", "modern");
  const StepParts parts = predicted_parts(scenario);
  CHECK(parts.host_waits > parts.total() * 0.2);
  CHECK(flow_step(scenario) == Approx(parts.total().value()).epsilon(0.002));
}

TEST_CASE("gradients of a chunk go when its last pass is over, on the host, too") {
  const Way way = simulated(gpt("pp = 2\ninterleave = 2\n", "", "", "modern"));
  const auto& activities = way.records.activities;
  const auto is_host = [](const Activity& activity) { return activity.stream == Stream::host; };
  int exchanges = 0;
  for (const Activity& gradients : activities) {
    if (gradients.phase != Phase::gradient_exchange || gradients.dimension != Dimension::dp) continue;
    ++exchanges;
    const auto amid = [&](const Activity& host) {
      const Seconds margin(1e-9);
      return is_host(host) && host.rank == gradients.rank && host.phase == Phase::backward &&
             host.start + margin < gradients.ready && gradients.ready + margin < host.end;
    };
    CHECK(std::none_of(activities.begin(), activities.end(), amid));
  }
  CHECK(exchanges >= 4);
  CHECK(std::any_of(activities.begin(), activities.end(), is_host));
}

TEST_CASE("gradients wait for an exchange of the last pass that is on the same wires, and hide behind none") {
  // Of eight stages each would hold up the one before it.
  const Scenario shared = shipped_lab(
      "[workload]\nnetwork = \"megatron-7.5b\"\nbatch = 128\nprecision = \"fp16\"\noptimizer = \"sgd\"\n"
      "framework = \"ideal\"\n[cluster]\nsystem = \"aws-p3.16xlarge\"\nnodes = 32\nnetwork_link = \"roce-100\"\n"
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\npp = 8\ncp = 2\ndp = 16\nmicrobatch = 2\n"
      "recompute = \"selective\"\norder = [\"dp\", \"cp\", \"pp\", \"tp\"]\n");
  CHECK(flow_step(shared) == Approx(predicted(shared)).epsilon(0.02));
  // Dense gradients are most in one stage, those of experts in another.
  const Scenario experts = shipped_lab(
      "[workload]\nnetwork = \"deepseek-v2-lite\"\nbatch = 64\ntokens = 512\nprecision = \"bf16\"\noptimizer = "
      "\"adam\"\n"
      "framework = \"ideal\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 8\nnics = 1\n"
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\npp = 4\nep = 8\nchunks = \"uneven\"\n");
  CHECK(flow_step(experts) == Approx(predicted(experts)).epsilon(0.02));
}

TEST_CASE("of the stages in a node one sends out, through the NICs of its devices") {
  const std::string stages = "pp = 16\norder = [\"pp\", \"tp\", \"cp\", \"dp\"]\n";
  const auto transfer = [](const Scenario& scenario) {
    LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
    return std::ranges::max(judge.prices(scenario.strategies[0].hybrid.layout).transfers).value();
  };
  // One device sends out of eight: it fills the one NIC of its node as it would its own.
  CHECK(transfer(gpt(stages, "", "nics = 1\n")) == Approx(transfer(gpt(stages))).epsilon(1e-12));
  // Four devices beside each other send out of eight: of four NICs two are theirs, of two one, of one all of it.
  const auto on = [&](const std::string& nics) { return transfer(gpt("pp = 4\n", "", "nics = " + nics + "\n")); };
  CHECK(on("1") == Approx(on("2")).epsilon(1e-12));
  CHECK(on("2") - on("4") == Approx(2 * (on("4") - on("8"))));
  CHECK(on("4") > 1.5 * on("8"));
}

TEST_CASE("hops inside nodes and between them take what the closed form says") {
  const std::string keys =
      GENERATE(as<std::string>(), "tp = 2\npp = 8\ninterleave = 3\n",
               "pp = 16\norder = [\"pp\", \"tp\", \"cp\", \"dp\"]\n", "tp = 2\npp = 8\n", "tp = 4\npp = 4\n");
  const std::string nics = GENERATE(as<std::string>(), "", "nics = 1\n", "nics = 2\n", "nics = 4\n");
  INFO(keys << nics);
  const Scenario scenario = gpt(keys, "", nics);
  CHECK(flow_step(scenario) == Approx(predicted(scenario)).epsilon(0.003));
}

TEST_CASE("experts spread over nodes take what the closed form says, within 1 % without contention") {
  const std::string keys =
      GENERATE(as<std::string>(), "pp = 4\nep = 8\nrecompute = \"full\"\nzero_stage = 1\n",
               "tp = 8\nep = 4\nrecompute = \"full\"\nzero_stage = 1\n",
               "pp = 4\nep = 8\nrecompute = \"full\"\nzero_stage = 1\norder = [\"pp\", \"tp\", \"cp\", \"dp\"]\n");
  INFO(keys);
  const Scenario scenario = mixture(keys);
  CHECK(flow_step(scenario) == Approx(predicted(scenario)).epsilon(0.01));
}

TEST_CASE("experts on one rank each, shared by those of all slices, take what the closed form says, folded as all") {
  const std::string whole = "etp = 1\nsequence_parallel = true\nrecompute = \"full\"\nzero_stage = 1\n";
  const std::string keys = whole + GENERATE(as<std::string>(), "tp = 2\npp = 2\nep = 8\n", "tp = 2\npp = 4\nep = 2\n",
                                            "tp = 8\nep = 8\n", "tp = 4\npp = 2\nep = 8\ncp = 2\n",
                                            "tp = 2\npp = 2\nep = 8\norder = [\"pp\", \"dp\", \"tp\", \"cp\"]\n");
  INFO(keys);
  const Scenario scenario = mixture(keys);
  const double folded = flow_step(scenario);
  CHECK(folded == Approx(predicted(scenario)).epsilon(0.01));
  CHECK(folded == Approx(flow_step(mixture(keys + "fold = \"never\"\n"))).epsilon(1e-6));
  const Way way = simulated(scenario);
  double sent = way.layout->beside_node.value() + way.layout->beside_network.value();
  for (const Activity& activity : way.records.activities)
    sent += (activity.bytes * way.copies_of(activity.rank)).value();
  CHECK(sent == Approx(way.layout->sent_per_device.value() * 32).epsilon(1e-6));
}

TEST_CASE("chunks that do not divide the blocks take what the closed form says, within 1 %") {
  const std::string keys =
      "chunks = \"uneven\"\n" + GENERATE(as<std::string>(), "pp = 2\ninterleave = 5\n",
                                         "tp = 2\npp = 4\ninterleave = 4\n", "tp = 2\npp = 8\ninterleave = 2\n",
                                         "pp = 16\n", "tp = 4\npp = 4\ninterleave = 6\n");
  INFO(keys);
  const Scenario scenario = gpt(keys);
  const double folded = flow_step(scenario);
  CHECK(folded == Approx(predicted(scenario)).epsilon(0.01));
  CHECK(folded == Approx(flow_step(gpt(keys + "fold = \"never\"\n"))).epsilon(1e-6));
}

TEST_CASE("leaves that pass on less slow groups across them, in closed form as in simulation") {
  // Two nodes, each under a leaf of its own: every ring goes through its uplinks with all that the NICs bring.
  const std::string keys = GENERATE(as<std::string>(), "", "tp = 16\n", "cp = 16\n", "zero_stage = 3\n");
  INFO(keys);
  const std::string tree = "fabric = \"fat-tree\"\nnodes_per_leaf = 1\noversubscription = ";
  double before = 0;
  for (const std::string times : {"1\n", "2\n", "4\n", "8\n"}) {
    const Scenario scenario = gpt(keys, "", tree + times);
    const double step = flow_step(scenario);
    CHECK(step == Approx(predicted(scenario)).epsilon(0.01));
    CHECK(step > before);
    before = step;
  }
}

TEST_CASE("in a large network closed form and simulation agree to half a per cent") {
  const Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"megatron-175b\"\nbatch = 256\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
      "framework = \"megatron-2021\"\n[cluster]\nsystem = \"selene\"\nnodes = 32\n[[strategy]]\nname = \"h\"\n"
      "kind = \"hybrid\"\ntp = 8\npp = 8\ninterleave = 3\nrecompute = \"selective\"\nsequence_parallel = true\n");
  CHECK(step_of(simulated(scenario)) == Approx(predicted(scenario)).epsilon(0.005));
}

TEST_CASE("one rank for all that do the same gives the step of all, to rounding") {
  const std::string keys =
      GENERATE(as<std::string>(), "tp = 4\npp = 2\n", "tp = 2\npp = 2\ninterleave = 2\n", "tp = 8\nzero_stage = 1\n");
  const Way folded = simulated(gpt(keys)), all = simulated(gpt(keys + "fold = \"never\"\n"));
  CHECK(folded.placement.size() < all.placement.size());
  CHECK(folded.devices_used() == 16);
  CHECK(all.devices_used() == 16);
  CHECK(folded.records.makespan.value() == Approx(all.records.makespan.value()).epsilon(1e-6));
}

TEST_CASE("groups across nodes fold to the step of all, on a free and on a thin core") {
  const std::string keys = GENERATE(as<std::string>(), "tp = 16\n", "tp = 4\ncp = 4\n", "zero_stage = 3\n",
                                    "tp = 8\npp = 2\norder = [\"pp\", \"tp\", \"cp\", \"dp\"]\n");
  const std::string leaf = GENERATE(as<std::string>(), "1", "2");
  const std::string core = "fabric = \"fat-tree\"\noversubscription = 4\nnodes_per_leaf = " + leaf + "\n";
  INFO(keys << core);
  const double folded = flow_step(gpt(keys, "", core));
  CHECK(folded == Approx(flow_step(gpt(keys + "fold = \"never\"\n", "", core))).epsilon(1e-6));
}

TEST_CASE("where nothing folds and a rank per device is too much, exchanges of groups only take their time") {
  // A ring through two leaves of two nodes: of a leaf's nodes one sends out, so that they are not alike.
  Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 8\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
      "framework = \"modern\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 4\nfabric = \"fat-tree\"\n"
      "nodes_per_leaf = 2\noversubscription = 4\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\ntp = 16\n"
      "order = [\"dp\", \"tp\", \"cp\", \"pp\"]\n");
  const Way all = simulated(scenario);
  CHECK(all.placement.size() == 32);
  CHECK(all.layout->beside_network.value() < 1e-6 * all.layout->sent_per_device.value());
  scenario.message_budget = 1;
  const Way few = simulated(scenario);
  CHECK(few.placement.size() == 1);
  CHECK(few.layout->beside_network.value() > 0);
  CHECK(std::any_of(few.notes.begin(), few.notes.end(),
                    [](const std::string& note) { return note.find("share no wires") != std::string::npos; }));
  CHECK(flow_step(scenario) == Approx(predicted(scenario)).epsilon(0.01));
}

TEST_CASE("what a layout cannot be, or cannot hold, is infeasible with the nearest values") {
  const Way heads = tried(gpt("tp = 16\npp = 1\ninterleave = 2\n"));
  CHECK(heads.status == WayStatus::infeasible);
  CHECK(heads.error.find("interleave 2 needs a pipeline") != std::string::npos);
  Scenario large = gpt("microbatch = 1\n");
  large.strategies[0].cluster.description.device.memory = Bytes(1e9);
  const Way full = tried(large);
  CHECK(full.status == WayStatus::infeasible);
  CHECK_FALSE(full.fits);
  CHECK(full.memory.peak() > full.capacity);
}

TEST_CASE("filled slots of experts are kept for backward, in proportion") {
  const auto kept = [](const std::string& keys) {
    const Scenario scenario = mixture("pp = 4\nep = 8\nzero_stage = 1\n" + keys);
    LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
    return judge.memory(scenario.strategies[0].hybrid.layout).states.activations.value();
  };
  const double mean = kept("capacity_factor = 1\n");
  CHECK(kept("") == Approx(mean));
  CHECK(kept("capacity_factor = 1.5\n") > 1.1 * mean);
  CHECK(kept("capacity_factor = 2\n") - mean == Approx(2 * (kept("capacity_factor = 1.5\n") - mean)));
  CHECK(kept("expert_imbalance = 1.5\n") == Approx(kept("capacity_factor = 1.5\n")));
}

TEST_CASE("a way of a layout comes back from its bytes") {
  const Way way = simulated(gpt("tp = 4\npp = 2\nzero_stage = 1\n"));
  REQUIRE(way.layout);
  CHECK(way.layout->step_time.low < way.layout->step_time.value);
  CHECK(way.layout->step_time.value < way.layout->step_time.high);
  const Way again = way_from_bytes(to_bytes(way));
  REQUIRE(again.layout);
  CHECK(again.layout->text == "tp4 pp2 dp2 b1 zero1");
  CHECK(again.layout->step_time == way.layout->step_time);
  CHECK(again.copies == way.copies);
  CHECK(again.link_copies == way.link_copies);
}

TEST_CASE("every byte that the closed form counts is on a wire or beside it") {
  const std::string keys =
      GENERATE(as<std::string>(), "", "zero_stage = 1\n", "zero_stage = 2\n", "zero_stage = 3\nmicrobatch = 2\n",
               "zero_stage = 3\nzero_group = 8\n", "tp = 4\n", "pp = 2\ninterleave = 2\ntp = 8\n", "tp = 16\n",
               "tp = 4\ncp = 4\n", "pp = 4\ntp = 2\n");
  INFO(keys);
  const Way way = simulated(gpt(keys));
  double sent = way.layout->beside_node.value() + way.layout->beside_network.value();
  for (const Activity& activity : way.records.activities)
    sent += (activity.bytes * way.copies_of(activity.rank)).value();
  CHECK(sent == Approx(way.layout->sent_per_device.value() * 16).epsilon(1e-6));
}

TEST_CASE("bytes of groups are on the wires that the algebra of the layout says") {
  const auto carried = [](const Way& way, LinkScope scope) {
    double sum = 0;
    for (const LinkUse& use : way.records.links) {
      const PlatformLink& link = way.platform.links[use.link.index()];
      const double copies = way.link_copies.empty() ? 1.0 : way.link_copies[use.link.index()];
      if (link.scope == scope && link.name.find("leaf") == std::string::npos) sum += use.bytes.value() * copies;
    }
    return sum / 2;  // up and down
  };
  // Slices in a node, and over two: 15/16 of a pass stay in a node but for one rank in eight.
  const Way inside = simulated(gpt("tp = 8\n")), across = simulated(gpt("tp = 16\n"));
  CHECK(inside.layout->beside_network.value() == 0);
  CHECK(inside.layout->beside_node.value() < 1e-6 * carried(inside, LinkScope::intra_node));
  CHECK(carried(across, LinkScope::inter_node) == Approx(carried(across, LinkScope::intra_node) / 7).epsilon(1e-9));
  const double all = carried(across, LinkScope::inter_node) + carried(across, LinkScope::intra_node);
  CHECK(all == Approx(across.layout->sent_per_device.value() * 16).epsilon(1e-6));
  // Of the states' exchange a group of 8 crosses nodes for its shards alone.
  const Way sharded = simulated(gpt("zero_stage = 3\nzero_group = 8\n"));
  CHECK(carried(sharded, LinkScope::inter_node) > 0);
  CHECK(carried(sharded, LinkScope::intra_node) > 10 * carried(sharded, LinkScope::inter_node));
}

TEST_CASE("a slow device slows its replica's stage, a slow loader everything") {
  const auto with = [](const std::string& straggler) {
    return step_of(simulated(gpt("tp = 4\npp = 2\nmicrobatch = 4\n" + straggler)));
  };
  const double even = with("");
  CHECK(with("straggler = { rank = 5, factor = 1.5 }\n") > 1.1 * even);
  CHECK(with("straggler = { rank = 5, factor = 3 }\n") > 1.7 * even);
  const double slow = 32 / 8.0;  // samples of a replica / samples per second
  CHECK(simulated(gpt("tp = 4\npp = 2\ninput = { samples_per_s = 8 }\n")).records.makespan.value() ==
        Approx(slow).epsilon(0.1));
}

}  // namespace orrery
