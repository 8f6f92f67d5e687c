#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"
#include "topologies/catalogue/files.hpp"
#include "topologies/catalogue/rows.hpp"

namespace orrery {
namespace {

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names{"id",
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
                                              "step_overhead_ms",
                                              "link",
                                              "source",
                                              "assumed",
                                              "notes"};
  return names;
}

/// Files of measured hosts that were written before a column came lack it.
CsvColumns readable_columns() {
  CsvColumns readable{columns(), {"step_overhead_ms"}};
  std::erase(readable.required, "step_overhead_ms");
  return readable;
}

const std::vector<std::string> kinds{"cpu", "gpu", "tpu", "npu", "fpga", "edge", "phone", "host"};

constexpr std::array<std::string_view, 7> peak_columns{"peak_fp64_TFLOPS", "peak_fp32_TFLOPS", "peak_tf32_TFLOPS",
                                                       "peak_fp16_TFLOPS", "peak_bf16_TFLOPS", "peak_fp8_TFLOPS",
                                                       "peak_int8_TOPS"};

void read_peaks(CsvRow& row, Device& device) {
  bool any = false;
  for (std::size_t precision = 0; precision < peak_columns.size(); ++precision) {
    device.peak[precision] = FlopsPerSecond(number_or_zero(row, peak_columns[precision]) * tera);
    any = any || device.peak[precision].value() > 0;
  }
  if (!any) row.problem("peak_fp32_TFLOPS", "no peak in any precision", "a device that computes nothing cannot train");
}

void read_power(CsvRow& row, Device& device) {
  device.idle = Watts(number_or_zero(row, "idle_W"));
  device.typical = Watts(number_or_zero(row, "typical_W"));
  device.maximum = Watts(number_or_zero(row, "maximum_W"));
  const bool none = device.idle.value() + device.typical.value() + device.maximum.value() == 0;
  if (!none && (device.idle > device.typical || device.typical > device.maximum)) {
    row.problem(
        "typical_W", fmt::format("{} W is not between idle_W and maximum_W", number_text(device.typical.value())),
        fmt::format("idle {} W, maximum {} W", number_text(device.idle.value()), number_text(device.maximum.value())));
  }
}

/// What the ids of a row may refer to; null: not resolved.
struct Known {
  const std::vector<Link>* links = nullptr;
  const std::vector<Source>* sources = nullptr;
};

Device read_device(CsvRow& row, UniqueIds& ids, const Known& known) {
  Device device;
  device.id = ids.take(row);
  device.name = row.required_text("name");
  device.kind = one_of(row, "kind", kinds);
  device.vendor = row.text("vendor");
  device.year = whole(row, "year", 1940, 0);
  read_peaks(row, device);
  device.memory = Bytes(number_above_zero(row, "memory_GiB") * gibi);
  device.memory_bandwidth = BytesPerSecond(number_or_zero(row, "memory_bandwidth_GBps") * giga);
  read_power(row, device);
  device.gemm_fraction = share(row, "gemm_fraction");
  device.step_overhead = Seconds(number_or_zero(row, "step_overhead_ms") / kilo);
  device.link = known.links != nullptr ? reference(row, "link", ids_of(*known.links), "link") : row.text("link");
  read_provenance(row, known.sources, columns(), device);
  return device;
}

/// Nothing when a problem was recorded.
std::optional<Device> read_one_device(const std::filesystem::path& path, const Known& known, Problems& problems) {
  const std::size_t before = problems.all().size();
  CsvTable table = CsvTable::read(path.string(), readable_columns(), problems);
  std::optional<Device> device;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) device = read_device(row, ids, known);
  if (problems.all().size() > before) return std::nullopt;
  if (table.rows().size() == 1) return device;
  Problem problem;
  problem.at.file = path.string();
  problem.what = fmt::format("{} devices in a file for one", table.rows().size());
  problem.why = "it describes one measured host";
  problem.suggestion = "write it anew with `orrery profile --device`";
  problems.add(std::move(problem));
  return std::nullopt;
}

std::string known_number(double value) {
  return value > 0 ? number_text(value) : std::string();
}

}  // namespace

std::vector<Device> read_devices(const std::string& path, const Catalogue& known, Problems& problems) {
  CsvTable table = CsvTable::read(path, readable_columns(), problems);
  std::vector<Device> devices;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) {
    Device device = read_device(row, ids, {&known.links, &known.sources});
    if (device.id == "host") {
      row.problem("id", "\"host\" is taken", "it is the machine that runs Orrery, described in host.csv",
                  "choose another id");
    }
    if (!device.id.empty()) devices.push_back(std::move(device));  // nobody can refer to a row without an id
  }
  return devices;
}

std::optional<Device> read_device_file(const std::filesystem::path& path, Problems& problems) {
  return read_one_device(path, {}, problems);
}

std::optional<Device> read_host(const std::filesystem::path& path, const std::vector<Link>& links, Problems& problems) {
  std::optional<Device> host = read_one_device(path, {&links, nullptr}, problems);
  if (!host || host->id == "host") return host;
  Problem problem;
  problem.at.file = path.string();
  problem.key = "id";
  problem.what = fmt::format("\"{}\" is not the machine that runs Orrery", host->id);
  problem.why = "host.csv adds one device, named host";
  problem.suggestion = "write it anew with `orrery profile --device`";
  problems.add(std::move(problem));
  return std::nullopt;
}

std::string device_csv(const Device& device) {
  std::vector<std::string> cells{device.id, device.name, device.kind, device.vendor,
                                 device.year > 0 ? std::to_string(device.year) : std::string()};
  for (const FlopsPerSecond peak : device.peak) cells.push_back(known_number(peak.value() / tera));
  cells.push_back(known_number(device.memory.value() / gibi));
  cells.push_back(known_number(device.memory_bandwidth.value() / giga));
  for (const Watts power : {device.idle, device.typical, device.maximum}) cells.push_back(known_number(power.value()));
  cells.push_back(number_text(device.gemm_fraction));
  cells.push_back(known_number(device.step_overhead.value() * kilo));
  for (const std::string* text : {&device.link, &device.source, &device.assumed, &device.notes}) cells.push_back(*text);
  return csv_line(columns()) + csv_line(cells);
}

}  // namespace orrery
