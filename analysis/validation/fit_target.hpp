// What is fitted: the constants of a device, a link or a framework.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/validation/measured/measured_row.hpp"
#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/tables.hpp"

namespace orrery {

struct FitTarget {
  enum class Kind : std::uint8_t { device, link, framework } kind = Kind::device;
  std::string id;
};
std::string name_of(FitTarget::Kind kind);  // first column of the file of constants

/// Throws InvalidInput.
[[noreturn]] void refuse(const std::string& what, const std::string& why, const std::string& suggestion);

/// The constants of a target as they are, by name. Throws InvalidInput for an unknown id or constant.
class FitConstants {
 public:
  FitConstants(const ValidationTables& tables, const FitTarget& target);
  [[nodiscard]] const Ranged& value(const std::string& constant) const;
  [[nodiscard]] const ConstantLimits& limits(const std::string& constant) const;

 private:
  template <class Law, class Table>
  void take(const Law& law, const Table& table);

  [[nodiscard]] std::size_t place_of(const std::string& constant) const;

  FitTarget::Kind kind_;
  std::vector<std::string> names_;
  std::vector<Ranged> values_;
  std::vector<ConstantLimits> limits_;
};

/// Metrics of rows that tell something of such a target.
std::vector<Metric> metrics_for(FitTarget::Kind kind);

/// Id of the device or link that the row was measured on; of a framework the target itself, as any can be tried. Empty:
/// none. Throws RowSkipped.
std::string owner_of(const MeasuredRow& row, const ValidationTables& tables, const FitTarget& target);

}  // namespace orrery
