// A group of clients: what they compute with, how they are connected, when they are online.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "scenarios/federation_reading.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

const Names<AvailabilityKind>& availability_names() {
  static const Names<AvailabilityKind> names = {{"always", AvailabilityKind::always},
                                                {"on-off", AvailabilityKind::on_off},
                                                {"diurnal", AvailabilityKind::diurnal},
                                                {"trace", AvailabilityKind::trace}};
  return names;
}

class ClientGroupReader {
 public:
  ClientGroupReader(TomlTable& table, const Reading& reading) : table_(table), reading_(reading) {}

  GroupOfClients read(std::string_view count_key) {
    constexpr Range clients{1.0, 1e6};
    group_.count = static_cast<int>(table_.required_integer(count_key, clients));
    if (const Device* device = required_device(table_, "device", reading_)) group_.device = *device;
    if (const Link* link = required_link(table_, "link", reading_)) group_.link = *link;
    read_speed();
    read_capacity_trace();
    read_availability();
    read_grid();
    return std::move(read_);
  }

 private:
  void read_speed() {
    const double usual = group_.device.step_overhead.value() * per_second;
    group_.step_overhead = Seconds(table_.number("step_overhead_ms", usual, non_negative) / per_second);
    if (table_.has("capacity_trace")) {
      const std::string owner = "a group without capacity_trace", why = "the trace says it of each client";
      for (const char* key : {"slowdown", "speed_sigma", "link_sigma", "sample_ms"}) {
        refuse(table_, key, ValueType::number, owner, why);
      }
      return;
    }
    group_.slowdown = table_.number("slowdown", group_.slowdown, positive);
    group_.speed_sigma = table_.number("speed_sigma", group_.speed_sigma, sigma);
    group_.link_sigma = table_.number("link_sigma", group_.link_sigma, sigma);
    if (const auto per_sample = table_.number("sample_ms", positive))
      group_.per_sample = Seconds(*per_sample / per_second);
  }

  void read_capacity_trace() {
    if (!table_.has("capacity_trace")) return;
    read_.capacity_trace = input_in(reading_, table_, "capacity_trace", table_.required_text("capacity_trace"));
    if (has_file(table_, "capacity_trace", read_.capacity_trace)) {
      group_.capacities = read_capacity_traces(read_.capacity_trace, reading_.problems);
    }
  }

  void read_availability() {
    AvailabilitySpec& spec = group_.availability;
    spec.kind = choose(table_, "availability", availability_names(), spec.kind);
    const std::string here = "the availability here is " + text_of(availability_names(), spec.kind);
    if (spec.kind == AvailabilityKind::on_off || spec.kind == AvailabilityKind::diurnal) {
      spec.mean_online = mean_time("mean_online_s", spec.mean_online);
      spec.mean_offline = mean_time("mean_offline_s", spec.mean_offline);
    } else {
      refuse(table_, "mean_online_s", ValueType::number, "availability = on-off | diurnal", here);
      refuse(table_, "mean_offline_s", ValueType::number, "availability = on-off | diurnal", here);
    }
    if (spec.kind == AvailabilityKind::diurnal) {
      read_day(spec);
    } else {
      refuse(table_, "amplitude", ValueType::number, "availability = diurnal", here);
      refuse(table_, "peak_hour", ValueType::number, "availability = diurnal", here);
      refuse(table_, "zones", ValueType::numbers, "availability = diurnal", here);
    }
    if (spec.kind == AvailabilityKind::trace) {
      read_behaviour(spec);
    } else {
      refuse(table_, "trace", ValueType::text, "availability = trace", here);
    }
  }

  void too_short(std::string_view key, const std::string& what) {
    table_.problem(key, what + " too short", "when years have passed the clock does not tell them any more",
                   fmt::format("use at least {}", number_text(shortest)));
  }

  /// Shorter times would be lost in the clock's last digit when it has run for long; longer ones are no training's.
  Seconds mean_time(std::string_view key, Seconds usual) {
    constexpr double longest = 1e9;
    const double mean = table_.number(key, usual.value(), positive);
    if (mean > 0.0 && mean < shortest) {
      too_short(key, fmt::format("{} s are", number_text(mean)));
    } else if (mean > longest) {
      table_.problem(key, fmt::format("{} s are too long", number_text(mean)),
                     fmt::format("{} s are thirty years", number_text(longest)),
                     fmt::format("use at most {}", number_text(longest)));
    }
    return Seconds(mean);
  }

  void read_day(AvailabilitySpec& spec) {
    constexpr Range hours{0.0, 24.0}, zones{-12.0, 14.0};
    spec.amplitude = table_.number("amplitude", spec.amplitude, fraction);
    spec.peak = Seconds(hour * table_.number("peak_hour", spec.peak.value() / hour, hours));
    spec.zones = table_.numbers("zones", zones);
  }

  /// Read here for its mistakes, which belong to those of the scenario; read again where clients are drawn.
  void read_behaviour(AvailabilitySpec& spec) {
    const std::string file = table_.required_text("trace");
    if (file.empty()) return;
    spec.trace = input_in(reading_, table_, "trace", file);
    if (has_file(table_, "trace", spec.trace)) check_times_online(read_behaviour_traces(spec.trace, reading_.problems));
  }

  void check_times_online(const std::vector<BehaviourTrace>& traces) {
    double least = shortest;
    for (const BehaviourTrace& trace : traces) {
      for (std::size_t i = 0; i < trace.active.size(); ++i) {
        least = std::min(least, (trace.inactive[i] - trace.active[i]).value());
      }
    }
    if (least < shortest) too_short("trace", fmt::format("a time online of {} s is", number_text(least)));
  }

  void read_grid() {
    const auto grid = table_.text("grid");
    if (!grid) return;
    const GridIntensity* row = row_named(table_, "grid", *grid, reading_.catalogue.grids, "grid");
    if (row == nullptr) return;
    group_.grid = *grid;
    group_.gCO2e_per_kWh = row->gCO2e_per_kWh;
  }

  static constexpr double per_second = 1000, hour = 3600;  // milliseconds; seconds
  static constexpr double shortest = 0.001;                // time online, in seconds
  /// exp(3 sigma) = 8100 at 3: what spreads further is a slip.
  static constexpr Range sigma{0.0, 3.0};

  TomlTable& table_;
  const Reading& reading_;
  GroupOfClients read_;
  ClientGroup& group_ = read_.group;
};

}  // namespace

const std::vector<ClientKey>& client_keys() {
  using enum ValueType;
  static const std::vector<ClientKey> keys = {{"device", text},
                                              {"link", text},
                                              {"slowdown", number},
                                              {"speed_sigma", number},
                                              {"link_sigma", number},
                                              {"sample_ms", number},
                                              {"step_overhead_ms", number},
                                              {"capacity_trace", text},
                                              {"availability", text},
                                              {"mean_online_s", number},
                                              {"mean_offline_s", number},
                                              {"amplitude", number},
                                              {"peak_hour", number},
                                              {"zones", numbers},
                                              {"trace", text},
                                              {"grid", text}};
  return keys;
}

GroupOfClients read_client_group(TomlTable& table, std::string_view count_key, const Reading& reading) {
  return ClientGroupReader(table, reading).read(count_key);
}

const Device* required_device(TomlTable& table, std::string_view key, const Reading& reading) {
  const std::string id = table.required_text(key);
  return id.empty() ? nullptr : row_named(table, key, id, reading.catalogue.devices, "device");
}

const Link* required_link(TomlTable& table, std::string_view key, const Reading& reading) {
  const std::string id = table.required_text(key);
  return id.empty() ? nullptr : row_named(table, key, id, reading.catalogue.links, "link");
}

}  // namespace orrery
