#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>

#include "sim/base/text.hpp"
#include "sim/program/order.hpp"
#include "sim/program/program.hpp"

namespace orrery {

namespace {

using Reasons = std::vector<std::string>;

bool in_range(auto id, std::size_t count) {
  return id.valid() && id.index() < count;
}

bool is_amount(double value) {
  return std::isfinite(value) && value >= 0.0;
}

/// The group of a collective, or nothing when the ids do not lead to one.
const std::vector<RankId>* group_of(const Program& program, CollectiveId id) {
  if (!in_range(id, program.collectives().size())) return nullptr;
  const GroupId group = program.collective(id).group;
  return in_range(group, program.groups().size()) ? &program.group(group) : nullptr;
}

void check_peer(const Program& program, OpId id, RankId peer, Reasons& reasons) {
  if (in_range(peer, program.ranks()) && peer != program.op(id).rank) return;
  const std::string name = describe(program, id);
  if (!in_range(peer, program.ranks())) {
    reasons.push_back(fmt::format("{}: its peer is not one of the {} ranks", name, program.ranks()));
  } else {
    reasons.push_back(name + ": a rank does not send to itself");
  }
}

void check_action(const Program& program, OpId id, Reasons& reasons) {
  const Op& op = program.op(id);
  const auto name = [&] { return describe(program, id); };  // made only where something is wrong
  if (const auto* compute = std::get_if<Compute>(&op.action)) {
    if (!is_amount(compute->duration.value())) reasons.push_back(name() + ": its duration is not a time of 0 or more");
    if (!is_amount(compute->flops.value())) reasons.push_back(name() + ": its FLOPs are not a count of 0 or more");
  } else if (const auto* send = std::get_if<Send>(&op.action)) {
    check_peer(program, id, send->to, reasons);
    if (!is_amount(send->bytes.value())) reasons.push_back(name() + ": its bytes are not a size of 0 or more");
  } else if (const auto* receive = std::get_if<Receive>(&op.action)) {
    check_peer(program, id, receive->from, reasons);
  } else if (const auto* delay = std::get_if<Delay>(&op.action)) {
    if (!is_amount(delay->duration.value())) reasons.push_back(name() + ": its duration is not a time of 0 or more");
  } else if (!group_of(program, std::get<CollectiveCall>(op.action).collective)) {
    reasons.push_back(name() + ": there is no such collective, or its group does not exist");
  }
}

void check_op(const Program& program, OpId id, Reasons& reasons) {
  const Op& op = program.op(id);
  if (!in_range(op.rank, program.ranks())) {
    reasons.push_back(fmt::format("{}: its rank is not one of the {} ranks", describe(program, id), program.ranks()));
  }
  for (const OpId other : op.after) {
    if (in_range(other, program.ops().size())) continue;
    reasons.push_back(fmt::format("{}: it waits for an operation that does not exist (op {})", describe(program, id),
                                  other.valid() ? std::to_string(other.index()) : "none"));
  }
  check_action(program, id, reasons);
}

void check_group(const Program& program, std::size_t index, Reasons& reasons) {
  std::vector<RankId> members = program.groups()[index];
  if (members.empty()) reasons.push_back(fmt::format("group {}: it has no members", index));
  for (const RankId rank : members) {
    if (!in_range(rank, program.ranks())) {
      reasons.push_back(fmt::format("group {}: a member is not one of the {} ranks", index, program.ranks()));
    }
  }
  std::sort(members.begin(), members.end());
  if (std::adjacent_find(members.begin(), members.end()) != members.end()) {
    reasons.push_back(fmt::format("group {}: a rank is a member twice", index));
  }
}

/// Who calls each collective: (rank, op), sorted by rank.
using Callers = std::vector<std::vector<std::pair<RankId, OpId>>>;

Callers callers_of(const Program& program) {
  Callers callers(program.collectives().size());
  for (std::size_t i = 0; i < program.ops().size(); ++i) {
    const auto* call = std::get_if<CollectiveCall>(&program.ops()[i].action);
    if (!call || !in_range(call->collective, callers.size())) continue;
    callers[call->collective.index()].emplace_back(program.ops()[i].rank, OpId(i));
  }
  for (auto& calls : callers) std::sort(calls.begin(), calls.end());
  return callers;
}

void check_callers(const Program& program, std::size_t index, const std::vector<std::pair<RankId, OpId>>& calls,
                   Reasons& reasons) {
  const Collective& collective = program.collectives()[index];
  const std::vector<RankId>& group = *group_of(program, CollectiveId(index));
  std::vector<RankId> members = group;
  std::sort(members.begin(), members.end());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto& [rank, op] = calls[i];
    if (!std::binary_search(members.begin(), members.end(), rank)) {
      reasons.push_back(
          fmt::format("{}: its rank is not a member of group {}", describe(program, op), collective.group.index()));
    } else if (i > 0 && calls[i - 1].first == rank) {
      reasons.push_back(describe(program, op) + ": its rank calls this collective twice");
    }
  }
  for (const RankId member : group) {
    const auto found = std::lower_bound(calls.begin(), calls.end(), std::pair(member, OpId()));
    if (found == calls.end() || found->first != member) {
      reasons.push_back(fmt::format("collective {} ({}): rank {} of its group never calls it", index,
                                    name_of(collective.kind), member.index()));
    }
  }
}

void check_collectives(const Program& program, Reasons& reasons) {
  const Callers callers = callers_of(program);
  for (std::size_t i = 0; i < callers.size(); ++i) {
    const Collective& collective = program.collectives()[i];
    const std::string name = fmt::format("collective {} ({})", i, name_of(collective.kind));
    if (!is_amount(collective.bytes.value())) reasons.push_back(name + ": its bytes are not a size of 0 or more");
    const LibraryMoves& moves = collective.library;
    if (!is_amount(moves.overhead.value()) || !is_amount(moves.node_bytes.value()) ||
        !is_amount(moves.network_bytes.value()) || !is_amount(moves.least.value())) {
      reasons.push_back(name + ": what it costs is not a time and sizes of 0 or more");
    }
    const auto* group = group_of(program, CollectiveId(i));
    if (!group) {
      reasons.push_back(name + ": its group does not exist");
      continue;
    }
    if (collective.root < 0 || static_cast<std::size_t>(collective.root) >= group->size()) {
      reasons.push_back(
          fmt::format("{}: its root {} is not an index of its group of {}", name, collective.root, group->size()));
    }
    check_callers(program, i, callers[i], reasons);
  }
}

/// Edges (earlier, later) over operations; the calls of one collective are one node, because they end together.
class WaitGraph {
 public:
  explicit WaitGraph(const Program& program) : program_(program), nodes_(program.ops().size()) {
    nodes_ += program.collectives().size();
    const MessagePairs pairs = match_messages(program);
    const std::vector<OpId> before = stream_predecessors(program);
    for (std::size_t i = 0; i < program.ops().size(); ++i) {
      for (const OpId other : program.ops()[i].after) add(other, OpId(i));
      if (before[i].valid()) add(before[i], OpId(i));
      if (std::holds_alternative<Receive>(program.ops()[i].action)) add(pairs.partner[i], OpId(i));
    }
  }

  /// The operations of one cycle, first to last, or none.
  [[nodiscard]] std::vector<OpId> find_cycle() const {
    const Successors later(nodes_, edges_);
    std::vector<std::uint32_t> waiting(nodes_, 0), free;
    for (const auto& edge : edges_) ++waiting[edge.second];
    for (std::uint32_t node = 0; node < nodes_; ++node) {
      if (waiting[node] == 0) free.push_back(node);
    }
    std::size_t ended = 0;
    while (!free.empty()) {
      const std::uint32_t node = free.back();
      free.pop_back();
      ++ended;
      for (const auto* next = later.begin(node); next != later.end(node); ++next) {
        if (--waiting[*next] == 0) free.push_back(*next);
      }
    }
    return ended == nodes_ ? std::vector<OpId>{} : walk_back(waiting);
  }

 private:
  struct Cause {
    std::uint32_t node = 0;
    OpId via;  // the operation of `node` that is waited for
  };

  std::uint32_t node_of(OpId id) const {
    const auto* call = std::get_if<CollectiveCall>(&program_.op(id).action);
    const bool joined = call && in_range(call->collective, program_.collectives().size());
    return static_cast<std::uint32_t>(joined ? program_.ops().size() + call->collective.index() : id.index());
  }

  void add(OpId earlier, OpId later) {
    if (!in_range(earlier, program_.ops().size())) return;
    edges_.emplace_back(node_of(earlier), node_of(later));
    causes_.push_back(earlier);
  }

  /// Every node left over waits for another one left over: following those leads round a cycle.
  std::vector<OpId> walk_back(const std::vector<std::uint32_t>& waiting) const {
    std::vector<Cause> cause(nodes_);
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      const auto [earlier, later] = edges_[i];
      if (waiting[earlier] > 0 && waiting[later] > 0 && !cause[later].via.valid()) cause[later] = {earlier, causes_[i]};
    }
    std::uint32_t node = 0;
    while (waiting[node] == 0) ++node;
    for (std::size_t i = 0; i < nodes_; ++i) node = cause[node].node;  // now surely on the cycle
    std::vector<OpId> cycle;
    const std::uint32_t start = node;
    do {
      cycle.push_back(cause[node].via);
      node = cause[node].node;
    } while (node != start);
    std::reverse(cycle.begin(), cycle.end());
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    return cycle;
  }

  const Program& program_;
  std::size_t nodes_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges_;
  std::vector<OpId> causes_;  // per edge: the earlier operation
};

void check_order(const Program& program, Reasons& reasons) {
  const std::vector<OpId> cycle = WaitGraph(program).find_cycle();
  if (cycle.empty()) return;
  constexpr std::size_t most = 8;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(cycle.size(), most); ++i) names.push_back(describe(program, cycle[i]));
  if (cycle.size() > most) names.push_back(fmt::format("{} more", cycle.size() - most));
  names.push_back(describe(program, cycle.front()));
  reasons.push_back(names.front() + ": it waits for itself: " + join(names, " before "));
}

}  // namespace

std::vector<std::string> check(const Program& program) {
  Reasons reasons;
  for (std::size_t i = 0; i < program.ops().size(); ++i) check_op(program, OpId(i), reasons);
  for (std::size_t i = 0; i < program.groups().size(); ++i) check_group(program, i, reasons);
  check_collectives(program, reasons);
  for (const OpId id : match_messages(program).unmatched) {
    const bool sent = std::holds_alternative<Send>(program.op(id).action);
    reasons.push_back(describe(program, id) +
                      (sent ? ": no Receive takes this message" : ": no Send makes this message"));
  }
  check_order(program, reasons);
  return reasons;
}

}  // namespace orrery
