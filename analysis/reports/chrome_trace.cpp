// Facts of the format that shape this file: times are microseconds; slices of one track must nest, so overlapping
// activities of one stream get tracks of their own; times are whole nanoseconds, so that no rounding makes neighbours
// overlap; a flow arrow binds to the slice that encloses its ends.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

using Json = nlohmann::ordered_json;

struct Slice {
  std::string strategy, stream, dimension, phase, layer, microbatch;
  std::int64_t rank = 0, peer = -1;
  std::int64_t ready_ns = 0, start_ns = 0, end_ns = 0;
  double bytes = 0, flops = 0;
  int process = 0, track = 0;  // pid and tid
};

/// On which track a slice stands, what it is called, and its category: what the device computes, its host at work, its
/// loader, or communication.
struct Label {
  std::string track, name, category;
  [[nodiscard]] bool communicates() const { return category.starts_with("comm."); }
};

Label label_of(const Slice& slice) {
  if (slice.stream == "compute") return {slice.stream, slice.phase, slice.phase};
  if (slice.stream == "host") return {slice.stream, "host " + slice.phase, slice.stream};
  if (slice.phase == "input") return {"loader", "load", slice.phase};
  return {slice.stream + " " + slice.dimension, slice.stream + " " + slice.phase, "comm." + slice.dimension};
}

std::int64_t nanoseconds(double seconds) {
  return std::llround(seconds / (micro / kilo));
}

Slice read_slice(CsvRow& row) {
  Slice slice;
  slice.strategy = row.text("strategy");
  slice.stream = row.required_text("stream");
  slice.dimension = row.text("dimension");
  slice.phase = row.required_text("phase");
  slice.layer = row.text("layer");
  slice.microbatch = row.text("microbatch");
  slice.rank = static_cast<std::int64_t>(row.required_number("rank"));
  slice.peer = static_cast<std::int64_t>(row.number("peer").value_or(-1));
  slice.ready_ns = nanoseconds(row.required_number("ready_s"));
  slice.start_ns = nanoseconds(row.required_number("start_s"));
  slice.end_ns = nanoseconds(row.required_number("end_s"));
  slice.bytes = row.number("bytes").value_or(0);
  slice.flops = row.number("flops").value_or(0);
  if (slice.ready_ns > slice.start_ns || slice.start_ns > slice.end_ns) {
    row.problem("end_s", "times out of order", "an activity is ready, starts and ends in this order");
  }
  return slice;
}

std::vector<Slice> read_slices(const std::string& text, const std::string& name) {
  Problems problems;
  const CsvColumns columns{{"strategy", "rank", "stream", "dimension", "phase", "layer", "microbatch", "ready_s",
                            "start_s", "end_s", "bytes", "flops", "peer"},
                           {}};
  CsvTable table = CsvTable::parse(text, name, columns, problems);
  std::vector<Slice> slices;
  for (CsvRow& row : table.rows()) slices.push_back(read_slice(row));
  problems.throw_if_any();
  std::stable_sort(slices.begin(), slices.end(),
                   [](const Slice& a, const Slice& b) { return a.ready_ns < b.ready_ns; });
  return slices;
}

Json metadata(const char* what, int process, int track, Json arguments) {
  return {{"ph", "M"}, {"name", what}, {"pid", process}, {"tid", track}, {"args", std::move(arguments)}};
}

/// Gives every slice its process and track, and names them.
class Tracks {
 public:
  std::vector<Json> place(std::vector<Slice>& slices) {
    for (Slice& slice : slices) {
      slice.process = process_of(slice);
      slice.track = track_of(slice);
    }
    return std::move(names_);
  }

 private:
  struct Track {
    int id;
    std::int64_t free_ns;  // its last slice has ended by then
  };

  int process_of(const Slice& slice) {
    const auto [found, fresh] =
        processes_.try_emplace({slice.strategy, slice.rank}, static_cast<int>(processes_.size()) + 1);
    if (fresh) {
      const int id = found->second;
      names_.push_back(
          metadata("process_name", id, 0, {{"name", fmt::format("{} / rank {}", slice.strategy, slice.rank)}}));
      names_.push_back(metadata("process_sort_index", id, 0, {{"sort_index", id}}));
    }
    return found->second;
  }

  /// The first track of the stream that is free, or a new one.
  int track_of(const Slice& slice) {
    const std::string stream = label_of(slice).track;
    std::vector<Track>& lanes = lanes_[{slice.process, stream}];
    for (Track& lane : lanes) {
      if (lane.free_ns > slice.ready_ns) continue;
      lane.free_ns = slice.end_ns;
      return lane.id;
    }
    const int id = ++tracks_[slice.process];
    lanes.push_back({id, slice.end_ns});
    const std::string name = lanes.size() == 1 ? stream : fmt::format("{} {}", stream, lanes.size());
    names_.push_back(metadata("thread_name", slice.process, id, {{"name", name}}));
    return id;
  }

  std::map<std::pair<std::string, std::int64_t>, int> processes_;
  std::map<std::pair<int, std::string>, std::vector<Track>> lanes_;
  std::map<int, int> tracks_;  // of each process
  std::vector<Json> names_;
};

/// An event and when it happens, for the order of the file.
struct Event {
  std::int64_t at_ns;
  Json json;
};

double microseconds(std::int64_t ns) {
  return static_cast<double>(ns) / kilo;
}

Event slice_event(const Slice& slice, const std::string& name, const std::string& category, std::int64_t begin,
                  std::int64_t end) {
  Json arguments = {{"phase", slice.phase}};
  if (!slice.layer.empty()) arguments["layer"] = slice.layer;
  if (!slice.microbatch.empty()) arguments["microbatch"] = slice.microbatch;
  if (slice.bytes > 0) arguments["bytes"] = slice.bytes;
  if (slice.flops > 0) arguments["flops"] = slice.flops;
  if (slice.peer >= 0) arguments["peer"] = slice.peer;
  return {begin,
          {{"ph", "X"},
           {"name", name},
           {"cat", category},
           {"pid", slice.process},
           {"tid", slice.track},
           {"ts", microseconds(begin)},
           {"dur", microseconds(end - begin)},
           {"args", std::move(arguments)}}};
}

void add_slice(const Slice& slice, std::vector<Event>& events) {
  const Label label = label_of(slice);
  if (label.communicates() && slice.start_ns > slice.ready_ns) {
    events.push_back(slice_event(slice, "wait for " + label.name, "wait", slice.ready_ns, slice.start_ns));
  }
  events.push_back(slice_event(slice, label.name, label.category, slice.start_ns, slice.end_ns));
}

Event flow_event(const char* phase, const Slice& slice, std::size_t id) {
  Json json = {{"ph", phase},
               {"name", "message"},
               {"cat", "message"},
               {"id", id},
               {"pid", slice.process},
               {"tid", slice.track},
               {"ts", microseconds(slice.start_ns)}};
  if (*phase == 'f') json["bp"] = "e";
  return {slice.start_ns, std::move(json)};
}

/// The k-th send from one rank to another with the same dimension, phase and microbatch belongs to the k-th receive.
void add_flows(const std::vector<Slice>& slices, std::vector<Event>& events) {
  using Key = std::tuple<std::string, std::int64_t, std::int64_t, std::string, std::string, std::string>;
  std::map<Key, std::vector<const Slice*>> sends, receives;
  for (const Slice& slice : slices) {
    if (slice.peer < 0) continue;
    const auto key = [&](std::int64_t from, std::int64_t to) {
      return Key{slice.strategy, from, to, slice.dimension, slice.phase, slice.microbatch};
    };
    if (slice.stream == "send") sends[key(slice.rank, slice.peer)].push_back(&slice);
    if (slice.stream == "receive") receives[key(slice.peer, slice.rank)].push_back(&slice);
  }
  std::size_t id = 0;
  for (const auto& [key, from] : sends) {
    const auto found = receives.find(key);
    if (found == receives.end() || found->second.size() != from.size()) continue;
    for (std::size_t i = 0; i < from.size(); ++i) {
      ++id;
      events.push_back(flow_event("s", *from[i], id));
      events.push_back(flow_event("f", *found->second[i], id));
    }
  }
}

}  // namespace

std::string chrome_trace(const std::string& timeline_csv_text, const std::string& name) {
  std::vector<Slice> slices = read_slices(timeline_csv_text, name);
  const std::vector<Json> names = Tracks().place(slices);
  std::vector<Event> events;
  for (const Slice& slice : slices) add_slice(slice, events);
  add_flows(slices, events);
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at_ns < b.at_ns; });

  std::vector<std::string> lines;
  for (const Json& line : names) lines.push_back(line.dump());
  for (const Event& event : events) lines.push_back(event.json.dump());
  return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + join(lines, ",\n") + "\n]}\n";
}

}  // namespace orrery
