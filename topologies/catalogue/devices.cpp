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
                                              "link",
                                              "source",
                                              "assumed",
                                              "notes"};
  return names;
}

const std::vector<std::string> kinds{"cpu", "gpu", "tpu", "npu", "fpga", "edge", "phone", "host"};

constexpr std::array<std::string_view, 7> peak_columns{"peak_fp64_TFLOPS", "peak_fp32_TFLOPS", "peak_tf32_TFLOPS",
                                                       "peak_fp16_TFLOPS", "peak_bf16_TFLOPS", "peak_fp8_TFLOPS",
                                                       "peak_int8_TOPS"};

void read_peaks(CsvRow& row, Device& device) {
  bool any = false;
  for (std::size_t precision = 0; precision < peak_columns.size(); ++precision) {
    device.peak[precision] = FlopsPerSecond(non_negative(row, peak_columns[precision]) * tera);
    any = any || device.peak[precision].value() > 0;
  }
  if (!any) row.problem("peak_fp32_TFLOPS", "no peak in any precision", "a device that computes nothing cannot train");
}

void read_power(CsvRow& row, Device& device) {
  device.idle = Watts(non_negative(row, "idle_W"));
  device.typical = Watts(non_negative(row, "typical_W"));
  device.maximum = Watts(non_negative(row, "maximum_W"));
  const bool none = device.idle.value() + device.typical.value() + device.maximum.value() == 0;
  if (!none && (device.idle > device.typical || device.typical > device.maximum)) {
    row.problem(
        "typical_W", fmt::format("{} W is not between idle_W and maximum_W", number_text(device.typical.value())),
        fmt::format("idle {} W, maximum {} W", number_text(device.idle.value()), number_text(device.maximum.value())));
  }
}

/// `known` is null for a file that stands alone: ids of links and sources are then not resolved.
Device read_device(CsvRow& row, UniqueIds& ids, const Catalogue* known) {
  Device device;
  device.id = ids.take(row);
  device.name = row.required_text("name");
  device.kind = one_of(row, "kind", kinds);
  device.vendor = row.text("vendor");
  device.year = whole(row, "year", 1940, 0);
  read_peaks(row, device);
  device.memory = Bytes(positive(row, "memory_GiB") * gibi);
  device.memory_bandwidth = BytesPerSecond(non_negative(row, "memory_bandwidth_GBps") * giga);
  read_power(row, device);
  device.gemm_fraction = share(row, "gemm_fraction");
  device.link = known != nullptr ? reference(row, "link", ids_of(known->links), "link") : row.text("link");
  Provenance provenance = read_provenance(row, known != nullptr ? &known->sources : nullptr, columns());
  device.source = std::move(provenance.source);
  device.assumed = std::move(provenance.assumed);
  device.notes = std::move(provenance.notes);
  return device;
}

std::string known_number(double value) {
  return value > 0 ? number_text(value) : std::string();
}

}  // namespace

std::vector<Device> read_devices(const std::string& path, const Catalogue& known, Problems& problems) {
  CsvTable table = CsvTable::read(path, {columns(), {}}, problems);
  std::vector<Device> devices;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) devices.push_back(read_device(row, ids, &known));
  return devices;
}

std::optional<Device> read_device_file(const std::filesystem::path& path, Problems& problems) {
  Problems own;
  CsvTable table = CsvTable::read(path.string(), {columns(), {}}, own);
  std::optional<Device> device;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) device = read_device(row, ids, nullptr);
  if (own.empty() && table.rows().size() != 1) {
    own.add({{path.string(), 0, 0},
             "",
             fmt::format("{} devices in a file for one", table.rows().size()),
             "it describes one measured host",
             "write it anew with `orrery profile --device`",
             ""});
  }
  for (const Problem& problem : own.all()) problems.add(problem);
  return own.empty() ? device : std::nullopt;
}

std::string device_csv(const Device& device) {
  std::vector<std::string> cells{device.id, device.name, device.kind, device.vendor,
                                 device.year > 0 ? std::to_string(device.year) : std::string()};
  for (const FlopsPerSecond peak : device.peak) cells.push_back(known_number(peak.value() / tera));
  cells.push_back(known_number(device.memory.value() / gibi));
  cells.push_back(known_number(device.memory_bandwidth.value() / giga));
  for (const Watts power : {device.idle, device.typical, device.maximum}) cells.push_back(known_number(power.value()));
  cells.push_back(number_text(device.gemm_fraction));
  for (const std::string* text : {&device.link, &device.source, &device.assumed, &device.notes}) cells.push_back(*text);
  return csv_line(columns()) + csv_line(cells);
}

}  // namespace orrery
