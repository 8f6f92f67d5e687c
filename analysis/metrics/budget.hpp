// What a whole training takes: time, bytes, joules, money, carbon.
#pragma once

#include "analysis/metrics/result_row.hpp"

namespace orrery {

/// Fills budget, curve (with energy) and at_target of a row whose step is known.
///
///   time          data transfer + steps x step time
///   device hours  devices x steps x step time; federated: the time each client took part, summed
///   cost          device hours x price + electricity x energy; the price of a device-hour is [cost]'s, or that of a
///                 node over its devices. Clients of a federation are not hired: only their electricity is charged.
///   emissions     energy x grid intensity
///   energy at a point of the curve: data transfer + the steps (rounds) done so far
void fill_budget(ResultRow& row);

}  // namespace orrery
