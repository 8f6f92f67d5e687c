// Compression of what clients send: it changes the update, its bytes and the work of making it together. One file per
// method, one line in the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "models/training/number_range.hpp"
#include "sim/base/random.hpp"
#include "sim/base/units.hpp"

namespace orrery {

enum class CompressionKind : std::uint8_t { none, top_k, random_k, qsgd, int8, sign, low_rank };
enum class ErrorFeedback : std::uint8_t { off, on };

struct CompressionOptions {
  CompressionKind kind = CompressionKind::none;
  double keep = 0.01;                                // top_k, random_k: share of the numbers that are sent
  int levels = 0;                                    // qsgd: s; 0: the square root of the numbers, as in its analysis
  int rank = 2;                                      // low_rank
  ErrorFeedback error_feedback = ErrorFeedback::on;  // of the biased ones: top_k, sign, low_rank
};

class Compressor {
 public:
  virtual ~Compressor() = default;
  /// What the receiver decodes. `random`: the client's own, for this round.
  virtual void compress(std::span<float> update, Random& random) const = 0;
  /// As sent, exact for this many numbers, whatever they are; of qsgd with the default levels, whose Elias code is as
  /// long as the values make it, the published bound on the mean: single updates may be longer.
  [[nodiscard]] virtual Bytes bytes() const = 0;
  /// Operations of compressing one update on the client, and of decoding it on the server.
  [[nodiscard]] virtual Flops client_flops() const = 0;
  [[nodiscard]] virtual Flops server_flops() const = 0;
};

struct CompressionEntry {
  CompressionKind kind;
  std::string name, summary, source;
  std::vector<std::string> options;  // scenario keys it reads
};
const std::vector<CompressionEntry>& compressions();

/// For the parameters of this network that are sent (`sent`: runs of them, in order; low_rank takes each layer's matrix
/// by itself). Running statistics go uncompressed, 4 bytes each, and are counted in bytes().
std::unique_ptr<Compressor> make_compressor(const CompressionOptions& options, const LayerGraph& graph,
                                            const std::vector<NumberRange>& sent);

}  // namespace orrery
