// The seam between the simulated clock and real learning: a coordinator decides who trains when, a Learner computes the
// weights. Weights lie in slots: 0 is the global model, the others are edges or the nodes of a gossip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/training/federated/federated_training.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

/// A client whose update has reached its slot.
struct Report {
  std::size_t client = 0;
  std::int64_t staleness = 0;  // server steps since its download
};

struct SlotShare {
  std::size_t slot = 0;
  double share = 0;
};
/// The new weights of `slot`: the sum of shares of old ones.
struct MixedSlot {
  std::size_t slot = 0;
  std::vector<SlotShare> of;
};
struct SlotRange {
  std::size_t first = 0, count = 1;
};

struct LearnerEvaluation {
  Evaluation test;
  std::optional<double> consensus;  // of several slots: root mean square distance of their weights from the mean
};

class Learner {
 public:
  virtual ~Learner() = default;

  /// Training samples of each client.
  [[nodiscard]] virtual const std::vector<std::int64_t>& samples() const = 0;
  /// Whether evaluate() means something. The rest of the verbs may be used in any case.
  [[nodiscard]] virtual bool learns() const = 0;

  /// The client begins its trip with this slot's weights as they are now. `round`: server steps so far. A client is on
  /// one trip at a time: until aggregate() or abandon().
  virtual void dispatch(std::size_t client, std::size_t slot, std::int64_t round, int epochs) = 0;
  /// Its update is lost: nothing of it is ever computed or kept.
  virtual void abandon(std::size_t client) = 0;
  /// Its update has arrived and is not used: lost to the model, but known to the server.
  virtual void discard(std::size_t client) { abandon(client); }
  /// The step of this slot by these updates, in this order. Returns their mean training loss, weighted by samples.
  virtual double aggregate(std::size_t slot, std::span<const Report> reports) = 0;
  /// All at once: every row reads the weights from before.
  virtual void mix(std::span<const MixedSlot> rows) = 0;

  /// Mean loss of the client's last training that went into a model; nothing: none has.
  [[nodiscard]] virtual std::optional<double> loss(std::size_t client) const = 0;
  /// The mean of these slots' weights on the test set.
  virtual LearnerEvaluation evaluate(SlotRange slots) = 0;
  /// Differential privacy spent so far; nothing without noise.
  [[nodiscard]] virtual std::optional<double> epsilon() const = 0;
  /// [client][class]; empty without data.
  [[nodiscard]] virtual std::vector<std::vector<std::int32_t>> histograms() const = 0;
  [[nodiscard]] virtual std::int64_t test_samples() const = 0;
  /// Writes the global weights to a weights file; nothing where there are none.
  virtual void save(const std::string& file) const = 0;
};

/// The mathematics that a strategy asks for.
FederatedTrainingOptions training_options(const Scenario& scenario, const StrategySpec& strategy);

/// Chance of a client to be in a step of central privacy, for amplification: those asked of all, where they are drawn
/// at random from everybody; as if every client were drawn by itself (Poisson), though their number is fixed. 1, none,
/// where anything else decides: another rule of selection, who is online, a buffer of asynchronous reports.
double sampling_rate(const FederationSpec& federation, const FederatedOptions& options);
/// Training samples of each of `clients` clients, dealt as the strategy asks. Throws InvalidInput.
std::vector<std::vector<std::size_t>> deal_samples(const Scenario& scenario, const StrategySpec& strategy,
                                                   const Samples& samples, std::size_t clients);

/// Local epochs of a client in a round: as asked, or drawn. The same for the clock and for learning.
int drawn_epochs(const FederatedOptions& options, std::uint64_t seed, std::size_t client, std::int64_t round);

/// Real learning on the scenario's data set. What is trained when shows nowhere: updates are computed when a step needs
/// them, together with others that are under way when there are threads to spare. A job depends on what its client
/// downloaded, its state and the seed alone. Refers to the scenario. Throws InvalidInput.
std::unique_ptr<Learner> make_learner(const Scenario& scenario, const StrategySpec& strategy, std::size_t clients,
                                      std::size_t slots);

/// No learning and no data: clients hold equal parts of the stated number of samples, or parts of log-normal sizes
/// (partition = quantity), and the clock alone is simulated.
std::unique_ptr<Learner> make_counting_learner(const Scenario& scenario, const StrategySpec& strategy,
                                               std::size_t clients);

}  // namespace orrery
