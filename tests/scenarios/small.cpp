#include "tests/scenarios/small.hpp"

#include "tests/catch.hpp"

namespace orrery {
namespace {

Device device(const std::string& id, double peak) {
  Device made;
  made.id = made.name = id;
  made.kind = "gpu";
  made.peak.fill(FlopsPerSecond(peak));
  made.memory = Bytes(1e9);
  made.idle = Watts(10);
  made.typical = Watts(80);
  made.maximum = Watts(100);
  return made;
}

Link link(const std::string& id, const std::string& kind, double down, double up, double latency) {
  Link made;
  made.id = made.name = id;
  made.kind = kind;
  made.down = BytesPerSecond(down);
  made.up = BytesPerSecond(up);
  made.latency = Seconds(latency);
  return made;
}

Catalogue make_catalogue() {
  Catalogue catalogue;
  catalogue.devices = {device("gpu", 1e9), device("phone", 1e8)};
  catalogue.links = {link("bus", "nvlink", 10e9, 10e9, 1e-6), link("net", "ethernet", 1e9, 1e9, 10e-6),
                     link("wan", "wan", 10e6, 1e6, 0.05)};
  System box;
  box.id = box.name = "box";
  box.device = "gpu";
  box.devices_per_node = 4;
  box.node_link = "bus";
  box.nics_per_node = 2;
  box.network_link = "net";
  box.max_nodes = 2;
  box.node_idle = Watts(100);
  box.node_training = Watts(500);
  box.price_per_hour = 12;
  box.currency = "EUR";
  catalogue.systems = {box};
  GridIntensity windy;
  windy.id = windy.name = "windy";
  windy.gCO2e_per_kWh = 50;
  catalogue.grids = {windy};
  return catalogue;
}

}  // namespace

const Catalogue& small_catalogue() {
  static const Catalogue catalogue = make_catalogue();
  return catalogue;
}

Scenario scenario_of(const std::string& text) {
  return parse_scenario(text, "lab.toml", small_catalogue());
}

std::string two_layer_lab(const std::string& workload_keys) {
  const bool says = workload_keys.find("compute") != std::string::npos;
  const std::string priced = says ? "" : "compute = \"roofline\"\n";
  return "[workload]\nnetwork = \"2nn\"\nframework = \"ideal\"\n" + priced + workload_keys +
         "\n[cluster]\ndevice = \"gpu\"\nnodes = 8\nnetwork_link = \"net\"\n";
}

Lab::Lab(const std::string& text) : scenario_(scenario_of(text)) {}

Plan Lab::plan(std::size_t strategy) const {
  const StrategySpec& spec = scenario_.strategies.at(strategy);
  const CostModel cost = cost_model(scenario_, spec, small_catalogue());
  const Cluster cluster = build_cluster(spec.cluster.description);
  Plan plan = entry_of(spec.kind).plan({scenario_, spec, cost, cluster});
  REQUIRE(check(plan.program) == std::vector<std::string>{});
  REQUIRE(plan.placement.size() == plan.program.ranks());
  return plan;
}

Records Lab::run(const Plan& plan, EngineKind engine, std::size_t strategy) const {
  const Cluster cluster = build_cluster(scenario_.strategies.at(strategy).cluster.description);
  const auto kernel = make_kernel(engine, cluster.platform);
  EngineOptions options;
  options.fidelity = FidelityChoice::exact;
  return run_program(plan.program, *kernel, plan.placement, options);
}

}  // namespace orrery
