// How many of the clients that a co-simulated way asks for counted.
#pragma once

#include <optional>
#include <string>

#include "analysis/metrics/result_row.hpp"

namespace orrery {

/// Updates that a round is to have: clients_per_round; of a gossip every client's.
int wanted_reports(const ResultRow& row);

/// Clients that reported, mean over the rounds; nothing where the server does not wait for so many (asynchronous), and
/// where so many came as were wanted.
std::optional<double> fewer_reports(const ResultRow& row);

/// "6.0 of 10 clients a round counted"; empty where fewer_reports() is.
std::string fewer_reports_text(const ResultRow& row);

/// Whether at least half of its rounds had the reports that they need: one that has not leaves the model as it was.
bool mostly_trained(const ResultRow& row);

/// "minrep: 18 of 20 rounds had too few reports (min_reports = 9) and left the model as it was: it does not compete for
/// what a training takes"; empty where all rounds had enough.
std::string lost_rounds_text(const ResultRow& row);

}  // namespace orrery
