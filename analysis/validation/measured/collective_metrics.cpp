// Collectives by themselves: time, bus bandwidth, algorithm bandwidth.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/quantities.hpp"
#include "analysis/validation/measured/words.hpp"
#include "models/layouts/block_price.hpp"
#include "models/layouts/group_place.hpp"
#include "sim/collectives/library.hpp"

namespace orrery {
namespace {

/// A plateau is read at this size when the source says "large" or "max".
constexpr double large_bytes = 8.0 * 1024 * 1024 * 1024;

/// By how much the law misses the tables it was fitted to, and tables of one machine each other at 1 MiB and below
/// (nccl-tests of three sources on 8 A100: 51 to 102 us).
constexpr double law_error = 0.08, small_error = 0.3;
constexpr double small_bytes = 4.0 * 1024 * 1024;

struct KindName {
  std::string_view words;
  CollectiveKind kind;
};
constexpr KindName kind_names[] = {{"all_reduce", CollectiveKind::all_reduce},
                                   {"allreduce", CollectiveKind::all_reduce},
                                   {"all reduce", CollectiveKind::all_reduce},
                                   {"all_gather", CollectiveKind::all_gather},
                                   {"allgather", CollectiveKind::all_gather},
                                   {"all gather", CollectiveKind::all_gather},
                                   {"reduce_scatter", CollectiveKind::reduce_scatter},
                                   {"reduce scatter", CollectiveKind::reduce_scatter},
                                   {"all_to_all", CollectiveKind::all_to_all},
                                   {"alltoall", CollectiveKind::all_to_all},
                                   {"broadcast", CollectiveKind::broadcast}};

CollectiveKind kind_of(const MeasuredRow& row) {
  for (const std::string& text : {row.model, row.table}) {
    std::string joined = text;
    const std::vector<std::string> words = words_of(joined);
    for (const KindName& name : kind_names) {
      if (text.find(name.words) != std::string::npos || has_words(words, name.words)) return name.kind;
    }
  }
  throw RowSkipped(fmt::format("missing: which collective \"{}\" is", row.model));
}

struct CollectiveCase {
  RowCase where;
  CollectiveKind kind = CollectiveKind::all_reduce;
  int ranks = 1;
  Bytes bytes;
};

CollectiveCase collective_of(const MeasuredRow& row, CaseSolver& solver) {
  CollectiveCase what;
  what.kind = kind_of(row);
  if (has_words(words_of(row.notes), "mis configured")) throw RowSkipped("the source calls the cluster mis-configured");
  if (!row.devices) throw RowSkipped("missing: devices");
  if (*row.devices < 2) throw RowSkipped("one device exchanges nothing");
  what.ranks = static_cast<int>(*row.devices);
  set_cluster(what.where, row, *row.devices, solver.tables());
  const auto size = size_in(row.model);
  const std::vector<std::string> words = words_of(row.model);
  if (!size && !has_words(words, "large") && !has_words(words, "max")) {
    throw RowSkipped(fmt::format("missing: size of \"{}\", as 64 KiB, 8 MB or 1048576 B", row.model));
  }
  if (size && *size < 1) throw RowSkipped(fmt::format("\"{}\" exchanges nothing", row.model));
  what.bytes = Bytes(size.value_or(large_bytes));
  if (!size) what.where.assumed.emplace_back("8 GiB");
  if (has_words(words_of(row.notes), "nvls off")) {
    what.where.job.node_law.in_network_GBps = Ranged(0);
  }
  return what;
}

double seconds_of(const CollectiveCase& what, const TrainingJob& job) {
  const Paths paths = paths_of(job, std::min(what.ranks, job.cluster.devices_per_node));
  Layout layout;
  layout.dp = what.ranks;
  const GroupPlace place = place_of(layout, Dimension::dp, job.cluster.joined_devices());
  return library_cost(what.kind, place, what.bytes, paths.node, paths.network).total().value();
}

/// Each constant of the two fabrics to either end; deviations in squares, and the error of the law itself.
Ranged ranged_seconds(const CollectiveCase& what) {
  const TrainingJob& job = what.where.job;
  const double middle = seconds_of(what, job);
  const double error = what.bytes.value() < small_bytes ? small_error : law_error;
  double below = error * error * middle * middle, above = below;
  for (FabricLaw TrainingJob::*law : {&TrainingJob::node_law, &TrainingJob::network_law}) {
    for (const FabricConstant& constant : fabric_constants()) {
      const Ranged& range = job.*law.*constant.member;
      for (const double end : {range.low, range.high}) {
        if (end == range.value) continue;
        TrainingJob moved = job;
        (moved.*law.*constant.member).value = end;
        const double deviation = seconds_of(what, moved) - middle;
        (deviation < 0 ? below : above) += deviation * deviation;
      }
    }
  }
  return {middle, std::max(middle / 10, middle - std::sqrt(below)), middle + std::sqrt(above)};
}

/// Bytes over the bus: seconds at one byte per second.
double bus_bytes(const CollectiveCase& what) {
  return bus_bandwidth(what.kind, what.ranks, what.bytes, Seconds(1)).value();
}

Predicted time(const MeasuredRow& row, CaseSolver& solver) {
  const CollectiveCase what = collective_of(row, solver);
  const double unit = *seconds_per(row.unit);
  return {ranged_seconds(what) * (1 / unit), what.where.assumed, {bus_bytes(what) / unit, -1, NullModel::Rate::bus}};
}

Predicted bus_GBps(const MeasuredRow& row, CaseSolver& solver) {
  const CollectiveCase what = collective_of(row, solver);
  return {inverse_of(ranged_seconds(what), bus_bytes(what) / giga),
          what.where.assumed,
          {1 / giga, 1, NullModel::Rate::bus}};
}

Predicted algorithm_rate(const MeasuredRow& row, CaseSolver& solver, double unit) {
  const CollectiveCase what = collective_of(row, solver);
  return {inverse_of(ranged_seconds(what), what.bytes.value() / unit),
          what.where.assumed,
          {what.bytes.value() / bus_bytes(what) / unit, 1, NullModel::Rate::bus}};
}

Predicted algorithm_GBps(const MeasuredRow& row, CaseSolver& solver) {
  return algorithm_rate(row, solver, giga);
}

Predicted algorithm_Gbps(const MeasuredRow& row, CaseSolver& solver) {
  return algorithm_rate(row, solver, giga / 8);
}

}  // namespace

std::vector<Metric> collective_metrics() {
  return {{"time", "time", time},
          {"collective_time", "time", time},
          {"busbw", "GB/s", bus_GBps},
          {"algbw", "GB/s", algorithm_GBps},
          {"algbw", "Gb/s", algorithm_Gbps}};
}

}  // namespace orrery
