#include "tests/topologies/small_catalogue.hpp"

#include <algorithm>
#include <fstream>

#include "sim/base/csv.hpp"

namespace orrery::test {
namespace {

const std::map<std::string, std::vector<std::vector<std::string>>>& whole_tables() {
  static const std::map<std::string, std::vector<std::vector<std::string>>> tables{
      {"sources.csv", {{"id", "title", "where", "version", "used_for"}, {"book", "A data book", "", "", ""}}},
      {"radios.csv",
       {{"id", "name", "up_nJ_per_bit", "down_nJ_per_bit", "base_W", "maximum_W", "tail_J", "tail_s", "source",
         "assumed", "notes"},
        {"set", "Set", "400", "50", "1.3", "4", "12", "10", "book", "", ""}}},
      {"links.csv",
       {{"id", "name", "kind", "bandwidth_GBps", "bandwidth_up_GBps", "latency_us", "latency_stack", "efficiency",
         "efficiency_basis", "host_bridge_GBps", "switch_port_W", "nic_W", "optics_W", "client_active_W", "radio",
         "energy_pJ_per_bit", "source", "assumed", "notes"},
        {"wire", "Wire", "infiniband", "10", "", "2", "verbs", "0.9", "measured", "", "3", "2", "1", "", "", "", "book",
         "", ""},
        {"lane", "Lane", "pcie", "16", "", "5", "driver", "0.8", "measured", "32", "", "", "", "", "", "10", "book", "",
         ""},
        {"air", "Air", "wifi", "0.01", "", "2000", "TCP", "0.5", "measured", "", "", "", "", "1", "set", "", "book", "",
         ""}}},
      {"devices.csv",
       {{"id",
         "name",
         "kind",
         "vendor",
         "year",
         "peak_fp64_TFLOPS",
         "peak_fp32_TFLOPS",
         "peak_tf32_TFLOPS",
         "peak_fp16_TFLOPS",
         "peak_bf16_TFLOPS",
         "peak_fp8_TFLOPS",
         "peak_int8_TOPS",
         "memory_GiB",
         "memory_bandwidth_GBps",
         "idle_W",
         "typical_W",
         "maximum_W",
         "gemm_fraction",
         "link",
         "source",
         "assumed",
         "notes"},
        {"card", "Card", "gpu", "Maker", "2020", "",    "10",  "",     "40",   "",       "",
         "",     "16",   "900", "30",    "200",  "250", "0.8", "lane", "book", "idle_W", ""}}},
      {"systems.csv",
       {{"id",
         "name",
         "vendor",
         "year",
         "device",
         "devices_per_node",
         "node_link",
         "nics_per_node",
         "network_link",
         "fabric",
         "nodes_per_leaf",
         "oversubscription",
         "max_nodes",
         "node_idle_W",
         "node_training_W",
         "node_maximum_W",
         "price_per_hour",
         "currency",
         "source",
         "assumed",
         "notes"},
        {"box", "Box", "Maker", "2020", "card", "4", "lane", "2",    "wire", "fat-tree", "8",
         "2",   "64",  "200",   "1000", "1500", "3", "USD",  "book", "",     ""}}},
      {"carbon.csv",
       {{"id", "name", "kind", "year", "intensity_gCO2e_per_kWh", "source", "assumed", "notes"},
        {"here", "Here", "country", "2023", "250", "book", "", ""}}},
  };
  return tables;
}

}  // namespace

SmallCatalogue::SmallCatalogue() : tables_(whole_tables()) {
  for (const auto& [file, table] : tables_) save(file);
}

SmallCatalogue& SmallCatalogue::set(const std::string& file, int line, const std::string& column,
                                    const std::string& text) {
  Table& table = tables_.at(file);
  const auto& header = table.front();
  const auto place = std::find(header.begin(), header.end(), column) - header.begin();
  table.at(static_cast<std::size_t>(line) - 1).at(static_cast<std::size_t>(place)) = text;
  save(file);
  return *this;
}

SmallCatalogue& SmallCatalogue::repeat(const std::string& file) {
  Table& table = tables_.at(file);
  const std::vector<std::string> last = table.back();
  table.push_back(last);
  save(file);
  return *this;
}

SmallCatalogue& SmallCatalogue::rename(const std::string& file, const std::string& column, const std::string& name) {
  Table& table = tables_.at(file);
  std::replace(table.front().begin(), table.front().end(), column, name);
  save(file);
  return *this;
}

SmallCatalogue& SmallCatalogue::write(const std::string& file, const std::string& content) {
  std::ofstream(folder() / file) << content;
  return *this;
}

SmallCatalogue& SmallCatalogue::remove(const std::string& file) {
  std::filesystem::remove(folder() / file);
  return *this;
}

void SmallCatalogue::save(const std::string& file) const {
  std::ofstream out(folder() / file);
  for (const auto& row : tables_.at(file)) out << csv_line(row);
}

Catalogue SmallCatalogue::read(Problems& problems) const {
  return read_catalogue(folder(), problems);
}

std::string SmallCatalogue::errors() const {
  Problems problems;
  static_cast<void>(read(problems));
  std::string text;
  for (Problem problem : problems.all()) {
    problem.at.file = std::filesystem::path(problem.at.file).filename().string();
    problem.source_line.clear();
    text += to_text(problem) + "\n";
  }
  return text;
}

}  // namespace orrery::test
