// Every layout that a search looks at, in a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/layouts/training_job.hpp"
#include "scenarios/scenario.hpp"

namespace orrery {

/// All combinations of the lists of `spec`, over `base`, which gives what is not searched (order, offload, chunks,
/// the sharding group where states are sharded). Where a list is empty:
///   tp, pp    divisors of the devices; tp up to the most heads, pp up to the layers, which a layout cannot exceed
///   cp, ep    1; ep with experts: divisors of their number
///   etp       as the base has it: its own value, or tp where it says nothing
///   dp        what is left: devices / (tp pp cp). With a list the product may be less than the cluster's devices.
///   zero_stage  0 and 1, and without a pipeline 3
///   microbatch  powers of two up to 16 that divide a replica's share of the batch
///   interleave  1 to 8 in a pipeline, where the chunks divide the blocks or may be uneven
///   recompute   none, selective, full; schedule 1f1b (without a pipeline whatever the list says); sequence_parallel on
///               with tp > 1
/// Combinations that repeat another one (interleaving or schedules without a pipeline, sequence parallelism without
/// tensor parallelism) are left out, as are those with more devices than there are, or other than the spec says.
/// Ordered by dp, tp, ... as the lists.
std::vector<Layout> search_space(const SearchSpec& spec, const TrainingJob& job, const Layout& base);

/// `devices` as the strategy of this index says them; nothing: it does not, and dp is what the cluster leaves.
std::optional<std::int64_t> asked_devices(const Scenario& scenario, std::size_t strategy);

/// 1, ..., number: its divisors in order.
std::vector<std::int64_t> divisors(std::int64_t number);

}  // namespace orrery
