// Which network a published row means that names a model and says no dimensions.
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using testing::one_row;
using testing::shared_tables;

RowNetwork named(const std::string& model) {
  return network_of(one_row("id,metric,value,unit,model,device", "A-T-1,throughput,1,samples/s," + model + ",H100"),
                    shared_tables().models);
}

struct NamedModel {
  const char* name;
  std::int64_t layers, hidden;
};

}  // namespace

TEST_CASE("a model's name says its dimensions, its size in the name among them") {
  const NamedModel models[] = {{"GPT-3 175B", 96, 12288},
                               {"gpt3-175b", 96, 12288},
                               {"GPT 125M", 12, 768},
                               {"GPT 1T", 128, 25600},
                               {"GPT-2 XL", 48, 1600},
                               {"GPT-2 1.5B", 48, 1600},
                               {"gpt2", 12, 768},
                               {"GPT-J 6B", 28, 4096},
                               {"Megatron 530B", 105, 20480},
                               {"Megatron-LM 8.3B", 72, 3072},
                               {"Turing-NLG 17B", 78, 4256},
                               {"OPT 13B", 40, 5120},
                               {"OPT-175B", 96, 12288},
                               {"BLOOM 176B", 70, 14336},
                               {"Llama 2 70B", 80, 8192},
                               {"Llama 3.1 405B", 126, 16384},
                               {"MPT-30B", 48, 7168},
                               {"InternLM 7B", 32, 4096},
                               {"Chinchilla 70B", 80, 8192},
                               {"RoBERTa-large", 24, 1024}};
  for (const NamedModel& model : models) {
    INFO(model.name);
    const RowNetwork network = named(model.name);
    CHECK(network.is_transformer());
    CHECK(network.shape.layers == model.layers);
    CHECK(network.shape.hidden == model.hidden);
  }
}

TEST_CASE("networks of the catalogue are known by the names that people give them") {
  for (const char* name :
       {"ResNet-18", "ResNet-50 v1.5", "VGG-16", "Inception V3", "MobileNetV2", "U-Net", "DLRM", "Stable Diffusion",
        "YOLOv5s", "YOLOv8x", "YOLO11m", "SSD300", "GNMT", "NCF (NeuMF) on MovieLens 20M"}) {
    INFO(name);
    CHECK_FALSE(named(name).is_transformer());
  }
  CHECK(named("ResNet-18").graph(1).input.height == 224);
  CHECK(named("ResNet-18 on CIFAR-10").graph(1).input.height == 28);
}

TEST_CASE("a size that no model of the name has needs its dimensions") {
  CHECK_THROWS_AS(named("GPT 99B"), RowSkipped);
  CHECK_THROWS_AS(named("no such model"), RowSkipped);
}

}  // namespace orrery
