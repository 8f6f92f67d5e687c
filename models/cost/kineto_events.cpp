#include "models/cost/kineto_events.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace orrery {
namespace {

using Json = nlohmann::json;

const std::string how_to_record = "record it with torch.profiler and export_chrome_trace()";

/// Plain files come through as they are.
std::optional<std::string> unpack(const std::string& file, Problems& problems) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> packed(gzopen(file.c_str(), "rb"), gzclose);
  if (!packed) {
    refuse_trace(file, "cannot be opened", std::strerror(errno), {}, problems);
    return std::nullopt;
  }
  std::string text;
  std::array<char, 1 << 16> piece{};
  int count = 0;
  while ((count = gzread(packed.get(), piece.data(), static_cast<unsigned>(piece.size()))) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  const int system_error = errno;
  int status = Z_OK;
  gzerror(packed.get(), &status);
  if (count == 0 && status == Z_OK) return text;
  const std::string why = status == Z_BUF_ERROR ? "the compressed data ends too early"
                          : status == Z_ERRNO   ? std::strerror(system_error)
                                                : "the compressed data is damaged";
  refuse_trace(file, fmt::format("cannot be read beyond byte {} of its content", text.size()), why, how_to_record,
               problems);
  return std::nullopt;
}

std::optional<Json> parse_json(std::string_view text, const std::string& file, Problems& problems) {
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& error) {
    const bool ends = error.byte > text.size();
    refuse_trace(file, fmt::format("is no JSON at byte {} of {}", std::min(error.byte, text.size()), text.size()),
                 ends ? "it ends in the middle: it was cut short" : "what stands there does not fit what precedes it",
                 how_to_record, problems);
    return std::nullopt;
  }
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::int64_t number_in(const Json& event, std::initializer_list<const char*> keys) {
  const auto arguments = event.find("args");
  if (arguments == event.end() || !arguments->is_object()) return -1;
  for (const char* key : keys) {
    const auto found = arguments->find(key);
    if (found != arguments->end() && found->is_number_integer()) return found->get<std::int64_t>();
  }
  return -1;
}

/// Sizes of the inputs, as `record_shapes=True` writes them; empty without. Inputs that are no tensors have none.
std::vector<std::vector<std::int64_t>> shapes_of(const Json& event) {
  std::vector<std::vector<std::int64_t>> shapes;
  const auto arguments = event.find("args");
  if (arguments == event.end() || !arguments->is_object()) return shapes;
  const auto listed = arguments->find("Input Dims");
  if (listed == arguments->end() || !listed->is_array()) return shapes;
  for (const Json& input : *listed) {
    shapes.emplace_back();
    if (!input.is_array()) continue;
    for (const Json& size : input) {
      if (size.is_number_integer()) shapes.back().push_back(size.get<std::int64_t>());
    }
  }
  return shapes;
}

std::string first_type_of(const Json& event) {
  const auto arguments = event.find("args");
  if (arguments == event.end() || !arguments->is_object()) return {};
  const auto types = arguments->find("Input type");
  if (types == arguments->end() || !types->is_array() || types->empty()) return {};
  return types->front().is_string() ? types->front().get<std::string>() : std::string{};
}

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return name.starts_with(beginning); });
}

/// Builds without Kineto have no categories, and older ones wrote other names for them (Operator, Kernel).
std::optional<TraceEvent::Kind> kind_of(const std::string& category, const std::string& name) {
  if (category == "kernel" || category == "Kernel") return TraceEvent::Kind::kernel;
  const bool is_annotation = begins_with_any(name, {"ProfilerStep#", "Optimizer.", "enumerate(DataLoader)#"});
  const bool is_operator = name.find("::") != std::string::npos;
  const bool on_host = (is_operator && (category.empty() || category == "cpu_op" || category == "Operator")) ||
                       (is_annotation && (category.empty() || category == "cpu_op" || category == "Operator" ||
                                          category == "user_annotation"));
  return on_host ? std::optional(TraceEvent::Kind::on_host) : std::nullopt;
}

bool is_time(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_number() && std::isfinite(found->get<double>());
}

void add_event(const Json& event, std::size_t index, const std::string& file, Trace& trace, Problems& problems) {
  if (!event.is_object() || text_of(event, "ph") != "X") return;
  TraceEvent read;
  read.name = text_of(event, "name");
  const auto kind = kind_of(text_of(event, "cat"), read.name);
  if (!kind) return;
  for (const char* key : {"ts", "dur"}) {
    if (is_time(event, key)) continue;
    refuse_trace(file, fmt::format("event {} ({}) has no number \"{}\"", index, read.name, key),
                 "its time in microseconds is wanted", how_to_record, problems);
    return;
  }
  read.kind = *kind;
  read.thread = text_of(event, "pid") + "/" + text_of(event, "tid");
  read.start_us = event.at("ts").get<double>();
  read.duration_us = event.at("dur").get<double>();
  read.sequence = number_in(event, {"Sequence number"});
  read.external = number_in(event, {"External id", "external id"});
  if (is_product(read.name)) {
    read.shapes = shapes_of(event);
    read.type = first_type_of(event);
  }
  trace.events.push_back(std::move(read));
}

std::string accelerator_of(const Json& root) {
  const auto devices = root.find("deviceProperties");
  if (devices == root.end() || !devices->is_array() || devices->empty()) return {};
  return devices->front().is_object() ? text_of(devices->front(), "name") : std::string{};
}

}  // namespace

bool is_product(std::string_view name) {
  return name == "aten::mm" || name == "aten::addmm" || name == "aten::bmm" || name == "aten::baddbmm";
}

void refuse_trace(const std::string& file, const std::string& what, const std::string& why,
                  const std::string& suggestion, Problems& problems) {
  Problem problem;
  problem.at.file = file;
  problem.what = what;
  problem.why = why;
  problem.suggestion = suggestion;
  problems.add(std::move(problem));
}

Trace parse_trace(std::string_view text, const std::string& file, Problems& problems) {
  Trace trace;
  const std::optional<Json> root = parse_json(text, file, problems);
  if (!root) return trace;
  const bool is_kineto = root->is_object() && root->contains("traceEvents");
  const Json& list = is_kineto ? root->at("traceEvents") : *root;
  if (!list.is_array()) {
    refuse_trace(file, "is no trace", "a list of events, or an object with the list \"traceEvents\", is wanted",
                 how_to_record, problems);
    return trace;
  }
  if (is_kineto) trace.accelerator = accelerator_of(*root);
  for (std::size_t i = 0; i < list.size(); ++i) add_event(list[i], i, file, trace, problems);
  return trace;
}

Trace read_trace(const std::filesystem::path& file, Problems& problems) {
  const std::optional<std::string> text = unpack(file.string(), problems);
  return text ? parse_trace(*text, file.string(), problems) : Trace{};
}

}  // namespace orrery
