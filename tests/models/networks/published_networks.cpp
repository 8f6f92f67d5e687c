// The networks that ship with Orrery against their published figures.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "models/cost/layer_cost.hpp"
#include "models/networks/layer_graph.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

double forward_gmac(const LayerGraph& graph) {
  double flops = 0.0;
  for (const Layer& layer : graph.layers) flops += layer_cost(layer).forward.value();
  return flops / 2e9;
}

struct Published {
  std::string name;
  std::int64_t parameters;
  double gmac, tolerance;  // forward, of one sample
};

// Parameters: the papers, torchvision and the released checkpoints; the sums in the files for the small ones. GMAC:
// timm for ResNet-50 (4.09 in He's count of convolutions and dense layers) and VGG-16; for transformers T tokens and
// width h: blocks x (12 h^2 T + 2 T^2 h) + h T V, and h^2 T for BERT's head; the others counted by hand, position by
// position:
//   char-lstm          80 (4 256 (8 + 256) + 4 256 (256 + 256) + 256 90)
//   gnmt               50 (2 46,137,344 + 2 1,024^2 + 1,024 32,000) + 2 50^2 1,024
//   gru-rows           28 3 128 (28 + 128) + 128 10, lstm-rows with 4 instead of 3
//   mobilenet-small    784 144; 784 (9 16 + 16 32), 196 (9 32 + 32 64), 196 (9 64 + 64 64), 49 (9 64 + 64 128),
//                      49 (9 128 + 128 128); 1,280
//   resnet-small       784 144; 784 2 2,304; 196 (4,608 + 9,216 + 512); 49 (18,432 + 36,864 + 2,048); 640
//   resnet18           784 576; 784 4 36,864; 196 (73,728 + 3 147,456 + 8,192); 49 (294,912 + 3 589,824 + 32,768);
//                      16 (1,179,648 + 3 2,359,296 + 131,072); 5,120
//   transformer-small  28 28 128 + 2 (12 128^2 28 + 2 28^2 128) + 1,280
//   vit-tiny           49 16 64 + 4 (12 64^2 49 + 2 49^2 64) + 640
//   unet               a 3x3 pair from a to b channels at S^2 pixels: 9 b (a + b) S^2; up-convolutions 4 a b S^2
//   dlrm               13 512 + 512 256 + 256 128; 27^2 128; 479 1,024 + 1,024^2 + 1,024 512 + 512 256 + 256; its rows
//                      and perceptrons are MLPerf's
//   dlrm-kaggle        13 512 + 512 256 + 256 64 + 64 16; 27^2 16; 367 512 + 512 256 + 256
//   gnmt-wmt16         as gnmt with 34 tokens and 32,320 words
//   transformer-big    35 (6 (12 + 16) 1,024^2 + 1,024 33,712) + 6 (2 + 4) 35^2 1,024
//   transformer-xl     t tokens and as many of memory, width h, f = 4 h: blocks (2 t 3 h^2 + t h^2 + 2 t h f + 3 h 2
//   t^2)
//                      + t h head; large with h^2 t before the head
//   deepspeech2        615 (81 32 451 + 41 32 7,392 + 2 4,096 2,336 + 8 4,096 2,048 + 1,024 29)
//   neumf-ml20m        256 256 + 256 128 + 128 64 + 128
//   neumf              256 128 + 128 64 + 64 32 + 64
//   shufflenet-v2      its paper's table 5 for a width of 1
//   ... on CIFAR-100   a unit of width c at S^2 pixels: S^2 (2 c^2 + 9 c)
//   nnunet-2d, ssd300  layer by layer as their sources have them; no published count
//   stable-diffusion   859,520,964 in diffusers; 338.61 without, 63.03 in the products of attention
// Ultralytics counts 16 parameters more for each YOLOv8 and YOLO11 (its gradients are as many as here), the fixed
// numbers 0 to 15 that boxes are read with, and gives GFLOP with one digit, as twice the multiply-adds, batch
// normalisations included for YOLOv5, attention left out for YOLO11: hence their tolerance.
//   yolo-tiny          784 432 + 196 4,608 + 49 (18,432 + 73,728) + 49 128 8
const std::vector<Published>& published() {
  static const std::vector<Published> rows = {
      {"2nn", 199210, 0.0001988, 1e-12},
      {"bert-large", 335174458, 184.0426, 1e-5},
      {"char-lstm", 820522, 0.06541312, 1e-12},
      {"digits-2nn", 55210, 0.0000548, 1e-12},
      {"fedavg-cnn", 1663370, 0.012273152, 1e-12},
      {"gnmt", 159976704, 6.362112, 1e-12},
      {"gnmt-wmt16", 160632384, 4.336263168, 1e-12},
      {"gpt-mini", 3448320, 0.468975616, 1e-12},
      {"gpt2", 124439808, 145.8242, 1e-5},
      {"gpt2-xl", 1557611200, 1753.352, 1e-5},
      {"gru-rows", 61962, 0.001678592, 1e-12},
      {"lenet5", 61706, 0.00041652, 1e-12},
      {"logistic", 7850, 0.00000784, 1e-12},
      {"lstm-rows", 81674, 0.002237696, 1e-12},
      {"mobilenet-small", 36874, 0.003290944, 1e-12},
      {"resnet-small", 77562, 0.00934592, 1e-12},
      {"resnet18", 11172810, 0.455800832, 1e-12},
      {"resnet18-imagenet", 11689512, 1.814, 1e-3},
      {"resnet101", 44549160, 7.801, 1e-3},
      {"resnet152", 60192808, 11.514, 1e-3},
      {"inception-v3", 23834568, 5.713, 1e-3},
      {"mobilenet-v2", 3504872, 0.3008, 1e-3},
      {"transformer-big", 210808832, 7.419023360, 1e-12},
      {"transformer-xl-base", 191705369, 16.385409024, 1e-12},
      {"transformer-xl-large", 284914641, 133.461049344, 1e-12},
      {"neumf", 1602657, 0.000043072, 1e-12},
      {"neumf-ml20m", 31832577, 0.000106624, 1e-12},
      {"nnunet-2d", 20613092, 6.69253632, 1e-12},
      {"shufflenet-v2", 2278604, 0.146, 1e-2},
      {"shufflenet-v2-cifar100", 1360896, 0.04367552, 1e-12},
      {"ssd300-resnet50", 22894902, 20.150906112, 1e-12},
      {"unet", 31030658, 48.096084, 1e-6},
      {"dlrm", 24036595969, 0.002458496, 1e-12},
      {"deepspeech2", 86577440, 59.74255632, 1e-12},
      {"dlrm-kaggle", 540677217, 0.000486032, 1e-12},
      {"stable-diffusion-v1", 859520964, 401.63672064, 1e-12},
      {"yolo11n", 2624064, 3.25, 1e-2},
      {"yolo11s", 9458736, 10.75, 1e-2},
      {"yolo11m", 20114672, 34.0, 1e-2},
      {"yolo11l", 25372144, 43.45, 1e-2},
      {"yolo11x", 56966160, 97.45, 1e-2},
      {"yolov5s", 7235389, 8.25, 1e-2},
      {"yolov8n", 3157184, 4.35, 1e-2},
      {"yolov8s", 11166544, 14.3, 1e-2},
      {"yolov8m", 25902624, 39.45, 1e-2},
      {"yolov8l", 43691504, 82.6, 1e-2},
      {"yolov8x", 68229632, 128.9, 1e-2},
      {"resnet50", 25557032, 4.089, 1e-3},
      {"transformer-small", 405130, 0.011513088, 1e-12},
      {"vgg16", 138357544, 15.47, 1e-3},
      {"vit-tiny", 204938, 0.01091392, 1e-12},
      {"yolo-tiny", 98712, 0.005807872, 1e-12},
  };
  return rows;
}

// Transformers by their dimensions (models/networks/transformers.csv). Parameters: the released checkpoints as the
// transformers library counts them, except GPT-3, Megatron's and Megatron-Turing's, 12 l h^2 + 13 l h + (V + s + 2) h
// (0 here), which the published figures round, and OPT's, the same with two more positions. BERT-base is 109,514,298
// with the head of the masked language model (109,482,240 with the pooler instead); DeepSeek's are without the router's
// correction numbers (256 for each of 58 layers) and without the head that predicts a second token. GPT-OSS: 116.83
// and 20.91 billion (OpenAI 2025, table 1): layers (h 5,120 + 5,120 + 64 + 4,096 h + h + 2 h + e h + e + e (6 h^2 / 2 +
// 3 h)) + 2 V h + h of e experts.
// Gemma 3 without what reads images: 4,300,079,472, 12,187,325,040 and 27,432,406,640 of the checkpoints less SigLIP's
// 416,866,032 and the 1,152 h + 1,152 of the projection. Llama 4 Scout likewise: 108,641,793,536 less 871,932,416.
// Kimi K2: the 1,026,408,232,448 of its checkpoint less the 60 x 384 biases by which its gates balance experts.
const std::map<std::string, std::int64_t>& published_transformers() {
  static const std::map<std::string, std::int64_t> rows = {
      {"bert-base", 109514298},
      {"bloom-176b", 176247271424},
      {"deepseek-v2", 235741434880},
      {"deepseek-v2-lite", 15706484224},
      {"deepseek-v3", 671026404352},
      {"falcon-180b", 179522565120},
      {"falcon-40b", 41303293952},
      {"falcon-7b", 6921720704},
      {"gemma-7b", 8537680896},
      {"gemma2-27b", 27227128320},
      {"gemma2-2b", 2614341888},
      {"gemma2-9b", 9241705984},
      {"gemma3-12b", 11766034176},
      {"gemma3-27b", 27009346304},
      {"gemma3-4b", 3880263168},
      {"kimi-k2", 1026408209408},
      {"gpt-neox-20b", 20554567680},
      {"gpt-oss-120b", 116829156672},
      {"gpt-oss-20b", 20914757184},
      {"gpt2-large", 774030080},
      {"gpt2-medium", 354823168},
      {"gpt3-175b", 174604259328},
      {"llama-13b", 13015864320},
      {"llama-33b", 32528943616},
      {"llama-65b", 65285660672},
      {"llama-7b", 6738415616},
      {"llama2-13b", 13015864320},
      {"llama2-70b", 68976648192},
      {"llama2-7b", 6738415616},
      {"llama3-405b", 405853388800},
      {"llama3-70b", 70553706496},
      {"llama3-8b", 8030261248},
      {"llama3.2-1b", 1235814400},
      {"llama3.2-3b", 3212749824},
      {"llama4-scout", 107769861120},
      {"megatron-1.7b", 0},
      {"megatron-1008b", 0},
      {"megatron-145.6b", 0},
      {"megatron-175b", 0},
      {"megatron-18.4b", 0},
      {"megatron-22b", 0},
      {"megatron-3.6b", 0},
      {"megatron-310.1b", 0},
      {"megatron-39.1b", 0},
      {"megatron-529.6b", 0},
      {"megatron-7.5b", 0},
      {"megatron-76.1b", 0},
      {"mistral-7b", 7241732096},
      {"mixtral-8x22b", 140620634112},
      {"grok-1", 315684034560},
      {"mixtral-8x7b", 46702792704},
      {"mt-nlg-530b", 0},
      {"olmo2-13b", 13716198400},
      {"olmo2-32b", 32234279936},
      {"olmo2-7b", 7298617344},
      {"opt-175b", 174604468224},
      {"opt-66b", 0},
      {"phi-2", 2779683840},
      {"qwen1.5-moe-a2.7b", 14315784192},
      {"qwen2-57b-a14b", 57408658944},
      {"qwen2.5-0.5b", 494032768},
      {"qwen2.5-72b", 72706203648},
      {"qwen2.5-7b", 7615616512},
      {"qwen3-0.6b", 596049920},
      {"qwen3-1.7b", 1720574976},
      {"qwen3-14b", 14768307200},
      {"qwen3-235b-a22b", 235093634560},
      {"qwen3-30b-a3b", 30532122624},
      {"qwen3-32b", 32762123264},
      {"qwen3-4b", 4022468096},
      {"qwen3-8b", 8190735360},
      {"t5-11b", 11307321344},
      {"t5-3b", 2851598336},
      {"tinyllama-1.1b", 1100048384},
      {"vit-b16", 86567656},
      {"vit-h14", 632045800},
      {"vit-l16", 304326632},
  };
  return rows;
}

TEST_CASE("Every network that ships has a published row here, and the other way round") {
  std::vector<std::string> names;
  for (const Published& row : published()) names.push_back(row.name);
  for (const auto& [name, count] : published_transformers()) names.push_back(name);
  std::sort(names.begin(), names.end());
  CHECK(network_names() == names);
}

TEST_CASE("Transformers by their dimensions have the published parameters") {
  for (const auto& [name, count] : published_transformers()) {
    CAPTURE(name);
    const LayerGraph graph = load_network(name);
    CHECK(graph.name == name);
    if (count > 0) {
      CHECK(parameters(graph) == count);
      continue;
    }
    const Layer& embedding = graph.layers.front();
    const std::int64_t h = embedding.out.channels;
    const std::int64_t blocks = std::count_if(graph.layers.begin(), graph.layers.end(),
                                              [](const Layer& layer) { return layer.kind == LayerKind::attention; });
    CHECK(parameters(graph) == 12 * blocks * h * h + 13 * blocks * h + (graph.classes + embedding.positions + 2) * h);
  }
}

TEST_CASE("Megatron's published FLOPs per sample: 24 l s h^2 (1 + s / (6 h) + V / (12 l h)) forward") {
  const LayerGraph graph = load_network("megatron-18.4b");  // Narayanan et al. 2021, appendix, without recomputation
  const double l = 40, s = 2048, h = 6144, v = 51200;
  const double forward = 24 * l * s * h * h * (1 + s / (6 * h) + v / (12 * l * h));
  CHECK(2e9 * forward_gmac(graph) == Approx(forward).epsilon(1e-12));
}

TEST_CASE("Parameters and forward products of the shipped networks are the published ones") {
  for (const Published& row : published()) {
    CAPTURE(row.name);
    const LayerGraph graph = load_network(row.name);
    CHECK(graph.name == row.name);
    CHECK(parameters(graph) == row.parameters);
    CHECK(forward_gmac(graph) == Approx(row.gmac).epsilon(row.tolerance));
    CHECK(training_flops(graph).value() == Approx(3 * 2e9 * forward_gmac(graph)));
  }
}

TEST_CASE("Stable Diffusion's published products, 339 G (Kim et al. 2023, BK-SDM, table 2), leave out attention's") {
  double flops = 0.0;
  for (const Layer& layer : load_network("stable-diffusion-v1").layers) {
    const bool is_core = layer.kind == LayerKind::attention || layer.kind == LayerKind::cross_attention;
    if (!is_core) flops += layer_cost(layer).forward.value();
  }
  CHECK(flops / 2e9 == Approx(339).epsilon(2e-3));
}

TEST_CASE("Language models look back only, encoders both ways, every query head has its keys") {
  for (const auto& [name, count, gmac, tolerance] : published()) {
    CAPTURE(name);
    for (const Layer& layer : load_network(name).layers) {
      if (layer.kind != LayerKind::attention) continue;
      CHECK(layer.causal ==
            ((name.starts_with("gpt") || name.starts_with("transformer-xl")) || layer.name.starts_with("decoder.")));
      CHECK(layer.kv_heads == layer.heads);
      const std::int64_t keys = layer.kv_heads * (head_size(layer) + value_size(layer));
      CHECK(layer.in.channels == layer.heads * head_size(layer) + keys);
    }
  }
}

}  // namespace
}  // namespace orrery
