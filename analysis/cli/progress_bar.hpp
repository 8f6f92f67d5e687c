// One repainted line on a terminal; nothing when standard error is not one, or when asked to be quiet.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <string>

#include "scenarios/way.hpp"

namespace orrery {

enum class Verbosity : std::uint8_t { quiet, normal };
/// Quiet when `--quiet` was given.
Verbosity verbosity_of(const boost::program_options::variables_map& values);

class ProgressBar {
 public:
  explicit ProgressBar(Verbosity verbosity);
  ~ProgressBar();  // clears the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const std::string& stage, double share, const std::string& detail);
  /// For functions that report through a Progress. The bar must outlive it.
  [[nodiscard]] Progress callback();

 private:
  enum class Mode : std::uint8_t { silent, terminal } mode_;
  std::string shown_;
};

/// The painted line: `learning fedavg [#####-----]  50 % round 12, accuracy 0.8312`, at most 100 characters.
std::string progress_line(const std::string& stage, double share, const std::string& detail);

}  // namespace orrery
