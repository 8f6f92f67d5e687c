// Data sets: images as float32 in [0, 1], tokens by number, labels as integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "sim/base/random.hpp"

namespace orrery {

struct Samples {
  std::vector<float> inputs{};         // count x shape; token numbers as floats (exact below 2^24)
  std::vector<std::int32_t> labels{};  // count x labels_per_sample
  std::vector<float> targets{};        // count x numbers that a regression or detection loss reads; empty: none
  std::size_t labels_per_sample = 1;   // sequences whose every token is predicted: the tokens
  std::vector<std::int32_t> groups{};  // whom each sample comes from (a writer, a role); empty: unknown
  [[nodiscard]] std::size_t count() const { return labels.size() / labels_per_sample; }
};

struct SampleSets {
  Samples train, test;
};

struct DataSet {
  std::string name;
  Shape shape;
  std::int64_t classes = 0;
  Samples train, test;
  double stored_bytes_per_sample = 0;  // as kept and sent (one byte per pixel for the IDX sets), label included
  /// Where it is known: the lowest cross entropy per prediction that any network can expect, in nats.
  std::optional<double> entropy_nats{};
};

enum class DataSetUse : std::uint8_t {
  training,        // load_data_set() reads or makes it
  simulation_only  // described: its size and shape are known, its content is not read
};

/// What is known of a data set without reading it, for simulation; one row per set.
struct DataSetInfo {
  std::string name, title, source;
  Shape shape;  // sequences: tokens x 1 x 1
  std::int64_t classes = 0, train_samples = 0, test_samples = 0;
  double stored_bytes_per_sample = 0;  // label included
  DataSetUse use = DataSetUse::training;
};
const std::vector<DataSetInfo>& data_sets();

/// Every set of data_sets() whose use is training. Read: `fashion-mnist` (Debian package dataset-fashion-mnist),
/// `mnist` (after `./dev data mnist`), both the same for every seed; `digits` (Debian package python3-sklearn), whose
/// split in 1,500 samples to train on and 297 to test comes from the seed. Made from the seed: `synthetic` (a Gaussian
/// mixture, synthetic.hpp), `synthetic-writers` (the same with groups), `synthetic-boxes` (synthetic_boxes.hpp),
/// `markov-1000` and `markov-90` (texts of known entropy, markov_chain.hpp). Throws InvalidInput naming each file, what
/// is wrong with it (missing, truncated, damaged, wrong content, wrong checksum) and the command that mends it.
DataSet load_data_set(const std::string& name, std::uint64_t seed);

/// `train` samples drawn at random, and the others: disjoint, together all. samples.count() >= train.
SampleSets split(const Samples& samples, std::size_t train, Random& random);

}  // namespace orrery
