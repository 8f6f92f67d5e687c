// The laws behind make_availability(): one maker per kind, each in a file of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/base/random.hpp"
#include "topologies/availability.hpp"

namespace orrery {

/// The clients of one group: their numbers in the population, and the seed of their draws.
struct LawClients {
  std::size_t first = 0, count = 0;
  std::uint64_t seed = 0;
};

std::unique_ptr<Availability> make_always(const AvailabilitySpec& spec, const LawClients& clients);
std::unique_ptr<Availability> make_on_off(const AvailabilitySpec& spec, const LawClients& clients);
std::unique_ptr<Availability> make_diurnal(const AvailabilitySpec& spec, const LawClients& clients);
/// Reads spec.trace; throws InvalidInput with all of its problems.
std::unique_ptr<Availability> make_from_trace(const AvailabilitySpec& spec, const LawClients& clients);

/// Uniform draws 0, 1, 2, ... of one client, in [0, 1). A seeded generator costs a microsecond, so one serves a block
/// of draws that follow each other.
class ClientDraws {
 public:
  ClientDraws(std::uint64_t seed, std::size_t client) : seed_(seed), client_(client) {}
  double draw(std::uint32_t index);

 private:
  static constexpr std::uint32_t block = 8;
  std::uint64_t seed_;
  std::size_t client_;
  std::uint32_t next_ = 0;
  std::optional<Random> random_;
};

/// Two states that take turns. A turn's length comes from one draw: only the last instant and a count are kept.
class TurnTaking : public Availability {
 public:
  explicit TurnTaking(const LawClients& clients) : clients_(clients), states_(clients.count) {}
  [[nodiscard]] bool online(std::size_t client, Seconds at) final;
  [[nodiscard]] Seconds changes(std::size_t client, Seconds at) final;

 protected:
  /// The hours by which the client's clock is ahead; asked once.
  [[nodiscard]] virtual double zone(std::size_t client) const = 0;
  /// The chance to be online at the beginning.
  [[nodiscard]] virtual double first_share(double zone) const = 0;
  /// How long the state that begins at `begin` lasts; `exponential`: a draw of mean 1.
  [[nodiscard]] virtual double online_time(double exponential) const = 0;
  [[nodiscard]] virtual double offline_time(double exponential, double begin, double zone) const = 0;
  [[nodiscard]] const LawClients& clients() const { return clients_; }

 private:
  struct State {
    double until = 0;
    std::uint32_t turns = 0;  // draws used; 0: never asked
    float zone = 0;
    bool online = false;
  };
  const State& at(std::size_t client, double time);
  LawClients clients_;
  std::vector<State> states_;
};

}  // namespace orrery
