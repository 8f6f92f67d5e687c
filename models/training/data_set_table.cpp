// The data sets that scenarios may name. Adding one: a row here; when it can be trained on, a loader in dataset.cpp.
#include "models/training/dataset.hpp"

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
  static const std::vector<DataSetInfo> sets = {
      fashion_mnist(), mnist(), synthetic(), cifar10(), imagenet(), wikipedia_bookcorpus(), openwebtext()};
  return sets;
}

}  // namespace orrery
