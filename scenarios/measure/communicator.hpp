// The processes of a measured run and the messages between them. Only communicator.cpp knows that it is MPI.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/base/units.hpp"

namespace orrery {

/// Starts MPI (calls from the main thread only) and ends it. One per process.
class MpiSession {
 public:
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

/// Ends every process of the run at once, with this exit code: what a rank does whose error the others cannot know of.
[[noreturn]] void abort_all_ranks(int exit_code);

/// A message under way; empty when there is none, or when it has arrived.
using Ticket = std::optional<std::size_t>;

/// All processes of the run. Messages between two of them with one tag arrive in the order in which they were sent. An
/// error of MPI ends the whole run.
class Communicator {
 public:
  Communicator();
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// Whether this is the lowest rank on its machine.
  [[nodiscard]] bool first_on_machine() const;

  /// Starts a message of `numbers`, which must stay as they are until it is done. Counted in sent_to().
  Ticket send(std::span<const float> numbers, int to, int tag);
  /// Starts the reception of exactly `numbers.size()` numbers, which nobody may touch until it is done.
  Ticket receive(std::span<float> numbers, int from, int tag);
  /// Whether the message is done; then the ticket is empty. Moves every other message forward as well.
  bool done(Ticket& ticket);
  void wait(Ticket& ticket);

  /// Bytes of all messages that this process has started, by receiver.
  [[nodiscard]] const std::vector<Bytes>& sent_to() const { return sent_to_; }
  [[nodiscard]] Bytes sent() const;

  // What measures and reports, and is not counted: every process must call it.
  void barrier();
  /// On rank 0 the texts of all ranks in order, elsewhere nothing.
  std::vector<std::string> gather(const std::string& text);
  /// The text of `root`, everywhere.
  std::string broadcast(std::string text, int root = 0);

 private:
  struct Requests;
  std::unique_ptr<Requests> requests_;
  int rank_ = 0, size_ = 1;
  std::vector<Bytes> sent_to_;
};

/// What ended a piece of work on some rank, thrown on all ranks alike: rank 0 can report it.
class RankError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t { usage, invalid_input, infeasible, other };
  RankError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// Does `work` on every rank; it must not communicate. When it throws on any, throws Infeasible or RankError on all,
/// with the text of the lowest such rank (and its number when rank 0 went well).
void on_all_ranks(Communicator& communicator, const std::function<void()>& work);

}  // namespace orrery
