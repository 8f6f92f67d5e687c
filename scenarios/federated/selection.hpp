// Who takes part. One function per rule and one line in the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/federated_options.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// What a rule may ask about the clients, numbered from 0.
class ClientView {
 public:
  /// Of a client whose update went into the model: what the server knows of it.
  struct Known {
    std::size_t client = 0;
    double loss = 0;         // of its last training
    std::int64_t round = 0;  // in which that was
  };

  virtual ~ClientView() = default;
  [[nodiscard]] virtual std::size_t clients() const = 0;
  /// Online now and without work. May be asked for few of a million clients: the others cost nothing.
  [[nodiscard]] virtual bool available(std::size_t client) = 0;
  /// Download + training + upload, alone on its links.
  [[nodiscard]] virtual double expected_seconds(std::size_t client) = 0;
  /// Of the device in that time: at its training power while it trains, with its radio on while it moves data.
  [[nodiscard]] virtual double expected_joules(std::size_t client) = 0;
  [[nodiscard]] virtual std::int64_t samples(std::size_t client) const = 0;
  [[nodiscard]] virtual std::optional<Known> known(std::size_t client) const = 0;
  /// All that is known, in ascending order of clients.
  [[nodiscard]] virtual std::vector<Known> all_known() const = 0;
  /// All clients by expected_seconds(), the fastest first. Computed once.
  [[nodiscard]] virtual const std::vector<std::uint32_t>& fastest_first() = 0;
};

struct SelectionRequest {
  std::int64_t round = 0;      // from 0
  std::size_t count = 1;       // clients wanted
  std::size_t next = 0;        // round robin: the one after the last that was asked
  std::size_t candidates = 0;  // for the rules that choose among a few; 0: twice count
};

/// Returns at most `count` different available clients, as many as there are, in ascending order: the order in which
/// updates are averaged.
using Select = std::vector<std::size_t> (*)(ClientView& view, const SelectionRequest& request, Random& random);

/// The client after the last of `chosen` in turn, counted from `next`; `next` itself when nobody was chosen.
std::size_t next_in_turn(const std::vector<std::size_t>& chosen, std::size_t next, std::size_t clients);

struct SelectionEntry {
  Selection kind;
  std::string name, summary;
  Select select;
};
const std::vector<SelectionEntry>& selections();
const SelectionEntry& entry_of(Selection kind);

/// Uniformly without replacement among the available clients, in the order drawn: by rejection, and by looking at all
/// clients when the available ones are rare.
std::vector<std::size_t> draw_available(ClientView& view, std::size_t count, Random& random);

}  // namespace orrery
