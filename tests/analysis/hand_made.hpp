// Ways made by hand, small enough that every figure can be computed on paper.
#pragma once

#include "scenarios/way.hpp"

namespace orrery {

/// 1 TFLOP/s in fp32, 16 GiB; 10 W idle, 100 W training, 200 W at most.
Device hand_device();

/// A scenario with one strategy per given kind, named after it: single, data, model, pipeline, federated.
Scenario hand_scenario(const std::vector<StrategyKind>& kinds);

Activity compute_activity(std::size_t rank, Phase phase, double start, double end, double flops = 0);
/// Bytes of a send or collective; a receive has a peer only.
Activity communication(std::size_t rank, Stream stream, Dimension dimension, double ready, double start, double end,
                       double bytes = 0);

/// Two of the three devices of one node, joined by lanes of 2 GB/s (1 W and 10 pJ/bit in either direction).
///   rank 0: forward 0-1, backward 1-3, waits 3-4, all-reduce 4-5 (1 GB), optimizer 5-5.5
///   rank 1: forward 0-1.5, backward 1.5-4, all-reduce 4-5 (1 GB), optimizer 5-5.5
Way two_device_step();

/// The same model on one device: forward 0-2, backward 2-6, optimizer 6-6.5, nothing sent.
Way single_device_step();

/// One round of three of four clients (hosts 0-3) and their server (host 4), model of 1 MB each way:
///   client 0: down 0-1, forward 1-2, backward 2-3, optimizer 3-4, up 4-5
///   client 1: down 0-1, forward 1-4, up 4-6
///   client 2: down 0-2, forward 2-6, up 6-9
///   server: average 9-10
/// Access links: 2 W in either direction, 3 W more while in use; the server's: 5 W, 50 pJ/bit.
Way three_client_round();

}  // namespace orrery
