// The table of compressions. Adding one: its file, its maker in compressors.hpp, a row here.
#include "models/training/federated/compression.hpp"

#include <algorithm>
#include <cmath>

#include "models/training/federated/compressors.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Numbers that lie beside each other in a layer's matrix: the weights of one input to all outputs. (See
/// LayerKernel::initialise() for what lies where; recurrent layers hold their gates' weights as one such matrix.)
std::size_t matrix_columns(const Layer& layer) {
  const auto outputs = static_cast<std::size_t>(layer.out.channels);
  switch (layer.kind) {
    case LayerKind::batch_norm:
    case LayerKind::group_norm:
    case LayerKind::layer_norm:
    case LayerKind::rms_norm:
      return 0;
    case LayerKind::attention:  // of its own: keys of distances, or relative positions and sinks
      return static_cast<std::size_t>(layer.heads * (layer.distance_size > 0 ? head_size(layer) : 1));
    case LayerKind::lstm:
      return 4 * outputs;
    case LayerKind::gru:
      return 3 * outputs;
    default:
      return outputs;
  }
}

bool holds(const std::vector<NumberRange>& runs, std::size_t number) {
  return std::any_of(runs.begin(), runs.end(),
                     [&](const NumberRange& run) { return number >= run.first && number < run.first + run.count; });
}

SentLayout layout_of(const LayerGraph& graph, const std::vector<NumberRange>& sent) {
  SentLayout layout;
  std::size_t at = 0;
  for (const Layer& layer : graph.layers) {
    const auto count = static_cast<std::size_t>(parameters(layer));
    const std::size_t first = at;
    at += count;
    if (count == 0 || !holds(sent, first)) continue;
    SentLayer part{.numbers = {layout.numbers, count}};
    const std::size_t columns = matrix_columns(layer);
    const auto own = layer.tied ? std::size_t{0} : static_cast<std::size_t>(weights(layer));
    if (columns > 0 && own > 0) {
      ORRERY_EXPECT(own % columns == 0);
      part.columns = columns;
      part.rows = own / columns;
    }
    layout.layers.push_back(part);
    layout.numbers += count;
    if (layer.kind == LayerKind::batch_norm) layout.statistics += static_cast<std::size_t>(2 * layer.out.channels);
  }
  return layout;
}

struct Row {
  CompressionEntry entry;
  CompressorMaker* make;
};

const std::vector<Row>& rows() {
  using K = CompressionKind;
  static const std::vector<Row> table{
      {{K::top_k,
        "top-k",
        "the numbers of the largest magnitude, 8 bytes each with their places",
        "Aji and Heafield 2017 (arXiv 1704.05021); error feedback: Stich et al. 2018 (arXiv 1809.07599)",
        {"keep", "error_feedback"}},
       make_top_k},
      {{K::random_k,
        "random-k",
        "numbers drawn at random, 4 bytes each, scaled so that their mean is right",
        "Konecny et al. 2016 (arXiv 1610.05492), random mask; Wangni et al. 2018 (arXiv 1710.09854)",
        {"keep"}},
       make_random_k},
      {{K::qsgd,
        "qsgd",
        "stochastic rounding to so many levels of the norm",
        "Alistarh et al. 2017 (arXiv 1610.02132)",
        {"levels"}},
       make_qsgd},
      {{K::int8,
        "int8",
        "stochastic rounding to 8 bits with a scale per layer",
        "Gupta et al. 2015 (arXiv 1502.02551), stochastic rounding; Reisizadeh et al. 2020 (arXiv 1909.13014)",
        {}},
       make_int8},
      {{K::sign,
        "sign",
        "one bit per number, scaled by each layer's mean magnitude",
        "Bernstein et al. 2018 (arXiv 1802.04434); scale and feedback: Karimireddy et al. 2019 (arXiv 1901.09847)",
        {"error_feedback"}},
       make_sign},
      {{K::low_rank,
        "low-rank",
        "each layer's matrix as a product of two thin ones",
        "Vogels et al. 2019, PowerSGD (arXiv 1905.13727)",
        {"rank", "error_feedback"}},
       make_low_rank}};
  return table;
}

}  // namespace

Bytes uncompressed(const SentLayout& layout) {
  return Bytes(4.0 * static_cast<double>(layout.statistics));
}

std::size_t kept_numbers(const CompressionOptions& options, const SentLayout& layout) {
  ORRERY_EXPECT(options.keep > 0 && options.keep <= 1);
  const auto numbers = static_cast<double>(layout.numbers);
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(options.keep * numbers)), 1, layout.numbers);
}

const std::vector<CompressionEntry>& compressions() {
  static const std::vector<CompressionEntry> entries = [] {
    std::vector<CompressionEntry> all{{CompressionKind::none, "none", "every number as it is", "", {}}};
    for (const Row& row : rows()) all.push_back(row.entry);
    return all;
  }();
  return entries;
}

std::unique_ptr<Compressor> make_compressor(const CompressionOptions& options, const LayerGraph& graph,
                                            const std::vector<NumberRange>& sent) {
  const auto row =
      std::find_if(rows().begin(), rows().end(), [&](const Row& each) { return each.entry.kind == options.kind; });
  ORRERY_EXPECT(row != rows().end());
  return row->make(options, layout_of(graph, sent));
}

}  // namespace orrery
