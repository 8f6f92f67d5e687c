// Searches over layouts: the space, the order of results, the front, and why layouts are out.
#include <algorithm>

#include "scenarios/search/layout_search.hpp"
#include "scenarios/search/search_space.hpp"
#include "scenarios/search/step_use.hpp"
#include "scenarios/search/unusable_values.hpp"
#include "scenarios/training_job.hpp"
#include "tests/scenarios/hybrid_lab.hpp"
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

std::string gpt(const std::string& keys = "", const std::string& search = "") {
  return "[workload]\nnetwork = \"gpt-mini\"\nbatch = 32\nprecision = \"fp32\"\noptimizer = \"adam\"\nframework = "
         "\"ideal\"\n"
         "[cluster]\nsystem = \"box\"\nnodes = 2\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" +
         keys + search;
}

struct Search {
  Scenario scenario;
  SearchSpec spec;
  TrainingJob job;
  std::vector<Layout> layouts;
  explicit Search(const std::string& text)
      : scenario(scenario_of(text)),
        spec(scenario.search.value_or(SearchSpec{})),
        job(training_job(scenario, scenario.strategies[0])),
        layouts(search_space(spec, job, scenario.strategies[0].hybrid.layout)) {}
  [[nodiscard]] SearchResult result(int threads = 1) const { return search_layouts(job, layouts, spec, {}, threads); }
};

/// On 16 H100; experts stay as they are said to be.
std::string mixture(const std::string& keys, const std::string& search) {
  return "[workload]\nnetwork = \"mixtral-8x7b\"\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adam\"\n"
         "framework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 2\n[[strategy]]\nname = \"h\"\n"
         "kind = \"hybrid\"\n" +
         keys + "[search]\ntp = [1, 2]\npp = [4]\nep = [2]\nzero_stage = [1]\nmicrobatch = [1]\ninterleave = [1]\n" +
         "recompute = [\"full\"]\n" + search;
}

std::vector<std::string> shipped_space(const std::string& text) {
  const Scenario scenario = shipped_lab(text);
  const StrategySpec& base = scenario.strategies[0];
  std::vector<std::string> names;
  for (const Layout& layout : search_space(*scenario.search, training_job(scenario, base), base.hybrid.layout)) {
    names.push_back(to_text(layout));
  }
  return names;
}

std::vector<std::string> unusable(const std::string& lists) {
  const Search search(gpt("", "[search]\n" + lists));
  return unusable_values(search.spec, 8, search.layouts);
}

Candidate candidate(double step, double memory, double cost) {
  Candidate made;
  made.step_s = step, made.memory_GiB = memory, made.cost = cost;
  return made;
}

}  // namespace

TEST_CASE("divisors come in order") {
  CHECK(divisors(12) == std::vector<std::int64_t>{1, 2, 3, 4, 6, 12});
  CHECK(divisors(16) == std::vector<std::int64_t>{1, 2, 4, 8, 16});
  CHECK(divisors(1) == std::vector<std::int64_t>{1});
}

TEST_CASE("without lists every layout uses all devices, each once") {
  const Search search(gpt());
  CHECK(search.layouts.size() > 50);
  std::vector<std::string> names;
  for (const Layout& layout : search.layouts) {
    CHECK(layout.devices() == 8);
    names.push_back(to_text(layout) + (layout.sequence_parallel == SequenceParallel::on ? "+" : "-"));
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("lists are taken as they are, without what would need more devices") {
  const Search search(gpt("",
                          "[search]\ntp = [1, 2]\npp = [1]\ndp = [1, 4, 8]\nmicrobatch = [2]\nzero_stage = [1]\n"
                          "recompute = [\"full\"]\n"));
  std::vector<std::string> names;
  for (const Layout& layout : search.layouts) names.push_back(to_text(layout));
  CHECK(names == std::vector<std::string>{"tp1 pp1 dp1 b2 zero1 full", "tp1 pp1 dp4 b2 zero1 full",
                                          "tp1 pp1 dp8 b2 zero1 full", "tp2 pp1 dp1 b2 zero1 full sp",
                                          "tp2 pp1 dp4 b2 zero1 full sp"});
}

TEST_CASE("a layout without a pipeline has no schedule and is found once, whatever is listed") {
  using Names = std::vector<std::string>;
  const auto names_with = [](const std::string& schedules) {
    const Search search(gpt("",
                            "[search]\ntp = [1]\npp = [1, 2]\nmicrobatch = [2]\nzero_stage = [0]\ninterleave = [1]\n"
                            "recompute = [\"none\"]\nschedule = " +
                                schedules));
    Names names;
    for (const Layout& layout : search.layouts) names.push_back(to_text(layout));
    return names;
  };
  const Names both = {"tp1 pp1 dp8 b2", "tp1 pp2 dp4 b2 zb-h1", "tp1 pp2 dp4 b2"};
  CHECK(names_with("[\"zb-h1\", \"1f1b\"]\n") == both);
  CHECK(names_with("[\"zb-h1\"]\n") == Names{both[0], both[1]});
  CHECK(names_with("[\"gpipe\"]\n") == Names{both[0], "tp1 pp2 dp4 b2 gpipe"});
}

TEST_CASE("a search gives the same for any number of threads, the best first") {
  const Search search(gpt());
  const SearchResult one = search.result(1), four = search.result(4);
  REQUIRE(one.candidates.size() > 3);
  REQUIRE(one.candidates.size() == four.candidates.size());
  for (std::size_t i = 0; i < one.candidates.size(); ++i) {
    CHECK(to_text(one.candidates[i].layout) == to_text(four.candidates[i].layout));
    CHECK(one.candidates[i].step_s == four.candidates[i].step_s);
    if (i > 0) CHECK(one.candidates[i - 1].step_s <= one.candidates[i].step_s);
  }
  CHECK(one.candidates.front().on_front);
  std::size_t out = 0;
  for (const Rejection& rejection : one.rejections) out += rejection.count;
  CHECK(one.judged == one.candidates.size() + one.repeated + out);
}

TEST_CASE("a limit that nothing meets names the layout that comes nearest") {
  Search search(gpt("", "[search]\ntp = [1]\npp = [1]\nrecompute = [\"none\"]\n[search.limits]\nstep_s = 1e-9\n"));
  const SearchResult result = search.result();
  CHECK(result.candidates.empty());
  REQUIRE(!result.rejections.empty());
  CHECK(result.rejections.front().constraint.starts_with("over the limit: step"));
  search.spec.limits.step_s.reset();
  const SearchResult free = search.result();
  REQUIRE(!free.candidates.empty());
  CHECK(result.rejections.front().excess == Approx(free.candidates.front().step_s / 1e-9));
}

TEST_CASE("experts are split as far as tp of each layout goes, unless a list or the strategy says otherwise") {
  using Names = std::vector<std::string>;
  const Names split = {"tp1 pp4 dp4 ep2 b1 zero1 full", "tp2 pp4 dp2 ep2 b1 zero1 full sp"};
  CHECK(shipped_space(mixture("", "")) == split);
  CHECK(shipped_space(mixture("tp = 2\n", "")) == split);
  const Names whole = {"tp1 pp4 dp4 ep2 b1 zero1 full", "tp2 pp4 dp2 ep2 etp1 b1 zero1 full sp"};
  CHECK(shipped_space(mixture("etp = 1\n", "")) == whole);
  CHECK(shipped_space(mixture("", "etp = [\"1\"]\n")) == whole);
  CHECK(shipped_space(mixture("", "etp = [\"1\", \"tp\"]\n")) == Names{whole[0], whole[1], split[1]});
}

TEST_CASE("values of lists that no layout has are named, with why and the nearest that can be") {
  using Texts = std::vector<std::string>;
  CHECK(unusable("tp = [3]\n") ==
        Texts{"tp 3: the cluster's 8 devices are no multiple of it - use 2 or 4, or list dp"});
  CHECK(unusable("tp = [1, 2]\npp = [1, 16]\n") == Texts{"pp 16: the cluster has 8 devices - use 8 at most"});
  CHECK(unusable("tp = [2, 4]\ndp = [2, 8]\n") ==
        Texts{"dp 8: with the others that are listed at least 16 devices, and the cluster has 8 - use 4 at most"});
  CHECK(unusable("pp = [1]\ninterleave = [1, 2]\n") ==
        Texts{"interleave 2: no pp that is tried makes a pipeline - use 1, or pp 2 or more"});
  CHECK(unusable("tp = [1, 2]\npp = [1, 2]\n").empty());
}

TEST_CASE("layouts that only their recomputation tells apart, and no figure, are found once") {
  // Fused attention keeps no scores, so that selective recomputation computes nothing again.
  Search search(gpt("",
                    "[search]\ntp = [1]\npp = [1]\nzero_stage = [0]\nmicrobatch = [1]\n"
                    "recompute = [\"none\", \"selective\", \"full\"]\n"));
  search.job.framework.flash_attention.value = 1;
  const SearchResult result = search.result();
  CHECK(result.judged == 3);
  CHECK(result.repeated == 1);
  REQUIRE(result.candidates.size() == 2);
  CHECK(to_text(result.candidates[0].layout) == "tp1 pp1 dp8 b1");
  CHECK(to_text(result.candidates[1].layout) == "tp1 pp1 dp8 b1 full");
}

TEST_CASE("a figure and its limit are told apart by their digits") {
  Candidate one = candidate(1, 5, 0);
  one.energy_J = 270004;
  SearchLimits limits;
  CHECK(over_limit(one, limits).empty());
  limits.energy_J = 270000;
  CHECK(over_limit(one, limits) == "over the limit: energy of a step 270.004 of 270 kJ");
  limits.energy_J = 270004, limits.memory_GiB = 4;
  CHECK(over_limit(one, limits) == "over the limit: memory 5 of 4 GiB");
  limits.step_s = 0.05, limits.energy_J = 20000;
  CHECK(over_limit(one, limits) ==
        "over the limit: memory 5 of 4 GiB and step 1000 of 50 ms and energy of a step 270 of 20 kJ");
}

TEST_CASE("of several limits the layout is nearest that misses none by much, and all that are missed are told") {
  Search search(gpt("",
                    "[search]\ntp = [1, 4]\npp = [1]\nzero_stage = [0]\nmicrobatch = [1]\n"
                    "recompute = [\"none\"]\n"));
  const std::vector<Candidate> free = search.result().candidates;
  REQUIRE(free.size() == 2);
  const double step = std::min(free[0].step_s, free[1].step_s) / 2;
  const double memory = std::min(free[0].memory_GiB, free[1].memory_GiB) / 2;
  search.spec.limits.step_s = step, search.spec.limits.memory_GiB = memory;
  const SearchResult none = search.result();
  REQUIRE(none.rejections.size() == 1);
  CHECK(none.rejections[0].constraint.starts_with("over the limit: memory N of N GiB and step N of N "));
  CHECK(none.rejections[0].count == 2);
  const auto excess = [&](const Candidate& one) { return std::max(one.step_s / step, one.memory_GiB / memory); };
  const Candidate& nearest = excess(free[0]) < excess(free[1]) ? free[0] : free[1];
  CHECK(none.rejections[0].excess == Approx(excess(nearest)));
  CHECK(none.rejections[0].nearest == to_text(nearest.layout) + ": " + over_limit(nearest, search.spec.limits));
}

TEST_CASE("limits of any size are one constraint each") {
  Search search(gpt());
  search.spec.limits.step_s = 1e-9;
  for (const Rejection& rejection : search.result().rejections) {
    if (rejection.kind == ConstraintKind::limit) CHECK(rejection.constraint == "over the limit: step N of N us");
  }
}

TEST_CASE("layouts have as many devices as the strategy says") {
  Search search(gpt("devices = 4\n",
                    "[search]\ndp = [1, 2, 3]\npp = [1]\nzero_stage = [0]\nmicrobatch = [1]\n"
                    "recompute = [\"none\"]\n"));
  search.spec.devices = asked_devices(search.scenario, 0);
  REQUIRE(search.spec.devices == 4);
  search.layouts = search_space(search.spec, search.job, search.scenario.strategies[0].hybrid.layout);
  std::vector<std::string> names;
  for (const Layout& layout : search.layouts) names.push_back(to_text(layout));
  CHECK(names == std::vector<std::string>{"tp2 pp1 dp2 b1 sp", "tp4 pp1 dp1 b1 sp"});
  CHECK(unusable_values(search.spec, 4, search.layouts) ==
        std::vector<std::string>{"dp 3: the strategy's 4 devices are no multiple of it - use 2 or 4"});
  CHECK(!asked_devices(Search(gpt("dp = 4\n")).scenario, 0));
}

TEST_CASE(
    "devices compute, wait and stand by for the whole step, and a node computes at least as long as its devices") {
  const std::string keys = GENERATE(as<std::string>(), "", "pp = 4\n", "tp = 4\npp = 2\nsequence_parallel = true\n");
  const Scenario scenario = scenario_of(gpt(keys));
  const Layout& layout = scenario.strategies[0].hybrid.layout;
  LayoutJudge judge(training_job(scenario, scenario.strategies[0]));
  const StepPrediction step = judge.predict(layout);
  const StepUse use = step_use(judge.prices(layout), step, layout, 4);
  CHECK((use.computing + use.blocked + use.idle).value() == Approx(8 * step.time().value()));
  CHECK(use.node_computing >= use.computing);
  if (layout.pp == 1) CHECK(use.computing.value() == Approx(8 * (step.parts.compute + step.parts.optimizer).value()));
}

TEST_CASE("energy and cost of a layout are what its devices, nodes and links draw, and their electricity") {
  Search search(gpt("", "[search]\ntp = [1]\npp = [1]\nzero_stage = [0]\nmicrobatch = [1]\nrecompute = [\"none\"]\n"));
  LayoutJudge judge(search.job);
  const StepPrediction step = judge.predict(search.layouts.front());
  const double time = step.time().value(), computing = (step.parts.compute + step.parts.optimizer).value();
  DevicePrices prices;
  prices.per_hour = 3600, prices.per_kWh = 3.6e6;  // so that a second and a joule cost 1
  prices.computing = Watts(100), prices.blocked = Watts(10), prices.idle = Watts(1);
  prices.node_computing = Watts(20), prices.node_idle = Watts(2), prices.links = Watts(5);
  const SearchResult result = search_layouts(search.job, search.layouts, search.spec, {{8, prices}}, 1);
  REQUIRE(result.candidates.size() == 1);
  const double joules = 8 * (120 * computing + 12 * (time - computing)) + 5 * time;
  CHECK(result.candidates[0].energy_J == Approx(joules));
  CHECK(result.candidates[0].cost == Approx(8 * time + joules));
}

TEST_CASE("the front holds what nothing else is better than in every figure") {
  std::vector<Candidate> all = {candidate(1, 5, 1), candidate(2, 4, 1), candidate(2, 5, 0.5), candidate(3, 4, 1),
                                candidate(1, 5, 1)};
  mark_front(all);
  std::vector<bool> front;
  for (const Candidate& one : all) front.push_back(one.on_front);
  CHECK(front == std::vector<bool>{true, true, true, false, false});
}

TEST_CASE("a hybrid strategy is read with its degrees") {
  const Scenario scenario =
      scenario_of(gpt("tp = 2\npp = 2\nmicrobatch = 4\ninterleave = 2\nsequence_parallel = true\n"
                      "zero_stage = 1\nrecompute = \"selective\"\nschedule = \"zb-h1\"\n"
                      "order = [\"pp\", \"tp\", \"cp\", \"dp\"]\njitter = 0.1\n"
                      "straggler = { rank = 3, factor = 1.5 }\ninput = { samples_per_s = 9 }\n"));
  const HybridOptions& options = scenario.strategies[0].hybrid;
  CHECK(to_text(options.layout) == "tp2 pp2 dp2 b4 v2 zb-h1 zero1 selective sp");
  CHECK(options.layout.order[0] == Dimension::pp);
  CHECK(options.straggler->rank == 3);
  CHECK(options.input.samples_per_s == 9);
  CHECK(scenario.strategies[0].devices == 8);
}

TEST_CASE("mistakes in a layout are told with what it multiplies to") {
  check_malformed({
      {"degrees that do not divide the devices", gpt("tp = 3\n"),
       R"(lab.toml:10:1: strategy[0].dp: 8 devices are no multiple of tp x pp x cp (that is 3, and every replica has as many) - use dp = 2: 6 devices
  [[strategy]]
  ^)"},
      {"more devices than there are", gpt("tp = 4\ndp = 4\n"),
       R"(lab.toml:14:6: strategy[0].dp: 16 devices are too many (dp x tp x pp x cp = 4 x 4 x 1 x 1, and the cluster has 8) - use dp 2, or a larger cluster
  dp = 4
       ^)"},
      {"degrees that no cluster has", gpt("tp = 10001\n[search]\ncp = [2, 20000]\n"),
       R"(lab.toml:13:6: strategy[0].tp: 10001 is out of range (must be between 1 and 10000)
  tp = 10001
       ^
lab.toml:15:10: search.cp[1]: 20000 is out of range (must be between 1 and 10000)
  cp = [2, 20000]
           ^)"},
      {"experts of a network that has none", gpt("", "[search]\netp = [\"1\"]\n"),
       R"(lab.toml:14:7: search.etp: has no effect (gpt-mini has no experts) - remove it
  etp = ["1"]
        ^)"},
      {"a search without a hybrid strategy", two_nn + box + replicas + "[search]\n",
       R"(lab.toml:8:1: search.strategy: nothing can be varied (no strategy is kind = "hybrid") - add one: its cluster and its other keys hold for every layout
  [search]
  ^)"},
  });
}

}  // namespace orrery
