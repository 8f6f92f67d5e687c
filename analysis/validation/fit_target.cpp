#include "analysis/validation/fit_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

[[noreturn]] void refuse_id(const FitTarget& target, const std::vector<std::string>& ids) {
  const std::string kind = name_of(target.kind);
  refuse(fmt::format("unknown {} \"{}\"", kind, target.id), "",
         did_you_mean(target.id, ids, "orrery list " + kind + "s"));
}

}  // namespace

std::string name_of(FitTarget::Kind kind) {
  switch (kind) {
    case FitTarget::Kind::device:
      return "device";
    case FitTarget::Kind::link:
      return "link";
    case FitTarget::Kind::framework:
      return "framework";
  }
  return {};
}

void refuse(const std::string& what, const std::string& why, const std::string& suggestion) {
  throw InvalidInput({{{}, {}, what, why, suggestion, {}}});
}

template <class Law, class Table>
void FitConstants::take(const Law& law, const Table& table) {
  for (const auto& constant : table) {
    names_.emplace_back(constant.name);
    values_.push_back(law.*(constant.member));
    limits_.push_back(constant.limits);
  }
}

FitConstants::FitConstants(const ValidationTables& tables, const FitTarget& target) : kind_(target.kind) {
  if (target.kind == FitTarget::Kind::device) {
    const Device* device = tables.catalogue.device(target.id);
    if (device == nullptr) refuse_id(target, ids_of(tables.catalogue.devices));
    take(tables.device_laws.of(*device), device_constants());
  } else if (target.kind == FitTarget::Kind::link) {
    const Link* link = tables.catalogue.link(target.id);
    if (link == nullptr) refuse_id(target, ids_of(tables.catalogue.links));
    take(tables.fabric_laws.of(*link), fabric_constants());
  } else {
    std::vector<std::string> ids;
    for (const FrameworkProfile& framework : tables.frameworks) ids.push_back(framework.id);
    if (std::find(ids.begin(), ids.end(), target.id) == ids.end()) refuse_id(target, ids);
    take(tables.framework(target.id), framework_constants());
  }
}

std::size_t FitConstants::place_of(const std::string& constant) const {
  const auto found = std::find(names_.begin(), names_.end(), constant);
  if (found == names_.end()) {
    refuse(fmt::format("unknown constant \"{}\" of a {}", constant, name_of(kind_)), "",
           did_you_mean(constant, names_));
  }
  return static_cast<std::size_t>(found - names_.begin());
}

const Ranged& FitConstants::value(const std::string& constant) const {
  return values_[place_of(constant)];
}

const ConstantLimits& FitConstants::limits(const std::string& constant) const {
  return limits_[place_of(constant)];
}

std::vector<Metric> metrics_for(FitTarget::Kind kind) {
  switch (kind) {
    case FitTarget::Kind::device:
      return kernel_metrics();
    case FitTarget::Kind::link:
      return collective_metrics();
    case FitTarget::Kind::framework:
      return training_metrics();
  }
  return {};
}

std::string owner_of(const MeasuredRow& row, const ValidationTables& tables, const FitTarget& target) {
  if (target.kind == FitTarget::Kind::framework) return target.id;
  if (target.kind == FitTarget::Kind::device) {
    const NamedDevice named = find_device(row.device, tables.devices, tables.catalogue);
    return named.device == nullptr ? "" : named.device->id;
  }
  RowCase where;
  set_cluster(where, row, row.devices.value_or(1), tables);
  const ClusterDescription& cluster = where.job.cluster;
  const std::optional<Link>& used = cluster.nodes > 1 ? cluster.network_link : cluster.node_link;
  return used ? used->id : "";
}

}  // namespace orrery
