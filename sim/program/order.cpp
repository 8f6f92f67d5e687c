#include "sim/program/order.hpp"

#include <algorithm>
#include <tuple>
#include <variant>

namespace orrery {

Successors::Successors(std::size_t nodes, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges)
    : first_(nodes + 1, 0), targets_(edges.size()) {
  for (const auto& [earlier, later] : edges) ++first_[earlier + 1];
  for (std::size_t node = 0; node < nodes; ++node) first_[node + 1] += first_[node];
  std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
  for (const auto& [earlier, later] : edges) targets_[next[earlier]++] = later;
}

std::vector<OpId> stream_predecessors(const Program& program) {
  std::vector<OpId> last(program.ranks() * stream_count * dimension_count);
  std::vector<OpId> before(program.ops().size());
  for (std::size_t i = 0; i < program.ops().size(); ++i) {
    const Op& op = program.ops()[i];
    if (!op.rank.valid() || op.rank.index() >= program.ranks()) continue;
    const std::size_t lane = (op.rank.index() * stream_count + static_cast<std::size_t>(op.stream)) * dimension_count +
                             static_cast<std::size_t>(op.dimension);
    before[i] = last[lane];
    last[lane] = OpId(i);
  }
  return before;
}

namespace {

struct Message {
  RankId from, to;
  std::int32_t tag = 0;
  OpId op;
  auto key() const { return std::tie(from, to, tag); }
  bool operator<(const Message& other) const {
    return std::tie(from, to, tag, op) < std::tie(other.from, other.to, other.tag, other.op);
  }
};

}  // namespace

MessagePairs match_messages(const Program& program) {
  std::vector<Message> sends, receives;
  for (std::size_t i = 0; i < program.ops().size(); ++i) {
    const Op& op = program.ops()[i];
    if (const auto* send = std::get_if<Send>(&op.action)) sends.push_back({op.rank, send->to, send->tag, OpId(i)});
    if (const auto* receive = std::get_if<Receive>(&op.action)) {
      receives.push_back({receive->from, op.rank, receive->tag, OpId(i)});
    }
  }
  std::sort(sends.begin(), sends.end());
  std::sort(receives.begin(), receives.end());
  MessagePairs pairs{std::vector<OpId>(program.ops().size()), {}};
  auto send = sends.begin();
  auto receive = receives.begin();
  while (send != sends.end() || receive != receives.end()) {
    if (receive == receives.end() || (send != sends.end() && send->key() < receive->key())) {
      pairs.unmatched.push_back((send++)->op);
    } else if (send == sends.end() || receive->key() < send->key()) {
      pairs.unmatched.push_back((receive++)->op);
    } else {
      pairs.partner[send->op.index()] = receive->op;
      pairs.partner[(receive++)->op.index()] = (send++)->op;
    }
  }
  std::sort(pairs.unmatched.begin(), pairs.unmatched.end());
  return pairs;
}

}  // namespace orrery
