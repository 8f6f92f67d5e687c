// The vocabulary of a Program: what one rank does, on which of its streams, in which phase of training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"

namespace orrery {

/// Streams of a rank run beside each other; operations of one (rank, stream, dimension) run in the order they were
/// added. host: the processor that starts what the device computes.
enum class Stream : std::uint8_t { compute, collective, send, receive, host };
constexpr std::size_t stream_count = 5;

/// Why an operation exists, in the words of the field. `transfer` moves data or models (federated, data set to
/// cluster).
enum class Phase : std::uint8_t {
  input,
  forward,
  backward,
  recompute,
  gradient_exchange,
  optimizer,
  transfer,
  aggregate,
  evaluate
};

/// The dimension of parallelism that causes a communication; compute operations carry `none`.
enum class Dimension : std::uint8_t { none, dp, tp, pp, cp, ep };
constexpr std::size_t dimension_count = 6;

enum class CollectiveKind : std::uint8_t { all_reduce, reduce_scatter, all_gather, broadcast, all_to_all };

/// Names of algorithms as in scenario files; the table of their schedules is in sim/collectives/registry. `library` has
/// no schedule: it moves as Collective::library says, which sim/collectives/library.hpp works out.
enum class Algorithm : std::uint8_t {
  ring,
  double_binary_tree,
  halving_doubling,
  hierarchical,
  parameter_server,
  pairwise,
  library
};

std::string_view name_of(Stream stream);
std::string_view name_of(Phase phase);
std::string_view name_of(Dimension dimension);
std::string_view name_of(CollectiveKind kind);
std::string_view name_of(Algorithm algorithm);

struct Compute {
  Seconds duration;  // on this rank's device, as the cost model says
  Flops flops;       // hardware FLOPs, recomputation included
};

/// Time passes in which nothing that is simulated is used: the host's part of a pass, a loader's work.
struct Delay {
  Seconds duration;
};

/// A message starts when the Send is ready, whether or not the receiver waits for it yet (buffered). Matched by (from,
/// to, tag).
struct Send {
  RankId to;
  Bytes bytes;
  std::int32_t tag = 0;
};

struct Receive {
  RankId from;
  std::int32_t tag = 0;
};

/// This rank's part in a collective. Starts when every rank of the group has arrived, ends for all at once.
struct CollectiveCall {
  CollectiveId collective;
};

using Action = std::variant<Compute, Send, Receive, CollectiveCall, Delay>;

struct Op {
  RankId rank;
  Stream stream = Stream::compute;
  Dimension dimension = Dimension::none;
  Phase phase = Phase::forward;
  LayerId layer;                 // invalid when it covers several layers
  std::int32_t microbatch = -1;  // -1 when it belongs to none
  std::vector<OpId> after;       // operations that must have ended, besides the earlier ones of the same stream
  Action action;
};

}  // namespace orrery
