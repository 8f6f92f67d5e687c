// Ways made by hand, small enough that every figure can be computed on paper.
#pragma once

#include <cstdint>

#include "scenarios/way.hpp"
#include "topologies/population.hpp"

namespace orrery {

/// 1 TFLOP/s in fp32, 16 GiB; 10 W idle, 100 W training, 200 W at most.
Device hand_device();

/// A scenario with one strategy per given kind, named after it: single, data, model, pipeline, async, local-sgd,
/// federated.
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

/// WiFi at 1 MB/s either way: 50 nJ/bit down, 100 nJ/bit up, 0.5 W while it moves data, a tail of 0.2 J within a
/// second.
Link hand_wifi();
/// The server's line: 5 W always on, 50 pJ/bit.
Link hand_server_line();
/// Of hand_scenario(): four boxes over WiFi in one group, and their server.
Population hand_population();

/// A trip without pauses that reports; its bytes are 1 MB each way.
Trip hand_trip(std::int32_t client, std::int32_t round, double begin, double download, double compute, double upload);

/// One round of three of the four clients, model of 1 MB each way; a quarter of computing is the local update:
///   client 0: down 0-1, training 1-4, up 4-5
///   client 1: down 0-1, training 1-4, up 4-6
///   client 2: down 0-2, training 2-6, up 6-9
///   server: average 9-10
Way three_client_round();

/// The same round, then another that a deadline ends at 18 s, 8 s after it began, without anything to average:
///   client 0: drops while it sends: down 10-11, training 11-13, offline 13-15, up 15-16 (half a megabyte)
///   client 3: late: down 10-11, waiting 11-12, training 12-18 (half of what was asked for)
Way two_rounds_with_waste();

/// A point of a learning curve: 5.5 s and 2 GB a round.
CurvePoint hand_point(std::int64_t round, double accuracy);

}  // namespace orrery
