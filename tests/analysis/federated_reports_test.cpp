// The texts of a co-simulated run, whole.
#include <stdexcept>

#include "analysis/reports/reports.hpp"
#include "analysis/reports/trip_times.hpp"
#include "sim/base/text.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

struct Lab {
  Scenario scenario = hand_scenario({StrategyKind::federated});
  std::vector<Way> ways = {two_rounds_with_waste()};
  [[nodiscard]] std::vector<ResultRow> rows() const { return result_rows(scenario, ways); }
};

std::string cell(const ResultRow& row, const std::string& name) {
  for (const Column& column : columns()) {
    if (column.name == name) return cell_text(column.get(row));
  }
  throw std::out_of_range("no column " + name);
}

double number(const ResultRow& row, const std::string& name) {
  return parse_number(cell(row, name)).value();
}

TEST_CASE("columns of a federated run: who took part, what was sent in vain") {
  Lab lab;
  lab.ways[0].federated.trips[1].staleness = 2;
  lab.ways[0].federated.trips[2].staleness = 4;
  CurvePoint point;
  point.round = 2;
  point.epsilon = 1.5;
  lab.ways[0].curve = {point};
  const auto rows = lab.rows();
  const ResultRow& row = rows[0];
  CHECK(cell(row, "client_trips") == "5");
  CHECK(cell(row, "clients_selected") == "2.5");
  CHECK(cell(row, "clients_completed") == "1.5");
  CHECK(cell(row, "clients_dropped") == "0.5");
  CHECK(cell(row, "clients_late") == "0.5");
  CHECK(cell(row, "clients_surplus") == "0");
  CHECK(cell(row, "clients_unused") == "0");
  CHECK(cell(row, "bytes_down") == "5000000");
  CHECK(cell(row, "bytes_up") == "3500000");
  CHECK(cell(row, "bytes_wasted") == "2500000");
  CHECK(cell(row, "staleness_mean") == "2");
  CHECK(cell(row, "staleness_max") == "4");
  CHECK(cell(row, "epsilon") == "1.5");
  CHECK(cell(row, "rounds") == "2");
  double parts = 0;
  for (const char* part : {"energy_client_compute_J", "energy_upload_J", "energy_download_J", "energy_client_idle_J",
                           "energy_network_J", "energy_server_J"}) {
    parts += number(row, part);
  }
  CHECK(parts == Approx(number(row, "energy_J")).epsilon(1e-9));
  CHECK(number(row, "waste_fraction") ==
        Approx(number(row, "energy_wasted_J") / (parts - number(row, "energy_server_J"))).epsilon(1e-9));
}

TEST_CASE("clients.csv: every client with its data and the sums over its trips") {
  Lab lab;
  lab.ways[0].histograms = {{60, 40}, {50, 50}, {0, 100}, {50, 0}};
  const std::vector<std::string> lines = split(clients_csv(lab.rows()), '\n');
  REQUIRE(lines.size() == 6);
  CHECK(lines[0] ==
        "strategy,client,group,device,samples,class_0,class_1,trips,reported,dropped,late,surplus,unused,compute_s,"
        "download_s,"
        "upload_s,offline_s,waiting_s,bytes_down,bytes_up,energy_J,wasted_J,staleness_mean");
  // Reported once and dropped once: 300 + 200 J of training, 10.5 W for 2 + 2 s, ...
  const double wasted = 11.1 + 200 + 11.1 + 7.36;
  const double reported = 300 + 11.1 + (10.5 + 0.8 + 0.2) + (7 + 0.48);
  const std::vector<std::string> cells = split(lines[1], ',');
  CHECK(lines[1].starts_with("federated,0,0,box,100,60,40,2,1,1,0,0,0,5,2,2,2,0,2000000,1500000,"));
  CHECK(parse_number(cells[20]).value() == Approx(reported + wasted).epsilon(1e-9));
  CHECK(parse_number(cells[21]).value() == Approx(wasted).epsilon(1e-9));
  CHECK(cells[22] == "0");
  CHECK(lines[4].starts_with("federated,3,0,box,50,50,0,1,0,0,1,0,0,6,1,0,0,1,1000000,0,"));
  CHECK(split(lines[4], ',')[22] == "");
}

TEST_CASE("every trip is counted under one end: in the row, on the curve and by client") {
  Lab lab;
  Trip unused = hand_trip(1, 2, 12, 1, 5, 0);  // under way at the end
  unused.how = TripEnd::unused;
  lab.ways[0].federated.trips.push_back(unused);
  CurvePoint point;
  point.round = 2;
  lab.ways[0].curve = {point};
  const auto rows = lab.rows();
  CHECK(number(rows[0], "clients_unused") == 0.5);
  CHECK(number(rows[0], "clients_selected") ==
        number(rows[0], "clients_completed") + number(rows[0], "clients_dropped") + number(rows[0], "clients_late") +
            number(rows[0], "clients_surplus") + number(rows[0], "clients_unused"));
  // selected, completed, dropped, late, surplus, unused
  CHECK(split(curve_csv(rows), '\n')[1].starts_with("federated,1,none,2,0,0,6,3,1,1,0,1,"));
  CHECK(split(clients_csv(rows), '\n')[2].starts_with("federated,1,0,box,100,2,1,0,0,0,1,"));
}

TEST_CASE("of a large population clients.csv has only those that took part") {
  Lab lab;
  lab.scenario.federation.groups[0].count = 10001;
  const std::vector<std::string> lines = split(clients_csv(lab.rows()), '\n');
  REQUIRE(lines.size() == 1 + 4 + 1);
  CHECK(lines[0].find("class_") == std::string::npos);
  CHECK(lines[4].starts_with("federated,3,0,box,50,1,0,0,1,0,0,"));
}

TEST_CASE("events.csv: what happened when, whole") {
  const Lab lab;
  CHECK(events_csv(lab.rows()) ==
        "strategy,time_s,event,round,client\n"
        "federated,0,dispatch,0,0\n"
        "federated,0,dispatch,0,1\n"
        "federated,0,dispatch,0,2\n"
        "federated,1,download_end,0,0\n"
        "federated,1,download_end,0,1\n"
        "federated,2,download_end,0,2\n"
        "federated,4,compute_end,0,0\n"
        "federated,4,compute_end,0,1\n"
        "federated,5,upload_end,0,0\n"
        "federated,6,upload_end,0,1\n"
        "federated,6,compute_end,0,2\n"
        "federated,9,upload_end,0,2\n"
        "federated,10,aggregate,0,\n"
        "federated,10,dispatch,1,0\n"
        "federated,10,dispatch,1,3\n"
        "federated,11,download_end,1,0\n"
        "federated,11,download_end,1,3\n"
        "federated,13,compute_end,1,0\n"
        "federated,16,drop,1,0\n"
        "federated,18,late,1,3\n"
        "federated,18,aggregate,1,\n");
}

TEST_CASE("phases of a trip stand where its durations put them, pauses before the upload") {
  const Way way = two_rounds_with_waste();
  const TripTimes dropped = times_of(way.federated.trips[3]);
  CHECK(dropped.downloaded.value() == 11);
  CHECK(dropped.trained.value() == 13);
  CHECK(dropped.sending.value() == 15);
  CHECK(dropped.sent.value() == 16);
}

TEST_CASE("timeline.csv draws trips and aggregations, whole") {
  Lab lab;
  lab.ways = {three_client_round()};
  lab.ways[0].federated.trips.resize(1);
  lab.ways[0].federated.steps[0].critical_trip = 0;
  const auto rows = lab.rows();
  CHECK(timeline_csv(rows) ==
        "strategy,rank,stream,dimension,phase,layer,microbatch,ready_s,start_s,end_s,bytes,flops,peer\n"
        "federated,0,receive,dp,transfer,,0,0,0,1,1000000,0,4\n"
        "federated,0,compute,none,training,,0,1,1,4,0,0,\n"
        "federated,0,send,dp,transfer,,0,4,4,5,1000000,0,4\n"
        "federated,4,compute,none,aggregate,,0,9,9,10,0,0,\n");
  CHECK(left_out_of_timeline(rows).empty());
}

TEST_CASE("a run of more than 20,000 trips is left out of the timeline, and named") {
  Lab lab;
  lab.ways[0].federated.trips.resize(20001, hand_trip(0, 0, 0, 1, 1, 1));
  const auto rows = lab.rows();
  CHECK(split(timeline_csv(rows), '\n').size() == 2);
  CHECK(left_out_of_timeline(rows) == std::vector<std::string>{"federated"});
}

TEST_CASE("links.csv has the shared lines in either direction") {
  Lab lab;
  lab.ways = {three_client_round()};
  CHECK(links_csv(lab.rows()) ==
        "strategy,link,scope,bandwidth_GBps,bytes,busy_s,busy_fraction,utilisation\n"
        "federated,server.up,wan,0.01,3000000,2,0.2,0.03\n"
        "federated,server.down,wan,0.01,3000000,5,0.5,0.03\n");
}

TEST_CASE("curve.csv of a federated way, every seed") {
  Lab lab;
  CurvePoint point;
  point.round = 1;
  point.epoch = 0.5;
  point.time = Seconds(10);
  point.bytes = Bytes(6e6);
  point.accuracy = 0.25;
  point.loss = 2;
  point.train_loss = 1;
  point.epsilon = 0.5;
  lab.ways = {three_client_round(), three_client_round()};
  lab.ways[1].seed = 2;
  lab.ways[0].curve = lab.ways[1].curve = {point};
  lab.ways[0].curve_source = lab.ways[1].curve_source = CurveSource::own;
  lab.ways[1].curve[0].consensus = 0.125;
  for (Trip& trip : lab.ways[0].federated.trips) trip.staleness = 1;
  lab.scenario.energy.wan_J_per_GB = 0;
  lab.scenario.federation.server_link.energy_pJ_per_bit = 0;
  lab.scenario.cost = {3.6, 0, "EUR"};
  const std::vector<std::string> lines = split(curve_csv(lab.rows()), '\n');
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] ==
        "strategy,seed,curve_source,round,epoch,time_s,selected,completed,dropped,late,surplus,unused,accuracy,loss,"
        "train_loss,"
        "bytes,bytes_down,bytes_up,bytes_wasted,staleness_mean,staleness_max,energy_J,energy_client_compute_J,"
        "energy_upload_J,energy_download_J,energy_client_idle_J,energy_network_J,energy_server_J,energy_wasted_J,"
        "epsilon,consensus,cost,emissions_kgCO2e");
  CHECK(lines[1].starts_with("federated,1,own,1,0.5,10,3,3,0,0,0,0,0.25,2,1,6000000,3000000,3000000,0,1,1,"));
  CHECK(lines[2].starts_with("federated,2,own,1,0.5,10,3,3,0,0,0,0,0.25,2,1,6000000,3000000,3000000,0,0,0,"));
  const std::vector<std::string> cells = split(lines[2], ',');
  REQUIRE(cells.size() == 33);
  const double joules = 1000 + 66 + 43.8 + 35 + 240;
  CHECK(parse_number(cells[21]).value() == Approx(joules).epsilon(1e-9));
  CHECK(cells[22] == "1000");
  CHECK(parse_number(cells[23]).value() == Approx(66).epsilon(1e-9));
  CHECK(parse_number(cells[24]).value() == Approx(43.8).epsilon(1e-9));
  CHECK(cells[25] == "0");
  CHECK(cells[26] == "35");
  CHECK(cells[27] == "240");
  CHECK(cells[28] == "0");
  CHECK(cells[29] == "0.5");
  CHECK(cells[30] == "0.125");
  CHECK(parse_number(cells[31]).value() == Approx(joules * 1e-6).epsilon(1e-9));
  CHECK(cells[32] == "");
}

}  // namespace
}  // namespace orrery
