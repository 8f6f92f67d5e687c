// Recorded behaviour, repeated for ever.
#include <cmath>
#include <limits>

#include "topologies/availability_laws.hpp"

namespace orrery {
namespace {

/// The instants at which a client turns, within its period. Online from the last turn of a period into the next one is
/// no turn.
struct Turns {
  double period = 0;
  std::vector<double> instants;
  bool online_first = false;
};

Turns turns_of(const BehaviourTrace& trace) {
  Turns turns;
  turns.period = trace.period.value();
  for (std::size_t i = 0; i < trace.active.size(); ++i) {
    turns.instants.push_back(trace.active[i].value());
    turns.instants.push_back(trace.inactive[i].value());
  }
  if (turns.instants.front() == 0.0 && turns.instants.back() == turns.period) {
    turns.instants.erase(turns.instants.begin());
    turns.instants.pop_back();
    turns.online_first = true;
  }
  return turns;
}

class Traced final : public Availability {
 public:
  Traced(const std::vector<BehaviourTrace>& traces, const LawClients& clients)
      : first_(clients.first), states_(clients.count) {
    for (const BehaviourTrace& trace : traces) turns_.push_back(turns_of(trace));
  }
  bool online(std::size_t client, Seconds at) override {
    const State& state = this->at(client, at.value());
    return (state.turn % 2 == 1) != turns_of_client(client).online_first;
  }
  Seconds changes(std::size_t client, Seconds at) override {
    const Turns& turns = turns_of_client(client);
    if (turns.instants.empty()) return Seconds(std::numeric_limits<double>::infinity());
    return Seconds(next(turns, this->at(client, at.value())));
  }

 private:
  struct State {
    double period = 0;       // number of the period
    std::uint32_t turn = 0;  // within the period, the next one
  };
  [[nodiscard]] const Turns& turns_of_client(std::size_t client) const {
    return turns_[(client - first_) % turns_.size()];
  }

  static double next(const Turns& turns, const State& state) {
    return state.period * turns.period + turns.instants[state.turn];
  }

  /// The turns that have come by `time` are passed; whole periods at once.
  const State& at(std::size_t client, double time) {
    const Turns& turns = turns_of_client(client);
    State& state = states_[client - first_];
    if (turns.instants.empty()) return state;
    const double period = std::floor(time / turns.period);
    if (period > state.period) state = {period, 0};
    while (next(turns, state) <= time) {
      if (++state.turn < turns.instants.size()) continue;
      state = {state.period + 1, 0};
    }
    return state;
  }

  std::size_t first_;
  std::vector<Turns> turns_;
  std::vector<State> states_;
};

}  // namespace

std::unique_ptr<Availability> make_from_trace(const AvailabilitySpec& spec, const LawClients& clients) {
  Problems problems;
  const std::vector<BehaviourTrace> traces = read_behaviour_traces(spec.trace, problems);
  problems.throw_if_any();
  return std::make_unique<Traced>(traces, clients);
}

}  // namespace orrery
