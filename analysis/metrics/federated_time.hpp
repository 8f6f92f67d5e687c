// Where the time of a co-simulated way went: the mean server step, on the trip that let it go on.
#pragma once

#include "analysis/metrics/step_time.hpp"
#include "scenarios/federated_run.hpp"

namespace orrery {

/// Of the time of a step, told backwards from its end:
///
///   optimizer      the server's aggregation, and the local updates' share of computing
///   exposed (dp)   edges and server exchanging models; the critical trip's upload and download
///   straggler      the critical client offline; where a deadline ended the step, all the time up to it
///   compute, recompute  the critical trip's, by the run's shares; the server's half of a split network
///   bubble         the critical client waiting for others, or its report for a busy server; and what is left: nobody
///                  available, an edge's average
///
/// A trip that began before the step (asynchronous ways) counts with what happened last. Where trips follow each other
/// within a step (rounds of an edge, turns of split learning), those count, too, that ended before the critical one
/// began: the last one, the last one before that, and so on. The parts sum to the step.
StepTime server_step_time(const FederatedRun& run, std::size_t step);

/// Mean over the steps.
StepTime mean_server_step(const FederatedRun& run);

}  // namespace orrery
