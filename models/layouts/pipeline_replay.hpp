// How long the stages of a pipeline take together where messages are slow: the schedule of every stage, event by event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "models/layouts/pipeline_time.hpp"
#include "models/layouts/schedules.hpp"

namespace orrery {

/// What a message takes between a stage and the next one, forward or, its gradients, back.
struct PipelineHop {
  Seconds beside;  // before it is on a wire: latency, what is gathered first
  Seconds wire;    // then, alone on it
  /// Ports that it goes through, of the stage and of the next one: numbers below 2 x stages. Either direction of a port
  /// is shared equally by the messages that are in it at once.
  std::size_t port = 0, next_port = 0;
  [[nodiscard]] Seconds total() const { return beside + wire; }
};

/// Of each stage with the next one; where chunks are interleaved of the last with the first, too. Every stage has a
/// port of its own.
std::vector<PipelineHop> hops_of_own_ports(const Layout& layout, Seconds beside, Seconds wire);

Seconds slowest_of(const std::vector<PipelineHop>& hops);
std::vector<Seconds> totals_of(const std::vector<PipelineHop>& hops);

/// Share of the shortest pass through a chunk up to which pipeline_time() is within 1 % of the replay: with 2 to 16
/// stages of 1 to 6 chunks, 1 to 8 rounds of micro-batches, the last chunk up to 1.4 times as long as the others,
/// waiting or not (tests/models/layouts/pipeline_replays.cpp). Of ten times these shares it is off by 15 %.
double slow_message(const Layout& layout, double waiting);
/// `chunks`: of the network, in its order.
bool has_slow_messages(const std::vector<StageTime>& chunks, const std::vector<PipelineHop>& hops, const Layout& layout,
                       double waiting);

/// Interleaved chunks that pipeline_time() knows to 1 % of the replay with free messages, with 2 to 16 stages of 2 to 6
/// chunks, 1 to 16 rounds of micro-batches (tests/models/layouts/unlike_chunks.cpp): those inside alike up to this
/// share of their forward and of their backward passes,
constexpr double alike_chunks = 0.015;
/// the first, both passes, longer by up to this share where the last is not shorter,
constexpr double longer_first = 0.2;
/// the last of two stages shorter by up to this share where the first is not longer, of more by any; the first shorter
/// and the last longer by any.
constexpr double shorter_last = 0.25;
/// Whether interleaved chunks differ by more: taken for equal ones of as long stages they may be 14 % off.
bool has_unlike_chunks(const std::vector<StageTime>& chunks, const Layout& layout);

/// When each of a number of things ends, and which of them is the first: a tournament.
class Ends {
 public:
  static constexpr double never = std::numeric_limits<double>::infinity();
  /// None of `count` (at least one) ends.
  void clear(std::size_t count);
  /// All of them, by as much.
  void delay(double seconds);
  [[nodiscard]] double at(std::size_t i) const { return times_[i]; }
  [[nodiscard]] bool is_under_way(std::size_t i) const { return times_[i] != never; }
  /// Among equals the one with the lowest number.
  [[nodiscard]] std::size_t first() const { return winners_[1]; }
  void set(std::size_t i, double time) {
    times_[i] = time;
    const auto changed = static_cast<std::uint32_t>(i);
    std::uint32_t winner = changed;
    for (std::size_t place = i + times_.size(); place > 1; place /= 2) {
      const std::uint32_t rival = winners_[place ^ 1];
      const double rivals = times_[rival];
      const bool is_beaten = rivals < time || (rivals == time && rival < winner);
      winner = is_beaten ? rival : winner;
      time = is_beaten ? rivals : time;
      if (winner == winners_[place / 2] && winner != changed) return;
      winners_[place / 2] = winner;
    }
  }

 private:
  [[nodiscard]] std::uint32_t winner_of(std::size_t match) const {
    const std::uint32_t left = winners_[2 * match], right = winners_[2 * match + 1];
    return times_[right] < times_[left] ? right : left;
  }

  std::vector<double> times_;           // a power of two of them
  std::vector<std::uint32_t> winners_;  // match 1 is the final, of matches 2 i and 2 i + 1; then the times themselves
};

/// Which rounds of micro-batches, pp of them each, are replayed: those that repeat what came before can be left out.
enum class ReplayedRounds : std::uint8_t { all, unlike };

/// Keeps its memory from one call to the next. Not thread-safe.
class PipelineReplay {
 public:
  explicit PipelineReplay(ReplayedRounds rounds = ReplayedRounds::unlike) : replayed_rounds_(rounds) {}

  /// Until all micro-batches are through. Every stage does its tasks in the order of its schedule (write_task_order),
  /// each as soon as it has its message; sends its messages one after the other; and `waiting` of the time waits for
  /// what it sends, as pipeline_time() has it. `chunks`: of the network, in its order, of a stage every pp-th. `hops`
  /// as hops_of_own_ports() has them. Gradients take their share of a hop's wire; where none come back backward passes
  /// wait for nothing. `load`: what a loader takes for the data of a micro-batch; that of the first is there, the
  /// others come one after the other from the beginning on, and the first chunk waits for its own.
  ///
  /// Costs about 0.1 us per task, 2 pp x interleave of them per micro-batch (tests/benchmarks/layouts.cpp). When a
  /// round ends with all stages as an earlier one left them, to a billionth of its time, what follows is taken to
  /// repeat, and is left out. Of pipelines that do not come to repeat themselves rounds are left out after most_tasks,
  /// at the pace of the second half of those before: within 1 % of the whole where stages are equal
  /// (tests/models/layouts/pipeline_rounds.cpp). Where they are not a rhythm may be unstable, so that rounding decides
  /// when the whole replay leaves it: of 20,000 pipelines drawn at random one differs by 2.4 %, by 12 % where many
  /// stages share one port. What was asked lately is remembered.
  Seconds time(const std::vector<StageTime>& chunks, const std::vector<PipelineHop>& hops, const Layout& layout,
               int microbatches, double waiting, Seconds load = Seconds());

  /// Tasks of the last question that were replayed: none where the answer was remembered.
  [[nodiscard]] std::size_t tasks_replayed() const { return tasks_replayed_; }

  static constexpr std::size_t most_tasks = 1 << 15;

 private:
  /// A message under way.
  struct Message {
    Task::Kind kind = Task::Kind::forward;
    std::size_t to = 0;  // stage
    std::size_t out = 0, in = 0;
    bool is_on_wire = false;
    double left = 0;  // of its time on the wire, alone
    double since = 0, sharing = 1;
  };
  struct Stage {
    std::vector<Task> tasks;
    std::size_t done = 0, sent = 0;         // of them; sent: or with nothing to send
    int arrived[2] = {}, received[2] = {};  // messages, by kind of the task that they are for
    Message message;
  };

  /// The end of a round of the first stage, and all stages then: the same numbers where they go on in the same way.
  struct RoundEnd {
    double when = 0;
    std::vector<double> state;
  };
  struct Answer {
    std::vector<double> question;
    Seconds time;
  };

  void write_question(int microbatches, double waiting);
  double replay(int microbatches, Sending sending);
  void prepare(int microbatches);
  /// The stage by whose rounds all are told: the first, which ends them. Where no gradients come back to it it runs
  /// ahead of the others: the last.
  [[nodiscard]] std::size_t leading_stage() const;
  void end_round();
  void write_state(std::vector<double>& state) const;
  /// How long the first stage would have to wait for the next data that it takes; below zero: how long they are there.
  [[nodiscard]] double wait_for_data() const;
  /// Times that `tasks` of every stage come again, as they are, after those that are done.
  [[nodiscard]] std::size_t repetitions(std::size_t tasks) const;
  /// Goes on as if `tasks` more of every stage were done, `seconds` later.
  void leave_out(std::size_t tasks, double seconds);
  void begin_task(std::size_t stage);
  void end_task(std::size_t stage);
  void send_next(std::size_t stage);
  void enter_wire(std::size_t stage);
  void arrive(std::size_t stage);
  /// The pace of all messages in either port is as many share it now.
  void share_again(std::size_t out, std::size_t in);
  [[nodiscard]] std::size_t chunk_of(std::size_t stage, const Task& task) const;
  [[nodiscard]] bool needs_message(std::size_t stage, const Task& task) const;
  [[nodiscard]] bool takes_data(std::size_t stage, const Task& task) const;
  /// Of a hop's message: what a task of a chunk sends on, or back.
  [[nodiscard]] double share_sent(std::size_t chunk, Task::Kind kind) const;

  [[nodiscard]] bool is_computing(std::size_t stage) const { return ends_.is_under_way(stage); }
  [[nodiscard]] bool is_sending(std::size_t stage) const { return ends_.is_under_way(message_of(stage)); }
  [[nodiscard]] std::size_t message_of(std::size_t stage) const { return stages_.size() + stage; }

  ReplayedRounds replayed_rounds_;
  std::vector<Answer> answers_;  // the latest, in turn
  std::size_t oldest_answer_ = 0;
  std::vector<double> question_;

  const std::vector<StageTime>* chunks_ = nullptr;
  const std::vector<PipelineHop>* hops_ = nullptr;
  const Layout* layout_ = nullptr;
  Sending sending_ = Sending::beside;
  double load_ = 0;       // of a micro-batch
  double loads_end_ = 0;  // when the data of the last micro-batch that was taken were there
  std::vector<Stage> stages_;
  std::size_t leading_ = 0;          // stage
  Ends ends_;                        // of the task of each stage, then of its message
  std::vector<int> going_, coming_;  // messages in every port
  std::vector<RoundEnd> rounds_;     // since the last that was left out
  std::size_t tasks_done_ = 0;       // of all stages, without those left out
  std::size_t tasks_replayed_ = 0;   // of the last question
  double now_ = 0;
};

}  // namespace orrery
