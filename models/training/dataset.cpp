#include "models/training/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/training/idx.hpp"
#include "models/training/synthetic.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

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

IdxSamples load_fashion_mnist(std::uint64_t /*seed*/) {
  return read_idx(fashion_mnist_files());
}
IdxSamples load_mnist(std::uint64_t /*seed*/) {
  return read_idx(mnist_files());
}
IdxSamples load_synthetic(std::uint64_t seed) {
  SyntheticOptions options;
  return {synthetic_samples(options, seed, "train"), synthetic_samples({.samples = 1000}, seed, "test")};
}

struct Loader {
  const char* name;
  IdxSamples (*load)(std::uint64_t seed);
};
constexpr std::array loaders = {Loader{"fashion-mnist", load_fashion_mnist}, Loader{"mnist", load_mnist},
                                Loader{"synthetic", load_synthetic}};

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

}  // namespace

DataSet load_data_set(const std::string& name, std::uint64_t seed) {
  const DataSetInfo& info = info_of(name);
  const auto loader = std::find_if(loaders.begin(), loaders.end(), [&](const Loader& row) { return name == row.name; });
  if (info.use == DataSetUse::simulation_only) {
    refuse(fmt::format("data set \"{}\" cannot be trained on", name), "it is only described, for simulation",
           "train on fashion-mnist, mnist or synthetic");
  }
  ORRERY_EXPECT(loader != loaders.end());
  IdxSamples samples = loader->load(seed);
  return {info.name,
          info.shape,
          info.classes,
          std::move(samples.train),
          std::move(samples.test),
          info.stored_bytes_per_sample};
}

}  // namespace orrery
