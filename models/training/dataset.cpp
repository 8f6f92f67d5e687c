#include "models/training/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "models/training/digits.hpp"
#include "models/training/idx.hpp"
#include "models/training/markov_chain.hpp"
#include "models/training/natural_groups.hpp"
#include "models/training/synthetic.hpp"
#include "models/training/synthetic_boxes.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

// The CRC-32 sums were taken from files whose SHA-256 sums are the published ones.
IdxSource fashion_mnist_files() {
  return {"/usr/share/datasets/fashion-mnist",
          {28, 28, 1},
          {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", 60000, 0xb4f29f28, 0x741a4657},
          {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", 10000, 0x678fe0b1, 0x80142c1f},
          "apt-get install dataset-fashion-mnist"};
}

IdxSource mnist_files() {
  return {data_directory() / "data" / "mnist",
          {28, 28, 1},
          {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", 60000, 0xe9f4d8b3, 0xe0cb4ad2},
          {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 10000, 0x91373bdf, 0x4ab9eff9},
          "./dev data mnist"};
}

// The same content in scikit-learn 1.2 (Debian 12) and 1.4 (Debian 13). --reinstall brings back a damaged file too.
PublishedFile digits_file() {
  return {"/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz", 264712, 0x2ebe3bb7,
          "apt-get install --reinstall python3-sklearn"};
}

struct LoadedSamples {
  SampleSets sets;
  std::optional<double> entropy_nats{};
};

LoadedSamples load_fashion_mnist(std::uint64_t /*seed*/) {
  return {read_idx(fashion_mnist_files())};
}
LoadedSamples load_mnist(std::uint64_t /*seed*/) {
  return {read_idx(mnist_files())};
}
LoadedSamples load_digits(std::uint64_t seed) {
  Random random = Random::derived(seed, "digits split");
  return {split(read_digits(digits_file(), 1797), 1500, random)};
}
LoadedSamples load_synthetic(std::uint64_t seed) {
  const SyntheticOptions options;
  return {{synthetic_samples(options, seed, "train"), synthetic_samples({.samples = 1000}, seed, "test")}};
}
LoadedSamples load_synthetic_writers(std::uint64_t seed) {
  return {{synthetic_samples(synthetic_writers, seed, "train"),
           synthetic_samples({.samples = 1000, .groups = synthetic_writers.groups}, seed, "test")}};
}
LoadedSamples load_synthetic_boxes(std::uint64_t seed) {
  const BoxOptions options;
  return {{box_samples(options, seed, "train"), box_samples({.samples = 500}, seed, "test")}};
}

LoadedSamples load_tokens(const TokenOptions& options, std::uint64_t seed) {
  const MarkovChain chain = token_chain(options, seed);
  return {{token_samples(chain, options.train, options.tokens, seed, "train"),
           token_samples(chain, options.test, options.tokens, seed, "test")},
          chain.entropy_nats()};
}
LoadedSamples load_markov_1000(std::uint64_t seed) {
  return load_tokens(markov_1000, seed);
}
LoadedSamples load_markov_90(std::uint64_t seed) {
  return load_tokens(markov_90, seed);
}

struct Loader {
  const char* name;
  LoadedSamples (*load)(std::uint64_t seed);
};
constexpr std::array loaders = {Loader{"fashion-mnist", load_fashion_mnist},
                                Loader{"mnist", load_mnist},
                                Loader{"digits", load_digits},
                                Loader{"synthetic", load_synthetic},
                                Loader{"synthetic-writers", load_synthetic_writers},
                                Loader{"synthetic-boxes", load_synthetic_boxes},
                                Loader{"markov-1000", load_markov_1000},
                                Loader{"markov-90", load_markov_90}};

[[noreturn]] void refuse(std::string what, std::string why, std::string suggestion) {
  throw InvalidInput({{.at = {},
                       .key = "dataset",
                       .what = std::move(what),
                       .why = std::move(why),
                       .suggestion = std::move(suggestion),
                       .source_line = {}}});
}

const DataSetInfo& info_of(const std::string& name) {
  std::vector<std::string> names;
  for (const DataSetInfo& info : data_sets()) {
    if (info.name == name) return info;
    names.push_back(info.name);
  }
  refuse(fmt::format("unknown data set \"{}\"", name), "", did_you_mean(name, names));
}

std::vector<std::string> names_to_train_on() {
  std::vector<std::string> names;
  for (const DataSetInfo& info : data_sets()) {
    if (info.use == DataSetUse::training) names.push_back(info.name);
  }
  return names;
}

}  // namespace

DataSet load_data_set(const std::string& name, std::uint64_t seed) {
  const DataSetInfo& info = info_of(name);
  if (info.use == DataSetUse::simulation_only) {
    refuse(fmt::format("data set \"{}\" cannot be trained on", name), "it is only described, for simulation",
           "train on one of " + join(names_to_train_on(), ", "));
  }
  const auto loader = std::find_if(loaders.begin(), loaders.end(), [&](const Loader& row) { return name == row.name; });
  ORRERY_EXPECT(loader != loaders.end());
  LoadedSamples samples = loader->load(seed);
  return {info.name,
          info.shape,
          info.classes,
          std::move(samples.sets.train),
          std::move(samples.sets.test),
          info.stored_bytes_per_sample,
          samples.entropy_nats};
}

std::int64_t natural_groups(const std::string& data_set) {
  return data_set == "synthetic-writers" ? static_cast<std::int64_t>(synthetic_writers.groups) : 0;
}

}  // namespace orrery
