// What the compressors know of an update, and their makers. Internal to this folder.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "models/training/federated/compression.hpp"

namespace orrery {

/// The numbers of one layer within an update: its weights as a matrix whose rows lie one after the other, then the rest
/// (biases). No matrix (0 rows): normalisation layers.
struct SentLayer {
  NumberRange numbers;
  std::size_t rows = 0, columns = 0;
};

struct SentLayout {
  std::vector<SentLayer> layers;
  std::size_t numbers = 0;     // parameters of an update
  std::size_t statistics = 0;  // sent uncompressed beside them
};

/// Header of the bytes of every method: the statistics, 4 bytes each.
Bytes uncompressed(const SentLayout& layout);

/// The bound that the header's `keep` stands for: at least one number.
std::size_t kept_numbers(const CompressionOptions& options, const SentLayout& layout);

using CompressorMaker = std::unique_ptr<Compressor>(const CompressionOptions& options, const SentLayout& layout);
CompressorMaker make_top_k, make_random_k, make_qsgd, make_int8, make_sign, make_low_rank;

}  // namespace orrery
