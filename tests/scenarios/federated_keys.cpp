// What the keys of federations, of federated and asynchronous strategies and of local SGD become.
#include <algorithm>
#include <filesystem>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/malformed.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

const std::string data = "dataset_samples = 6000\n";
const std::string hundred = "[federation]\nclients = 100\ndevice = \"gpu\"\nlink = \"net\"\n" + served;

StrategySpec strategy_with(const std::string& keys) {
  return scenario_of(two_nn + data + hundred + federated + keys).strategies[0];
}

std::vector<std::string> values_of(const Scenario& scenario) {
  std::vector<std::string> values;
  for (const ResolvedValue& value : scenario.resolved) values.push_back(value.path + " = " + value.value);
  std::sort(values.begin(), values.end());
  return values;
}

/// resolved.toml of the scenario, read from another folder, has the same values.
void check_resolves_to_itself(const Scenario& scenario) {
  const Scenario again = parse_scenario(resolved_toml(scenario), "elsewhere/resolved.toml", small_catalogue());
  CHECK(values_of(again) == values_of(scenario));
}

const std::string every_group_key = R"(seeds = 4
[workload]
network = "2nn"
dataset_samples = 6000
[federation]
server = "gpu"
server_link = "net"
partition = "quantity"
sigma = 0.7
[[federation.group]]
count = 60
device = "phone"
link = "wan"
slowdown = 2
speed_sigma = 0.4
link_sigma = 0.3
step_overhead_ms = 12
sample_ms = 3
availability = "diurnal"
mean_online_s = 600
mean_offline_s = 1200
amplitude = 0.25
peak_hour = 3
zones = [-5, 0, 8]
grid = "windy"
[[federation.group]]
count = 40
device = "gpu"
link = "net"
availability = "on-off"
)";

}  // namespace

TEST_CASE("every key of a group of clients arrives in its place") {
  const Scenario scenario = scenario_of("[scenario]\n" + every_group_key + federated + "[energy]\ngrid = \"windy\"\n");
  CHECK(scenario.seeds == 4);
  CHECK(scenario.federation.partition.kind == PartitionKind::quantity);
  CHECK(scenario.federation.partition.sigma == 0.7);
  REQUIRE(scenario.federation.groups.size() == 2);
  const ClientGroup& phones = scenario.federation.groups[0];
  CHECK(phones.slowdown == 2);
  CHECK(phones.speed_sigma == 0.4);
  CHECK(phones.link_sigma == 0.3);
  CHECK(phones.step_overhead.value() == Approx(0.012));
  CHECK(phones.per_sample.value().value() == Approx(0.003));
  CHECK(phones.availability.kind == AvailabilityKind::diurnal);
  CHECK(phones.availability.mean_online == Seconds(600));
  CHECK(phones.availability.mean_offline == Seconds(1200));
  CHECK(phones.availability.amplitude == 0.25);
  CHECK(phones.availability.peak == Seconds(3 * 3600));
  CHECK(phones.availability.zones == std::vector<double>{-5, 0, 8});
  CHECK(phones.grid == "windy");
  CHECK(phones.gCO2e_per_kWh == 50);
  const ClientGroup& others = scenario.federation.groups[1];
  CHECK(others.availability.kind == AvailabilityKind::on_off);
  CHECK(others.availability.mean_online == Seconds(3600));
  CHECK_FALSE(others.per_sample.has_value());
  CHECK(others.gCO2e_per_kWh < 0);  // [energy]'s
  check_resolves_to_itself(scenario);
}

TEST_CASE("traces are read from the scenario's folder, and found again from anywhere") {
  const ScratchFolder folder;
  write_file(folder.path() / "week.csv", "client,finish_time,active,inactive\n0,100,0 50,20 80\n");
  write_file(folder.path() / "phones.csv", "client,computation,communication\n0,20,8000\n1,40,4000\n");
  const std::string file = (folder.path() / "lab.toml").string();
  write_file(file, two_nn + data + hundred + "availability = \"trace\"\ntrace = \"week.csv\"\n" +
                       "capacity_trace = \"phones.csv\"\n" + federated);
  const Scenario scenario = read_scenario(file, {}, small_catalogue());
  const ClientGroup& group = scenario.federation.groups[0];
  CHECK(group.availability.trace == (folder.path() / "week.csv").string());
  REQUIRE(group.capacities.size() == 2);
  CHECK(group.capacities[1].per_sample.value() == Approx(0.04));
  const Scenario again = parse_scenario(resolved_toml(scenario), "elsewhere/resolved.toml", small_catalogue());
  CHECK(again.federation.groups[0].availability.trace == group.availability.trace);
  CHECK(again.federation.groups[0].capacities.size() == 2);
}

TEST_CASE("a defective trace is told beside the scenario's own mistakes") {
  const ScratchFolder folder;
  write_file(folder.path() / "phones.csv", "client,computation,communication\n0,0,8000\n");
  const std::string text = error_of(two_nn + data + hundred + "capacity_trace = \"" +
                                    (folder.path() / "phones.csv").string() + "\"\npartition = \"idd\"\n" + federated);
  CHECK(text.find("phones.csv:2:3: computation: ") != std::string::npos);
  CHECK(text.find("federation.partition: unknown name \"idd\" - did you mean \"iid\"?") != std::string::npos);
}

TEST_CASE("a trace with times online that the clock cannot tell is a mistake") {
  const ScratchFolder folder;
  const std::string trace = (folder.path() / "week.csv").string();
  write_file(trace, "client,finish_time,active,inactive\n0,100,0 50,20 50.0001\n");
  const std::string text =
      error_of(two_nn + data + hundred + "availability = \"trace\"\ntrace = \"" + trace + "\"\n" + federated);
  CHECK(text.find("federation.trace: a time online of 0.0001") != std::string::npos);
  CHECK(text.find(" s is too short (when years have passed the clock does not tell them any more) - use at least "
                  "0.001\n") != std::string::npos);
}

TEST_CASE("keys of participation arrive in their places") {
  const ParticipationOptions options = strategy_with(R"(clients_per_round = 10
over_selection = 1.3
deadline_s = 240
min_reports = 8
selection = "energy-aware"
candidates = 20
offline = "give-up"
)")
                                           .federated.participation;
  CHECK(options.clients_per_round == 10);
  CHECK(options.over_selection == 1.3);
  CHECK(options.deadline == Seconds(240));
  CHECK(options.min_reports == 8);
  CHECK(options.selection == Selection::energy_aware);
  CHECK(options.candidates == 20);
  CHECK(options.offline == OfflinePolicy::give_up);
}

TEST_CASE("1.3 times ten clients are thirteen, and may be all there are") {
  const std::string thirteen = "[federation]\nclients = 13\ndevice = \"gpu\"\nlink = \"net\"\n" + served;
  CHECK(error_of(two_nn + data + thirteen + federated + "clients_per_round = 10\nover_selection = 1.3\n").empty());
}

TEST_CASE("keys of local work arrive in their places") {
  const StrategySpec epochs = strategy_with(
      "local_epochs = 2\nmost_local_epochs = 5\nlocal_batch = 0\nrounds = 7\nevaluate_every = 3\n"
      "evaluation_time = \"charged\"\n");
  CHECK(epochs.federated.local_epochs == 2);
  CHECK(epochs.federated.most_local_epochs == 5);
  CHECK(epochs.federated.local_batch == 0);
  CHECK(epochs.federated.rounds == 7);
  CHECK(epochs.federated.evaluate_every == 3);
  CHECK(epochs.federated.evaluation_time == EvaluationTime::charged);
  CHECK(strategy_with("local_epochs = 4\n").federated.most_local_epochs == 4);  // no spread unless asked for
  CHECK(strategy_with("local_steps = 20\n").federated.local_steps == 20);
  CHECK(strategy_with("algorithm = \"fedsgd\"\n").federated.local_batch == 0);
}

TEST_CASE("every algorithm reads its options, and the rest stays as its papers say") {
  for (const FederatedAlgorithmEntry& entry : federated_algorithms()) {
    if (entry.kind == AlgorithmKind::async_sgd) continue;
    INFO(entry.name);
    const std::string edges =
        entry.kind == AlgorithmKind::hierarchical ? "edge_device = \"gpu\"\nedge_link = \"net\"\n" : "";
    const StrategySpec spec = strategy_with("algorithm = \"" + entry.name + "\"\n" + edges);
    CHECK(spec.federated.algorithm.kind == entry.kind);
    CHECK(spec.federated.algorithm.tau == 1e-3);
  }
  const AlgorithmOptions yogi =
      strategy_with("algorithm = \"fedyogi\"\nserver_learning_rate = 0.01\nbeta1 = 0.5\nbeta2 = 0.6\ntau = 0.1\n")
          .federated.algorithm;
  CHECK(yogi.server_learning_rate == 0.01);
  CHECK(yogi.beta1 == 0.5);
  CHECK(yogi.beta2 == 0.6);
  CHECK(yogi.tau == 0.1);
  const AlgorithmOptions buffered =
      strategy_with("algorithm = \"fedbuff\"\nbuffer = 4\nstaleness = \"hinge\"\nstaleness_a = 2\nstaleness_b = 3\n")
          .federated.algorithm;
  CHECK(buffered.buffer == 4);
  CHECK(buffered.staleness == Staleness::hinge);
  CHECK(staleness_weight(buffered, 5) == Approx(0.2));  // 1 / (2 (5 - 3) + 1)
  CHECK(strategy_with("algorithm = \"fedprox\"\nproximal_mu = 0.3\n").federated.algorithm.proximal_mu == 0.3);
  CHECK(strategy_with("algorithm = \"fedasync\"\nmixing = 0.2\n").federated.algorithm.mixing == 0.2);
  CHECK(strategy_with("algorithm = \"qfedavg\"\nfairness_q = 5\n").federated.algorithm.fairness_q == 5);
  CHECK(strategy_with("algorithm = \"fedavgm\"\nserver_momentum = 0.5\n").federated.algorithm.server_momentum == 0.5);
}

TEST_CASE("keys of hierarchy, gossip and split arrive in their places") {
  const FederatedOptions edges =
      strategy_with(
          "algorithm = \"hierarchical\"\nedges = 5\nedge_rounds = 2\nedge_device = \"phone\"\n"
          "edge_link = \"wan\"\nclients_per_round = 20\ndeadline_s = 60\n")
          .federated;
  CHECK(edges.edges == 5);
  CHECK(edges.edge_rounds == 2);
  CHECK(edges.edge_device.id == "phone");
  CHECK(edges.edge_link.id == "wan");
  const FederatedOptions gossip =
      strategy_with("algorithm = \"gossip\"\ntopology = \"random\"\ndegree = 4\n").federated;
  CHECK(gossip.topology == GossipTopology::random);
  CHECK(gossip.degree == 4);
  CHECK(strategy_with("algorithm = \"split\"\ncut_layer = \"relu1\"\n").federated.cut_layer == "relu1");
}

TEST_CASE("keys of compression, privacy and secure aggregation arrive in their places") {
  const FederatedOptions sparse =
      strategy_with("compression = \"top-k\"\nkeep = 0.05\nerror_feedback = false\npersonal_layers = [\"dense3\"]\n")
          .federated;
  CHECK(sparse.compression.kind == CompressionKind::top_k);
  CHECK(sparse.compression.keep == 0.05);
  CHECK(sparse.compression.error_feedback == ErrorFeedback::off);
  CHECK(sparse.personal_layers == std::vector<std::string>{"dense3"});
  CHECK(strategy_with("compression = \"qsgd\"\nlevels = 8\n").federated.compression.levels == 8);
  CHECK(strategy_with("compression = \"low-rank\"\nrank = 4\n").federated.compression.rank == 4);
  const FederatedOptions masked = strategy_with(
                                      "privacy = \"central\"\nupdate_clip = 0.5\nnoise_multiplier = 0.8\ndelta = 1e-6\n"
                                      "secure_aggregation = true\nsecure_threshold = 0.75\nring_bits = 24\n"
                                      "ring_range = 2\n")
                                      .federated;
  CHECK(masked.privacy.kind == PrivacyKind::central);
  CHECK(masked.privacy.clip == 0.5);
  CHECK(masked.privacy.noise_multiplier == 0.8);
  CHECK(masked.privacy.delta == 1e-6);
  REQUIRE(masked.secure.has_value());
  CHECK(masked.secure->threshold == 0.75);
  CHECK(masked.secure->bits == 24);
  CHECK(masked.secure->range == 2);
  CHECK_FALSE(strategy_with("").federated.secure.has_value());
}

TEST_CASE("what federated strategies say resolves to itself") {
  for (const std::string& keys :
       {std::string("algorithm = \"fedbuff\"\ncompression = \"top-k\"\n"), std::string("local_steps = 3\n"),
        std::string("algorithm = \"hierarchical\"\nedge_device = \"gpu\"\nedge_link = \"net\"\n"),
        std::string("algorithm = \"gossip\"\ntopology = \"random\"\n"), std::string("algorithm = \"split\"\n"),
        std::string("algorithm = \"fedsgd\"\nprivacy = \"local\"\n"),
        std::string("secure_aggregation = true\npersonal_layers = [\"dense3\"]\n"
                    "[energy]\nnetwork = \"intensity\"\n")}) {
    INFO(keys);
    check_resolves_to_itself(scenario_of(two_nn + data + hundred + federated + keys));
  }
  check_resolves_to_itself(scenario_of(two_nn + data + "steps = 10\n" + box +
                                       "[[strategy]]\nname = \"a\"\nkind = \"async\"\n"
                                       "[[strategy]]\nname = \"l\"\nkind = \"local-sgd\"\n"));
}

TEST_CASE("asynchronous workers see as many samples as the synchronous ones unless told otherwise") {
  const std::string head = "[workload]\nnetwork = \"2nn\"\ndataset_samples = 6000\nbatch = 64\nsteps = 100\n" + box;
  const auto async = [&](const std::string& keys) {
    return scenario_of(head + "[[strategy]]\nname = \"a\"\nkind = \"async\"\n" + keys).strategies[0];
  };
  const StrategySpec all = async("");
  CHECK(all.devices == 4);
  CHECK(all.federated.algorithm.kind == AlgorithmKind::async_sgd);
  CHECK(all.federated.participation.clients_per_round == 4);
  CHECK(all.federated.local_batch == 16);
  CHECK(all.federated.local_steps == 1);
  CHECK(all.federated.rounds == 400);
  CHECK(all.federated.evaluate_every == 400);
  CHECK(async("local_batch = 64\n").federated.rounds == 100);
  CHECK(async("steps = 7\ndevices = 2\n").federated.rounds == 7);
  CHECK(async("devices = 2\n").federated.local_batch == 32);
}

TEST_CASE("local SGD divides the batch over its devices and has its local steps") {
  const Scenario scenario = scenario_of(two_nn + box + "[[strategy]]\nname = \"l\"\nkind = \"local-sgd\"\n" +
                                        "[[strategy]]\nname = \"m\"\nkind = \"local-sgd\"\nlocal_steps = 2\n" +
                                        "collective = \"halving-doubling\"\n");
  CHECK(scenario.strategies[0].devices == 4);
  CHECK(scenario.strategies[0].federated.local_steps == 8);
  CHECK(scenario.strategies[1].federated.local_steps == 2);
  CHECK(scenario.strategies[1].collective == Algorithm::halving_doubling);
}

TEST_CASE("the network's energy is counted by one model") {
  const auto energy = [](const std::string& keys) {
    return scenario_of(two_nn + box + alone + "[energy]\n" + keys).energy;
  };
  const EnergySpec power = energy("gateway_W = 8\ngateway_devices = 4\naccess_line_W = 2\nwan_J_per_GB = 100\n");
  CHECK(power.network == NetworkEnergy::power);
  CHECK(power.gateway == Watts(8));
  CHECK(power.gateway_devices == 4);
  CHECK(power.access_line == Watts(2));
  CHECK(power.wan_J_per_GB == 100);
  const EnergySpec intensity = energy("network = \"intensity\"\nfixed_kWh_per_GB = 0.01\nmobile_kWh_per_GB = 0.1\n");
  CHECK(intensity.network == NetworkEnergy::intensity);
  CHECK(intensity.fixed_kWh_per_GB == 0.01);
  CHECK(intensity.mobile_kWh_per_GB == 0.1);
}

}  // namespace orrery
