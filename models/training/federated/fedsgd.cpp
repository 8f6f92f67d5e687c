// FedSGD (McMahan et al. 2017, section 2): every client makes one gradient step on its whole local set, so that w +=
// sum_k n_k / n delta_k = -eta sum_k n_k / n grad F_k(w): one step of gradient descent on the union of their data. What
// clients send is delta, never the gradient itself: a gradient taken for weights would replace the model.
#include "models/training/federated/server_step.hpp"

namespace orrery {

std::unique_ptr<FederatedAlgorithm> make_fedsgd(const AlgorithmSetup& setup) {
  AlgorithmSetup plain = setup;
  plain.options.server_learning_rate = 1.0;
  return make_fedavg(plain);
}

}  // namespace orrery
