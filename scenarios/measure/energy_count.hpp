// The energy that the machines of a run count themselves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/training/rapl.hpp"
#include "scenarios/measure/communicator.hpp"

namespace orrery {

/// The lowest rank of each machine reads its processors' counters (see PackageEnergy): they count everything that the
/// machine does meanwhile.
class EnergyCount {
 public:
  /// Every rank must make one.
  explicit EnergyCount(Communicator& communicator)
      : communicator_(communicator), reads_(communicator.first_on_machine()) {
    if (reads_) energy_ = PackageEnergy::open();
  }

  /// Forgets what came before.
  void start() {
    sum_ = Joules();
    if (energy_) since_last();
    sum_ = Joules();
  }
  /// Often enough that no counter comes round twice: after every step.
  void follow() {
    if (energy_) since_last();
  }
  /// On rank 0 the sum over all machines, or nothing when one cannot be read; elsewhere nothing. All ranks must ask.
  std::optional<Joules> total() {
    const double mine = !reads_ ? 0.0 : energy_ ? sum_.value() : unreadable;
    Joules total;
    for (const std::string& text : communicator_.gather(std::to_string(mine))) {
      const double part = std::stod(text);
      if (part < 0) return std::nullopt;
      total += Joules(part);
    }
    return communicator_.rank() == 0 ? std::optional(total) : std::nullopt;
  }

 private:
  static constexpr double unreadable = -1.0;

  void since_last() {
    if (const auto part = energy_->since_last()) {
      sum_ += *part;
    } else {
      energy_.reset();
    }
  }

  Communicator& communicator_;
  bool reads_;
  std::optional<PackageEnergy> energy_;
  Joules sum_;
};

}  // namespace orrery
