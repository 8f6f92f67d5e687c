// What the laws of partition.cpp share, and those that have a file of their own. Internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/training/partition.hpp"

namespace orrery {

using Parts = std::vector<std::vector<std::size_t>>;  // samples of each client

/// Throws InvalidInput with the key `partition`.
[[noreturn]] void refuse_partition(std::string what, std::string why, std::string suggestion);

/// What a sample is dealt by: its label, of a sequence the first.
std::int32_t label_of(const Samples& samples, std::size_t sample);
std::vector<std::vector<std::size_t>> samples_by_label(const Samples& samples);
std::vector<std::size_t> numbers_up_to(std::size_t count);
/// The i-th of `parts` pieces of a list; pieces differ by at most one.
std::span<const std::size_t> piece(const std::vector<std::size_t>& list, std::size_t i, std::size_t parts);

Parts deal_dirichlet_classes(const Samples& samples, std::size_t clients, const PartitionOptions& options,
                             Random& random);
Parts deal_dirichlet_clients(const Samples& samples, std::size_t clients, const PartitionOptions& options,
                             Random& random);

}  // namespace orrery
