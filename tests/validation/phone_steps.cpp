// Training steps of a phone against published ones, nothing tuned: the roofline of the catalogue's row plus its
// overhead per step. The rows hold the peak of the phone's graphics processor, but the published steps ran on its CPU:
// the table shows what that is worth, and the README of the catalogue says it.
#include <fmt/format.h>

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/cost/cost_model.hpp"
#include "models/networks/layer_graph.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

// AlexNet in the shapes of Krizhevsky 2014 (one column), 61.1 million parameters.
constexpr const char* alexnet = R"([network]
name = "alexnet"
title = "AlexNet"
source = "Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks"
sample = "image"
input = [224, 224, 3]
classes = 1000
layers = [
  { name = "conv1", kind = "convolution", filters = 64, kernel = 11, stride = 4, padding = 2 },
  { name = "relu1", kind = "relu" },
  { name = "pool1", kind = "max_pool", kernel = 3, stride = 2 },
  { name = "conv2", kind = "convolution", filters = 192, kernel = 5, padding = 2 },
  { name = "relu2", kind = "relu" },
  { name = "pool2", kind = "max_pool", kernel = 3, stride = 2 },
  { name = "conv3", kind = "convolution", filters = 384, kernel = 3, padding = 1 },
  { name = "relu3", kind = "relu" },
  { name = "conv4", kind = "convolution", filters = 256, kernel = 3, padding = 1 },
  { name = "relu4", kind = "relu" },
  { name = "conv5", kind = "convolution", filters = 256, kernel = 3, padding = 1 },
  { name = "relu5", kind = "relu" },
  { name = "pool5", kind = "max_pool", kernel = 3, stride = 2 },
  { name = "flatten", kind = "flatten" },
  { name = "dense1", kind = "dense", units = 4096 },
  { name = "relu6", kind = "relu" },
  { name = "dense2", kind = "dense", units = 4096 },
  { name = "relu7", kind = "relu" },
  { name = "dense3", kind = "dense", units = 1000 },
  { name = "loss", kind = "softmax_cross_entropy" },
]
)";

LayerGraph network_of(const std::string& name) {
  if (name == "lenet") return load_network("lenet5");
  Problems problems;
  LayerGraph graph = parse_network(alexnet, "alexnet.toml", problems);
  problems.throw_if_any();
  return graph;
}

FrameworkProfile usual_framework() {
  Problems problems;
  for (const FrameworkProfile& framework : read_frameworks(problems)) {
    if (framework.id == "pytorch") return framework;
  }
  throw std::runtime_error("no framework pytorch");
}

double step_ms(const LayerGraph& network, double batch, const Device& phone) {
  const CostModel cost(usual_framework(), Precision::fp32, OptimizerKind::sgd);
  Seconds step = phone.step_overhead;
  for (const std::vector<Seconds>& pass : cost.times(network, phone, {batch}).device) {
    for (const Seconds layer : pass) step += layer;
  }
  return step.value() * kilo;
}

}  // namespace

TEST_CASE("a phone's small steps are its overhead, and its large ones those of a CPU that the row does not hold",
          "[validation]") {
  Problems problems;
  CsvTable table = CsvTable::read(std::string(ORRERY_TEST_DIR) + "/validation/phone_steps.csv",
                                  {{"network", "batch", "published_ms"}, {}}, problems);
  const Device& phone = *shipped_catalogue().device("phone-pixel4");  // the same Snapdragon 855
  std::cout << "network  batch  published ms  predicted ms  error\n";
  for (CsvRow& row : table.rows()) {
    const std::string name = row.text("network");
    const double batch = row.required_number("batch"), published = row.required_number("published_ms");
    const double predicted = step_ms(network_of(name), batch, phone);
    std::cout << fmt::format("{:<8} {:>5} {:>13.1f} {:>13.1f}  {:>+4.0f} %\n", name, batch, published, predicted,
                             100 * (predicted / published - 1));
    INFO(name << " " << batch);
    if (name == "lenet" && batch == 1) CHECK(predicted == Approx(published).epsilon(0.25));
    CHECK(predicted < 1.25 * published);
    CHECK(predicted > published / 20);
  }
  problems.throw_if_any();
}

}  // namespace orrery
