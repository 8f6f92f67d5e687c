// A PyTorch trace as it lies in its file: the events that the import of profiles reads, and no others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

/// A span of time: an operator, an annotation of the profiler, or a kernel on an accelerator.
struct TraceEvent {
  enum class Kind : std::uint8_t { on_host, kernel } kind = Kind::on_host;
  std::string name;
  std::string thread;  // process and thread
  double start_us = 0, duration_us = 0;
  std::int64_t sequence = -1;  // 'Sequence number': an operator's is that of the gradient function it makes; -1: none
  std::int64_t external = -1;  // 'External id': an operator's own, a kernel's that of the operator that started it
  /// Of matrix products whose trace was recorded with record_shapes: the sizes of their inputs, and the first's type.
  std::vector<std::vector<std::int64_t>> shapes;
  std::string type;
  [[nodiscard]] double end_us() const { return start_us + duration_us; }
};

struct Trace {
  std::string accelerator;         // its name where the trace tells it
  std::vector<TraceEvent> events;  // as they stand in the file
};

/// Names of the operators that are matrix products.
bool is_product(std::string_view name);

/// Reads Chrome Trace Event JSON as torch.profiler writes it, plain or gzipped: Kineto's object with traceEvents, or
/// the bare list of builds without Kineto. Of the complete events (ph X) those of operators, annotations and kernels
/// are kept; Python's own frames, runtime calls and copies are not. Problems, with the byte where that helps: the file
/// cannot be read or unpacked, is no JSON or cut short, is no trace, an event without name or time.
Trace read_trace(const std::filesystem::path& file, Problems& problems);
/// Same from a text; `file` stands for it in messages.
Trace parse_trace(std::string_view text, const std::string& file, Problems& problems);

/// What is wrong with a trace as a whole.
void refuse_trace(const std::string& file, const std::string& what, const std::string& why,
                  const std::string& suggestion, Problems& problems);

}  // namespace orrery
