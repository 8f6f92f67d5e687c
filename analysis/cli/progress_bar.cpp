#include "analysis/cli/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace orrery {
namespace {

constexpr int bar_width = 24;
constexpr std::size_t line_width = 100;

bool stderr_is_a_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) != 0 && std::string_view(term != nullptr ? term : "dumb") != "dumb";
}

}  // namespace

Verbosity verbosity_of(const boost::program_options::variables_map& values) {
  return values.count("quiet") != 0 ? Verbosity::quiet : Verbosity::normal;
}

std::string progress_line(const std::string& stage, double share, const std::string& detail) {
  const double inside = std::clamp(share, 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(inside * bar_width);
  const std::string bar = std::string(filled, '#') + std::string(bar_width - filled, '-');
  return fmt::format("{:<22} [{}] {:3.0f} % {}", stage, bar, inside * 100.0, detail).substr(0, line_width);
}

ProgressBar::ProgressBar(Verbosity verbosity)
    : mode_(verbosity == Verbosity::normal && stderr_is_a_terminal() ? Mode::terminal : Mode::silent) {}

ProgressBar::~ProgressBar() {
  if (!shown_.empty()) std::fputs("\r\033[K", stderr);
}

void ProgressBar::show(const std::string& stage, double share, const std::string& detail) {
  if (mode_ == Mode::silent) return;
  std::string line = progress_line(stage, share, detail);
  if (line == shown_) return;
  std::fputs(("\r\033[K" + line).c_str(), stderr);
  std::fflush(stderr);
  shown_ = std::move(line);
}

Progress ProgressBar::callback() {
  return [this](const std::string& stage, double share, const std::string& detail) { show(stage, share, detail); };
}

}  // namespace orrery
