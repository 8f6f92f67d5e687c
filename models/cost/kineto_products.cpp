#include "models/cost/kineto_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace orrery {
namespace {

struct TypeName {
  std::string_view name;
  Precision precision;
};
constexpr std::array<TypeName, 5> types{{{"c10::BFloat16", Precision::bf16},
                                         {"c10::Half", Precision::fp16},
                                         {"float", Precision::fp32},
                                         {"double", Precision::fp64},
                                         {"c10::Float8_e4m3fn", Precision::fp8}}};

std::optional<Precision> precision_of(const std::string& type) {
  for (const TypeName& known : types) {
    if (known.name == type) return known.precision;
  }
  return std::nullopt;
}

/// addmm and baddbmm have the summand first. mm: (M, K) (K, N); bmm: (batch, M, K) (batch, K, N).
std::optional<Operator> product_of(const TraceEvent& event, Precision precision) {
  const std::size_t first = event.name == "aten::addmm" || event.name == "aten::baddbmm" ? 1 : 0;
  if (event.shapes.size() < first + 2) return std::nullopt;
  const std::vector<std::int64_t>& left = event.shapes[first];
  const std::vector<std::int64_t>& right = event.shapes[first + 1];
  const std::size_t rank = left.size();
  if (right.size() != rank || (rank != 2 && rank != 3) || left[rank - 1] != right[rank - 2]) return std::nullopt;
  Operator op;
  op.kind = Operator::Kind::product;
  op.count = rank == 3 ? static_cast<double>(left[0]) : 1.0;
  op.m = static_cast<double>(left[rank - 2]);
  op.k = static_cast<double>(left[rank - 1]);
  op.n = static_cast<double>(right[rank - 1]);
  op.bytes = op.count * bytes_per_number(precision).value() * (op.m * op.k + op.k * op.n + op.m * op.n);
  return op.m * op.n * op.k * op.count > 0 ? std::optional(op) : std::nullopt;
}

/// Microseconds of the kernels that each operator started, by its external id.
std::map<std::int64_t, double> kernel_times(const Trace& trace) {
  std::map<std::int64_t, double> times;
  for (const TraceEvent& event : trace.events) {
    if (event.kind == TraceEvent::Kind::kernel && event.external >= 0) times[event.external] += event.duration_us;
  }
  return times;
}

std::string name_of(const TraceEvent& event, const Operator& op, Precision precision) {
  const std::string batch = op.count > 1 ? fmt::format("{} x ", op.count) : "";
  return fmt::format("{} {}{} x {} x {} {}", event.name, batch, op.m, op.n, op.k, name_of(precision));
}

void refuse(const std::string& file, const std::string& what, const std::string& why, Problems& problems) {
  problems.add({{file, 0, 0},
                {},
                what,
                why,
                "record it with torch.profiler.profile(record_shapes=True) and export_chrome_trace()",
                {}});
}

}  // namespace

std::vector<TracedProduct> traced_products(const Trace& trace, const std::string& file, Problems& problems) {
  const std::map<std::int64_t, double> kernels = kernel_times(trace);
  std::vector<TracedProduct> products;
  std::vector<std::vector<double>> times;
  std::map<std::string, std::size_t> index;
  bool any = false;
  for (const TraceEvent& event : trace.events) {
    if (event.kind != TraceEvent::Kind::on_host || !is_product(event.name)) continue;
    any = true;
    const std::optional<Precision> precision = precision_of(event.type);
    const std::optional<Operator> op = precision ? product_of(event, *precision) : std::nullopt;
    const auto on_device = kernels.find(event.external);
    const double microseconds = on_device != kernels.end() ? on_device->second
                                : kernels.empty()          ? event.duration_us
                                                           : 0.0;
    if (!op || microseconds <= 0.0) continue;
    const auto [place, is_new] = index.emplace(name_of(event, *op, *precision), products.size());
    if (is_new) {
      products.push_back({place->first, *op, *precision, {}, 0});
      times.emplace_back();
    }
    times[place->second].push_back(microseconds);
  }
  if (!any) refuse(file, "has no matrix products", "aten::mm, addmm, bmm or baddbmm are wanted", problems);
  if (any && products.empty())
    refuse(file, "does not give the shapes of its matrix products", "\"Input Dims\" and \"Input type\" are wanted",
           problems);
  for (std::size_t i = 0; i < products.size(); ++i) {
    std::sort(times[i].begin(), times[i].end());
    products[i].calls = static_cast<int>(times[i].size());
    products[i].seconds = Seconds(times[i][times[i].size() / 2] * micro);
  }
  return products;
}

}  // namespace orrery
