// The data sets that scenarios may name. Adding one: a row here; when it can be trained on, a loader in dataset.cpp.
#include <fmt/format.h>

#include <utility>

#include "models/training/dataset.hpp"
#include "models/training/digits.hpp"
#include "models/training/markov_chain.hpp"
#include "models/training/synthetic_boxes.hpp"

namespace orrery {
namespace {

// IDX sets keep one byte per pixel and one for the label.
constexpr double idx_bytes = 28 * 28 + 1;

DataSetInfo fashion_mnist() {
  return {"fashion-mnist",
          "Fashion-MNIST, grey images of clothes",
          "Xiao, Rasul, Vollgraf 2017 (arXiv 1708.07747); Debian package dataset-fashion-mnist",
          {28, 28, 1},
          10,
          60000,
          10000,
          idx_bytes,
          DataSetUse::training};
}

DataSetInfo mnist() {
  return {"mnist",
          "MNIST, grey images of handwritten digits",
          "LeCun, Cortes, Burges 1998; fetched by ./dev data mnist",
          {28, 28, 1},
          10,
          60000,
          10000,
          idx_bytes,
          DataSetUse::training};
}

DataSetInfo synthetic() {
  return {"synthetic",
          "A Gaussian mixture made from the seed",
          "made by synthetic_samples(); stored as IDX files would be",
          {28, 28, 1},
          10,
          6000,
          1000,
          idx_bytes,
          DataSetUse::training};
}

DataSetInfo digits() {
  return {
      "digits",
      "Optical recognition of handwritten digits, 8x8 pixels of 17 levels",
      "Alpaydin and Kaynak 1998, UCI Machine Learning Repository, CC BY 4.0 (its test part of 1,797 images); file of "
      "scikit-learn in the Debian package python3-sklearn; counted as one byte per pixel and label",
      digits_shape,
      10,
      1500,
      297,
      static_cast<double>(digits_shape.count()) + 1,
      DataSetUse::training};
}

DataSetInfo synthetic_writers() {
  DataSetInfo info = synthetic();
  info.name = "synthetic-writers";
  info.title = "Gaussian mixture of 10 classes as 100 writers draw them, each in a way of its own";
  info.source = "made by synthetic_samples(), for partitions by natural groups; stored as IDX files would be";
  return info;
}

DataSetInfo synthetic_boxes() {
  const BoxOptions options;
  // One byte per number of an image; per object a byte for its class and 4 x 4 bytes for its box, on average 2 objects.
  const double bytes = static_cast<double>(options.image.count()) + 2.0 * (1 + 4 * 4);
  return {"synthetic-boxes",
          "Coloured rectangles, ellipses and triangles on noise, to be found and told apart",
          "made from the seed by box_samples(); one byte per number, 17 bytes per object",
          options.image,
          painted_shapes,
          static_cast<std::int64_t>(options.samples),
          500,
          bytes,
          DataSetUse::training};
}

// Kept as one text: the tokens of a piece, and none for its labels, which are the same text one token later.
DataSetInfo tokens(const TokenOptions& options, std::string title, double bytes_per_token) {
  return {fmt::format("markov-{}", options.vocabulary),
          std::move(title),
          fmt::format(
              "made from the seed by token_samples(): a first-order Markov chain, pieces of {} tokens; {} per token",
              options.tokens, bytes_per_token > 1 ? "2 bytes" : "1 byte"),
          {static_cast<std::int64_t>(options.tokens), 1, 1},
          static_cast<std::int64_t>(options.vocabulary),
          static_cast<std::int64_t>(options.train),
          static_cast<std::int64_t>(options.test),
          bytes_per_token * static_cast<double>(options.tokens),
          DataSetUse::training};
}

DataSetInfo cifar10() {
  return {"cifar10",
          "CIFAR-10, small colour images",
          "Krizhevsky 2009; binary version: 1 label byte and 3 x 1024 pixel bytes per image",
          {32, 32, 3},
          10,
          50000,
          10000,
          3073,
          DataSetUse::simulation_only};
}

DataSetInfo imagenet() {
  return {"imagenet",
          "ImageNet-1k (ILSVRC 2012)",
          "Russakovsky et al. 2015: 1,281,167 + 50,000 images; mean JPEG of 114,660 bytes: MLPerf Storage, "
          "record_length_bytes of its ResNet-50 workload",
          {224, 224, 3},
          1000,
          1281167,
          50000,
          114660,
          DataSetUse::simulation_only};
}

DataSetInfo wikipedia_bookcorpus() {
  return {"wikipedia-bookcorpus",
          "English Wikipedia and BooksCorpus, sequences of 512 tokens",
          "Devlin et al. 2019 (arXiv 1810.04805): 1,000,000 steps of 256 sequences are about 40 epochs, so 6,400,000 "
          "sequences; 2 bytes per token assumed, since ids below 30,522 fit",
          {512, 1, 1},
          30522,
          6400000,
          0,
          2.0 * 512,
          DataSetUse::simulation_only};
}

DataSetInfo openwebtext() {
  return {"openwebtext",
          "OpenWebText, the open copy of GPT-2's WebText, sequences of 1024 tokens",
          "nanoGPT, data/openwebtext/readme.md: 9,035,582,198 + 4,434,897 tokens in 16-bit ids, 17 GB; divided by 1024",
          {1024, 1, 1},
          50257,
          9035582198 / 1024,
          4434897 / 1024,
          2.0 * 1024,
          DataSetUse::simulation_only};
}

}  // namespace

const std::vector<DataSetInfo>& data_sets() {
  static const std::vector<DataSetInfo> sets = {fashion_mnist(),
                                                mnist(),
                                                digits(),
                                                synthetic(),
                                                synthetic_writers(),
                                                synthetic_boxes(),
                                                tokens(markov_1000, "Text of known entropy over 1000 words", 2),
                                                tokens(markov_90, "Text of known entropy over 90 letters", 1),
                                                cifar10(),
                                                imagenet(),
                                                wikipedia_bookcorpus(),
                                                openwebtext()};
  return sets;
}

}  // namespace orrery
