// Which clients may be asked, and what the server knows of them: a run of the fleet's clients as selection sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_set>
#include <vector>

#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/fleet.hpp"
#include "scenarios/federated/selection.hpp"

namespace orrery {

/// A range of clients: one hub's.
struct ClientRange {
  std::size_t first = 0, count = 0;
};

class ClientPool final : public ClientView {
 public:
  ClientPool(const FederatedJob& job, ClientWork& work, Fleet& fleet, ClientRange range);

  /// At most `count` clients by the strategy's rule, in ascending order; their own numbers.
  [[nodiscard]] std::vector<std::size_t> select(std::int64_t round, std::size_t count);
  /// These updates went into the model in that round.
  void note(const std::vector<std::size_t>& clients, std::int64_t round);
  /// A client with a report that the server has not used yet is not asked again.
  void reserve(std::size_t client) { reserved_.insert(client); }
  void release(std::size_t client) { reserved_.erase(client); }

  [[nodiscard]] bool reserved(std::size_t client) const { return reserved_.contains(client); }

  /// Seconds from now until `count` of the clients that are offline without work have come online, if they stay;
  /// infinity: so many never will. Looks at all clients.
  [[nodiscard]] Seconds until_online(std::size_t count);

  [[nodiscard]] std::size_t clients() const override { return range_.count; }
  [[nodiscard]] bool available(std::size_t client) override;
  [[nodiscard]] double expected_seconds(std::size_t client) override;
  [[nodiscard]] double expected_joules(std::size_t client) override;
  [[nodiscard]] std::int64_t samples(std::size_t client) const override;
  [[nodiscard]] std::optional<Known> known(std::size_t client) const override;
  [[nodiscard]] std::vector<Known> all_known() const override;
  [[nodiscard]] const std::vector<std::uint32_t>& fastest_first() override;

 private:
  struct Expected {
    Seconds download, compute, upload;
  };
  [[nodiscard]] Expected expected(std::size_t client);

  const FederatedJob& job_;
  ClientWork& work_;
  Fleet& fleet_;
  ClientRange range_;
  Select select_;
  Random random_;
  std::size_t next_ = 0;                      // in turn
  std::unordered_set<std::size_t> reserved_;  // by their own numbers
  std::map<std::size_t, Known> known_;        // by number in the range
  std::vector<std::uint32_t> fastest_first_;
};

}  // namespace orrery
