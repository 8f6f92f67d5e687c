#include "sim/program/program.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "sim/base/text.hpp"

namespace orrery {

GroupId Program::add_group(std::vector<RankId> members) {
  groups_.push_back(std::move(members));
  return GroupId(groups_.size() - 1);
}

CollectiveId Program::add_collective(Collective collective) {
  collectives_.push_back(collective);
  return CollectiveId(collectives_.size() - 1);
}

OpId Program::add(Op op) {
  ops_.push_back(std::move(op));
  return OpId(ops_.size() - 1);
}

namespace {

std::string number_of(auto id) {
  return id.valid() ? std::to_string(id.index()) : std::string("none");
}

bool knows(const Program& program, CollectiveId id) {
  return id.valid() && id.index() < program.collectives().size();
}

/// What the operation does, in a word or two: `compute`, `send to 4`, `all_reduce`.
std::string verb(const Program& program, const Op& op) {
  if (std::holds_alternative<Compute>(op.action)) return "compute";
  if (std::holds_alternative<Delay>(op.action)) return "delay";
  if (const auto* send = std::get_if<Send>(&op.action)) return fmt::format("send to {}", number_of(send->to));
  if (const auto* receive = std::get_if<Receive>(&op.action)) {
    return fmt::format("receive from {}", number_of(receive->from));
  }
  const CollectiveId id = std::get<CollectiveCall>(op.action).collective;
  if (!knows(program, id)) return fmt::format("collective {}", number_of(id));
  return std::string(name_of(program.collective(id).kind));
}

std::string details(const Program& program, const Op& op) {
  if (const auto* compute = std::get_if<Compute>(&op.action)) {
    return fmt::format("{} s {} FLOP", number_text(compute->duration.value()), number_text(compute->flops.value()));
  }
  if (const auto* delay = std::get_if<Delay>(&op.action)) {
    return fmt::format("{} s", number_text(delay->duration.value()));
  }
  if (const auto* send = std::get_if<Send>(&op.action)) {
    return fmt::format("{} B tag {}", number_text(send->bytes.value()), send->tag);
  }
  if (const auto* receive = std::get_if<Receive>(&op.action)) return fmt::format("tag {}", receive->tag);
  const CollectiveId id = std::get<CollectiveCall>(op.action).collective;
  if (!knows(program, id)) return {};
  const Collective& collective = program.collective(id);
  std::string text = fmt::format("{} collective {} group {} {} B", name_of(collective.algorithm), id.index(),
                                 number_of(collective.group), number_text(collective.bytes.value()));
  if (collective.algorithm == Algorithm::library) {
    const LibraryMoves& moves = collective.library;
    text += fmt::format(" ({} s, then {} B in the node and {} B on the network)", number_text(moves.overhead.value()),
                        number_text(moves.node_bytes.value()), number_text(moves.network_bytes.value()));
    if (moves.least > Seconds()) text += fmt::format(", {} s at least", number_text(moves.least.value()));
  }
  return text;
}

}  // namespace

std::string describe(const Program& program, OpId id) {
  if (!id.valid() || id.index() >= program.ops().size()) return fmt::format("op {}", number_of(id));
  const Op& op = program.op(id);
  std::string text = fmt::format("op {} (rank {}, {}", id.index(), number_of(op.rank), name_of(op.phase));
  if (op.layer.valid()) text += fmt::format(", layer {}", op.layer.index());
  if (op.microbatch >= 0) text += fmt::format(", microbatch {}", op.microbatch);
  return text + ", " + verb(program, op) + ")";
}

std::string dump(const Program& program) {
  std::string text;
  for (std::size_t i = 0; i < program.ops().size(); ++i) {
    const Op& op = program.ops()[i];
    std::string line = fmt::format("{} rank {} {}", i, number_of(op.rank), name_of(op.phase));
    if (op.layer.valid()) line += fmt::format(" layer {}", op.layer.index());
    if (op.microbatch >= 0) line += fmt::format(" microbatch {}", op.microbatch);
    if (op.dimension != Dimension::none) line += fmt::format(" {}", name_of(op.dimension));
    line += fmt::format(" {} {}", verb(program, op), details(program, op));
    std::vector<std::string> after;
    for (const OpId id : op.after) after.push_back(number_of(id));
    if (!after.empty()) line += " after " + join(after, ",");
    text += line + "\n";
  }
  return text;
}

}  // namespace orrery
