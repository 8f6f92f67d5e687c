#include "analysis/reports/reports.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/base/text.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

std::string cell(const ResultRow& row, const std::string& name) {
  for (const Column& column : columns()) {
    if (column.name == name) return cell_text(column.get(row));
  }
  throw std::out_of_range("no column " + name);
}

Way infeasible_way(const std::string& why) {
  Way way;
  way.strategy = "model";
  way.status = WayStatus::infeasible;
  way.error = why;
  return way;
}

TEST_CASE("every column has a name of its own, a group and a meaning, and units come from a short list") {
  const std::set<std::string> units = {"",    "1",    "count", "s",  "1/s",     "h",       "bytes",
                                       "GiB", "GB/s", "J",     "kg", "TFLOP/s", "currency"};
  std::set<std::string> names;
  for (const Column& column : columns()) {
    INFO(column.name);
    CHECK(names.insert(column.name).second);
    CHECK_FALSE(column.group.empty());
    CHECK_FALSE(column.meaning.empty());
    CHECK(units.count(column.unit) == 1);
    // A unit in the name is the unit.
    if (column.name.size() > 2 && column.name.substr(column.name.size() - 2) == "_s" && column.unit != "1/s") {
      CHECK(column.unit == "s");
    }
  }
}

TEST_CASE("the columns of results.csv, in order") {
  std::vector<std::string> names;
  for (const Column& column : columns()) names.push_back(column.name);
  CHECK(
      join(names, " ") ==
      "scenario strategy device devices dp tp pp cp ep zero_stage schedule microbatches global_batch_samples precision "
      "recompute collective engine fidelity compute_model status error "
      "step_time_s compute_s recompute_s optimizer_s comm_exposed_dp_s comm_exposed_tp_s comm_exposed_pp_s "
      "comm_exposed_cp_s comm_exposed_ep_s bubble_s straggler_s input_s comm_total_s comm_exposed_fraction "
      "bubble_fraction step_time_low_s step_time_high_s "
      "samples_per_s tokens_per_s model_TFLOPS_per_device mfu hfu scaling_efficiency "
      "memory_weights_GiB memory_gradients_GiB memory_optimizer_GiB memory_activations_GiB memory_working_GiB "
      "memory_peak_GiB "
      "memory_capacity_GiB fits "
      "bytes_sent_per_device bus_bandwidth_GBps bytes_intra_node bytes_inter_node bytes_wan bottleneck_link "
      "bottleneck_utilisation "
      "data_transfer_s data_transfer_bytes steps time_to_train_s bytes_to_train device_hours step_energy_J "
      "energy_source energy_J "
      "energy_compute_J energy_communication_J energy_idle_J emissions_kgCO2e cost currency "
      "rounds final_accuracy curve_source "
      "time_to_accuracy_s rounds_to_accuracy bytes_to_accuracy energy_to_accuracy_J emissions_to_accuracy "
      "cost_to_accuracy "
      "client_trips clients_selected clients_completed clients_dropped clients_late clients_surplus clients_unused "
      "bytes_down "
      "bytes_up bytes_wasted staleness_mean staleness_max energy_client_compute_J energy_upload_J energy_download_J "
      "energy_client_idle_J energy_network_J energy_server_J energy_wasted_J waste_fraction epsilon "
      "seeds seeds_reached time_to_train_mean_s time_to_train_sd_s energy_mean_J energy_sd_J final_accuracy_mean "
      "final_accuracy_sd time_to_accuracy_mean_s time_to_accuracy_sd_s "
      "rounds_to_accuracy_mean rounds_to_accuracy_sd energy_to_accuracy_mean_J energy_to_accuracy_sd_J");
}

TEST_CASE("cells as text: shortest numbers, true or false, nothing for what is not a number") {
  CHECK(cell_text(0.1) == "0.1");
  CHECK(cell_text(1e9) == number_text(1e9));
  CHECK(cell_text(std::int64_t{42}) == "42");
  CHECK(cell_text(true) == "true");
  CHECK(cell_text(std::monostate{}) == "");
  CHECK(cell_text(std::numeric_limits<double>::infinity()) == "");
  CHECK(cell_text(std::string("a, b")) == "a, b");
}

TEST_CASE("the time columns of a row add up to the step") {
  const Scenario scenario = hand_scenario({StrategyKind::data, StrategyKind::federated});
  std::vector<Way> ways = {two_device_step(), three_client_round()};
  ways[0].straggler_share = 0.37;
  for (const ResultRow& row : result_rows(scenario, ways)) {
    double sum = 0;
    bool part = false;
    for (const Column& column : columns()) {
      if (column.name == "comm_total_s") break;
      if (part) sum += std::get<double>(column.get(row));
      part = part || column.name == "step_time_s";
    }
    CHECK(sum == Approx(row.time.step.value()).epsilon(1e-9));
  }
}

TEST_CASE("results.csv of one way, whole") {
  const Scenario scenario = hand_scenario({StrategyKind::data});
  const std::vector<Way> ways = {two_device_step()};
  const std::string text = results_csv(result_rows(scenario, ways));
  const std::vector<std::string> lines = split(text, '\n');
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] ==
        "hand,data,box,2,2,1,1,1,1,0,,1,64,fp32,none,ring,flow,exact,operators,ok,,"
        "5.5,3,0,0.5,1,0,0,0,0,0,1,0,1,0.18181818181818182,0,,,"
        "11.636363636363637,,0.1,0.1,0.10909090909090909,1,"
        "1,1,2,0.5,0,4.5,16,true,"
        "1000000000,,2000000000,0,0,node0.gpu0.up,0.09090909090909091,"
        "0,0,100,550,200000000000,0.3055555555555556,1092.32,device model,109232,80000,27032,2200,,,,"
        ",,none," +
            std::string(26, ',') + ",1,,,,,,,,,,,,,");
  CHECK(lines[2] == "");
}

TEST_CASE("a way that does not fit keeps its memory and says why, nothing else is filled") {
  const Scenario scenario = hand_scenario({StrategyKind::model});
  std::vector<Way> ways = {infeasible_way("needs 20 GiB")};
  ways[0].memory.weights = Bytes(20 * gibi);
  ways[0].capacity = Bytes(16 * gibi);
  ways[0].fits = false;
  ways[0].samples_per_step = 64;
  ways[0].degrees.tp = 2;
  CHECK(split(results_csv(result_rows(scenario, ways)), '\n')[1] ==
        "hand,model,box,2,1,2,1,1,1,0,,1,64,fp32,none,ring,flow,,operators,infeasible,needs 20 GiB,"
        ",,,,,,,,,,,,,,,,,"
        ",,,,,,"
        "20,0,0,0,0,20,16,false," +
            std::string(columns().size() - 52 - 14, ',') + "1,,,,,,,,,,,,,");
}

TEST_CASE("a way that cannot be planned has neither degrees nor memory") {
  const Scenario scenario = hand_scenario({StrategyKind::model});
  const std::vector<Way> ways = {infeasible_way("4 stages, 3 layers")};
  const auto rows = result_rows(scenario, ways);
  for (const char* name : {"tp", "microbatches", "memory_peak_GiB", "memory_capacity_GiB", "fits", "fidelity",
                           "step_time_s", "mfu", "energy_J", "steps", "curve_source"}) {
    INFO(name);
    CHECK(cell(rows[0], name) == "");
  }
  CHECK(cell(rows[0], "error") == "4 stages, 3 layers");
  CHECK(cell(rows[0], "global_batch_samples") == "64");
}

TEST_CASE("a way whose simulation failed has its identity and the reason") {
  const Scenario scenario = hand_scenario({StrategyKind::data});
  Way way;
  way.strategy = "data";
  way.status = WayStatus::failed;
  way.error = "ended by signal 6";
  const std::vector<Way> ways = {way};
  CHECK(split(results_csv(result_rows(scenario, ways)), '\n')[1] ==
        "hand,data,box,2,,,,,,0,,,64,fp32,none,ring,flow,,operators,failed,ended by signal 6" +
            std::string(columns().size() - 21 - 13, ',') + "1" + std::string(13, ','));
}

TEST_CASE("energy says whether the processors counted it or the catalogue's powers made it") {
  const Scenario scenario = hand_scenario({StrategyKind::single});
  std::vector<Way> ways = {single_device_step()};
  CHECK(cell(result_rows(scenario, ways)[0], "energy_source") == "device model");
  ways[0].measured = MeasuredSteps{3, Seconds(1), Seconds(2), Seconds(3), {}};
  CHECK(cell(result_rows(scenario, ways)[0], "energy_source") == "device model");
  ways[0].measured->energy = Joules(5);
  const auto rows = result_rows(scenario, ways);
  CHECK(cell(rows[0], "energy_source") == "rapl");
  CHECK(cell(rows[0], "step_energy_J") == "5");
}

TEST_CASE("cells that only federated or only centralised ways have") {
  Scenario scenario = hand_scenario({StrategyKind::single, StrategyKind::federated});
  const std::vector<Way> ways = {single_device_step(), three_client_round()};
  const auto rows = result_rows(scenario, ways);
  CHECK(cell(rows[0], "rounds") == "");
  CHECK(cell(rows[0], "collective") == "");
  CHECK(cell(rows[0], "bottleneck_link") == "");
  CHECK(cell(rows[0], "bottleneck_utilisation") == "");
  CHECK(cell(rows[1], "rounds") == "1");
  CHECK(cell(rows[1], "devices") == "4");
  CHECK(cell(rows[1], "dp") == "3");
  CHECK(cell(rows[1], "microbatches") == "");
  CHECK(cell(rows[1], "zero_stage") == "");
  CHECK(cell(rows[1], "global_batch_samples") == "300");
  CHECK(cell(rows[1], "bytes_wan") == "6000000");
}

TEST_CASE("columns of learning") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.workload.target_accuracy = 0.8;
  scenario.cost = {0.3, 0, "EUR"};
  std::vector<Way> ways = {two_device_step()};
  CurvePoint point;
  point.round = 10;
  point.time = Seconds(55);
  point.bytes = Bytes(2e10);
  point.accuracy = 0.85;
  ways[0].curve = {point};
  ways[0].curve_source = CurveSource::shared;
  const auto rows = result_rows(scenario, ways);
  CHECK(cell(rows[0], "final_accuracy") == "0.85");
  CHECK(cell(rows[0], "curve_source") == "shared with central learning");
  CHECK(cell(rows[0], "time_to_accuracy_s") == "55");
  CHECK(cell(rows[0], "rounds_to_accuracy") == "10");
  CHECK(cell(rows[0], "bytes_to_accuracy") == "20000000000");
  CHECK(cell(rows[0], "energy_to_accuracy_J") == "10923.2");
  CHECK(cell(rows[0], "cost_to_accuracy") == number_text(0.3 * (10923.2 / 3.6e6)));
  CHECK(cell(rows[0], "emissions_to_accuracy") == "");
  CHECK(split(curve_csv(rows), '\n')[1] == "data,1,shared,10,0,55,,,,,,,0.85,0,0,20000000000,,,,,,10923.2,,,,,,,,,," +
                                               number_text(0.3 * (10923.2 / 3.6e6)) + ",");

  ways[0].devices[0].typical = ways[0].devices[0].maximum = Watts(0);
  const auto powerless = result_rows(scenario, ways);
  CHECK(cell(powerless[0], "energy_to_accuracy_J") == "");
  CHECK(cell(powerless[0], "cost_to_accuracy") == "");
  CHECK(cell(powerless[0], "energy_J") == "");
  CHECK(split(curve_csv(powerless), '\n')[1] == "data,1,shared,10,0,55,,,,,,,0.85,0,0,20000000000,,,,,,,,,,,,,,,,,");
}

TEST_CASE("links.csv and timeline.csv, whole, ways that did not run are left out") {
  Way way = two_device_step();
  way.records.activities.resize(1);
  way.records.activities.push_back(communication(1, Stream::send, Dimension::pp, 1, 1, 2.5, 1000));
  way.records.activities.back().peer = RankId(0);
  way.records.activities.back().layer = LayerId(7);
  way.records.activities.back().microbatch = 3;
  for (const std::size_t idle : {1, 4, 5}) way.records.links[idle] = {LinkId(idle), Bytes(0), Seconds(0)};
  const Scenario scenario = hand_scenario({StrategyKind::model, StrategyKind::data});
  const std::vector<Way> ways = {infeasible_way("no"), way};
  const auto rows = result_rows(scenario, ways);
  const auto line = [](const std::string& link, const std::string& figures) {
    return "data,node0." + link + "," + std::string(name_of(LinkScope::intra_node)) + ",2," + figures + "\n";
  };
  const std::string used = "1000000000,1,0.18181818181818182,0.09090909090909091", idle = "0,0,0,0";
  CHECK(links_csv(rows) == "strategy,link,scope,bandwidth_GBps,bytes,busy_s,busy_fraction,utilisation\n" +
                               line("gpu0.up", used) + line("gpu0.down", idle) + line("gpu1.up", used) +
                               line("gpu1.down", used) + line("gpu2.up", idle) + line("gpu2.down", idle));
  CHECK(timeline_csv(rows) ==
        "strategy,rank,stream,dimension,phase,layer,microbatch,ready_s,start_s,end_s,bytes,flops,peer\n"
        "data,0,compute,none,forward,,,0,0,1,0,200000000000,\n"
        "data,1,send,pp," +
            std::string(name_of(Phase::gradient_exchange)) + ",7,3,1,1,2.5,1000,0,0\n");
}

// One dense layer 4 -> 2 without bias: 16 FLOPs forward, 32 backward per sample, 8 parameters, 4 numbers kept.
// 64 samples over 2 replicas in 2 microbatches: 16 per pass, 16 x 16 FLOPs / 256 FLOP/s = 1 s, backward 2 s. The update
// moves 8 x 12 bytes at 1 TB/s.
TEST_CASE("layers.csv by hand") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  Layer layer;
  layer.id = LayerId(0);
  layer.name = "dense1";
  layer.in.channels = 4;
  layer.out.channels = 2;
  layer.bias = false;
  scenario.workload.network.layers = {layer};
  scenario.workload.compute = ComputeChoice::roofline;
  Device& device = scenario.strategies[0].cluster.description.device;
  device.peak[static_cast<std::size_t>(Precision::fp32)] = FlopsPerSecond(256);
  device.memory_bandwidth = BytesPerSecond(1e12);
  std::vector<Way> ways = {two_device_step()};
  ways[0].microbatches = 2;
  const std::string header =
      "strategy,layer,name,kind,parameters,forward_flops_per_sample,backward_flops_per_sample,"
      "activation_bytes_per_sample,device,samples_per_pass,passes_per_step,forward_s,backward_s,optimizer_s\n";
  CHECK(layers_csv(result_rows(scenario, ways), {}) ==
        header + "data,0,dense1,dense,8,16,32,16,box,16,2,2,4,9.6e-11\n");
  ways[0].status = WayStatus::infeasible;
  CHECK(layers_csv(result_rows(scenario, ways), {}) == header);
}

TEST_CASE("results as JSON: units once, null for what is not applicable") {
  const Scenario scenario = hand_scenario({StrategyKind::data, StrategyKind::model});
  const std::vector<Way> ways = {two_device_step(), infeasible_way("a \"quoted\" reason")};
  const auto json = nlohmann::json::parse(results_json(result_rows(scenario, ways)));
  CHECK(json["units"]["step_time_s"] == "s");
  REQUIRE(json["results"].size() == 2);
  CHECK(json["results"][0]["strategy"] == "data");
  CHECK(json["results"][0]["step_time_s"] == 5.5);
  CHECK(json["results"][0]["devices"] == 2);
  CHECK(json["results"][0]["fits"] == true);
  CHECK(json["results"][0]["tokens_per_s"].is_null());
  CHECK(json["results"][1]["step_time_s"].is_null());
  CHECK(json["results"][1]["error"] == "a \"quoted\" reason");
  for (const auto& row : json["results"]) CHECK(row.size() == columns().size());
}

TEST_CASE("provenance names version, scenario, seed, engine and host") {
  Scenario scenario = hand_scenario({StrategyKind::data});
  scenario.seed = 7;
  const auto json = nlohmann::json::parse(provenance_json(scenario, 1.5, "orrery 0.1.0"));
  CHECK(json["version"] == "orrery 0.1.0");
  CHECK(json["scenario"]["file"] == "hand.toml");
  CHECK(json["seed"] == 7);
  CHECK(json["engine"]["kind"] == "flow");
  CHECK(json["engine"]["message_budget"] == 300000);
  CHECK(json["profile"].is_null());
  CHECK(json["wall_seconds"] == 1.5);
  CHECK(json["host"]["threads"].get<int>() >= 1);
  CHECK_FALSE(json["host"]["system"].get<std::string>().empty());
}

}  // namespace
}  // namespace orrery
