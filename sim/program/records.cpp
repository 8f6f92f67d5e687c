#include "sim/program/records.hpp"

#include <fmt/format.h>

#include "sim/base/text.hpp"

namespace orrery {

std::string_view name_of(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::exact:
      return "exact";
    case Fidelity::segments:
      return "segments";
    case Fidelity::collapsed:
      return "collapsed";
    case Fidelity::library:
      return "library";
    case Fidelity::mixed:
      return "mixed";
  }
  return "?";
}

std::string dump(const Records& records) {
  std::string text;
  for (std::size_t i = 0; i < records.activities.size(); ++i) {
    const Activity& activity = records.activities[i];
    text += fmt::format("{} rank {} {} {}", i, activity.rank.valid() ? std::to_string(activity.rank.index()) : "none",
                        name_of(activity.stream), name_of(activity.phase));
    if (activity.layer.valid()) text += fmt::format(" layer {}", activity.layer.index());
    if (activity.microbatch >= 0) text += fmt::format(" microbatch {}", activity.microbatch);
    if (activity.dimension != Dimension::none) text += fmt::format(" {}", name_of(activity.dimension));
    if (activity.peer.valid()) text += fmt::format(" peer {}", activity.peer.index());
    text += fmt::format(" ready {} start {} end {} bytes {} flops {}\n", number_text(activity.ready.value()),
                        number_text(activity.start.value()), number_text(activity.end.value()),
                        number_text(activity.bytes.value()), number_text(activity.flops.value()));
  }
  return text;
}

}  // namespace orrery
