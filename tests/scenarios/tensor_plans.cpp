// How layers are split over a tensor-parallel group, and the plans of `model split = tensor`.
#include "models/layouts/tensor_split.hpp"

#include "models/cost/attention_operators.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"
#include "tests/scenarios/small.hpp"

namespace orrery {
namespace {

std::string name_of(SplitMode mode) {
  switch (mode) {
    case SplitMode::replicated:
      return "replicated";
    case SplitMode::column:
      return "column";
    case SplitMode::row:
      return "row";
    case SplitMode::channelwise:
      return "channelwise";
    case SplitMode::vocabulary:
      return "vocabulary";
  }
  return "";
}

std::string modes_of(const TensorSplit& split) {
  std::string text;
  for (const LayerSplit& layer : split.layers) text += name_of(layer.mode) + " ";
  return text;
}

/// `dense2 forward all_reduce 200; ...` in the order of the step.
std::string exchanges_of(const LayerGraph& graph, const TensorSplit& split) {
  std::string text;
  const auto add = [&](const char* phase, const std::vector<TensorExchange>& exchanges) {
    for (const TensorExchange& exchange : exchanges) {
      text += graph.layers[exchange.layer.index()].name + " " + phase + " " + std::string(name_of(exchange.kind)) +
              " " + std::to_string(static_cast<std::int64_t>(exchange.numbers)) + "; ";
    }
  };
  for (const LayerSplit& layer : split.layers) {
    add("forward", layer.before_forward);
    add("forward", layer.after_forward);
  }
  for (auto layer = split.layers.rbegin(); layer != split.layers.rend(); ++layer)
    add("backward", layer->before_backward);
  return text;
}

}  // namespace

TEST_CASE("dense layers alternate between columns and rows") {
  const LayerGraph graph = load_network("2nn");  // flatten dense1 relu1 dense2 relu2 dense3 loss
  const TensorSplit split = split_tensor(graph, 2);
  CHECK(modes_of(split) == "replicated column channelwise row replicated column replicated ");
  CHECK(exchanges_of(graph, split) ==
        "dense2 forward all_reduce 200; loss forward all_gather 10; dense3 backward all_reduce 200; ");
  CHECK(split.notes == std::vector<std::string>{
                           "loss reads all 10 logits: they are gathered before it (Megatron-LM's loss works on the "
                           "split ones and exchanges sums only)"});
}

TEST_CASE("columns write a part of the output, rows and vocabularies all of it as partial sums") {
  const TensorSplit dense = split_tensor(load_network("2nn"), 2);
  const Share column = dense.layers[1].share, row = dense.layers[3].share;
  CHECK((column.work == 0.5 && column.input == 1.0 && column.output == 0.5));
  CHECK((row.work == 0.5 && row.input == 0.5 && row.output == 1.0));
  const Share words = split_tensor(load_network("gpt2"), 4).layers[0].share;
  CHECK((words.input == 1.0 && words.output == 1.0));
}

TEST_CASE("a layer whose units the group does not divide stays whole, and the notes say so") {
  const TensorSplit split = split_tensor(load_network("2nn"), 8);
  CHECK(modes_of(split) == "replicated column channelwise row replicated replicated replicated ");
  CHECK(split.notes == std::vector<std::string>{"dense3 stays whole on every device: 10 is not a multiple of 8"});
}

TEST_CASE("convolutions are split by channels and gathered where the next one needs them all") {
  const LayerGraph graph = load_network("fedavg-cnn");
  const TensorSplit split = split_tensor(graph, 4);
  std::size_t gathers = 0, scatters = 0, reduces = 0;
  for (const LayerSplit& layer : split.layers) {
    for (const auto* list : {&layer.before_forward, &layer.after_forward, &layer.before_backward}) {
      for (const TensorExchange& exchange : *list) {
        gathers += exchange.kind == CollectiveKind::all_gather ? 1 : 0;
        scatters += exchange.kind == CollectiveKind::reduce_scatter ? 1 : 0;
        reduces += exchange.kind == CollectiveKind::all_reduce ? 1 : 0;
      }
    }
  }
  CHECK(gathers == 1);   // pooled output of the first convolution, read whole by the second
  CHECK(scatters == 1);  // and its gradient on the way back
  CHECK(reduces == 1);   // output of the first dense layer, split by rows; the second stays whole (10 classes)
}

TEST_CASE("a transformer block exchanges twice forward and twice backward") {
  const LayerGraph graph = load_network("gpt2");
  const TensorSplit split = split_tensor(graph, 4);
  std::size_t forward = 0, backward = 0;
  for (const Layer& layer : graph.layers) {
    const LayerSplit& one = split.layers[layer.id.index()];
    if (layer.kind == LayerKind::attention) CHECK(one.mode == SplitMode::channelwise);
    for (const TensorExchange& exchange : one.after_forward) {
      CHECK(exchange.kind == CollectiveKind::all_reduce);
      CHECK(exchange.numbers == 1024.0 * 768);
      ++forward;
    }
    for (const TensorExchange& exchange : one.before_backward) {
      CHECK(exchange.kind == CollectiveKind::all_reduce);
      ++backward;
    }
  }
  CHECK(forward == 12 * 2 + 1);   // and the embedding
  CHECK(backward == 12 * 2 + 1);  // and the input of the head
}

TEST_CASE("the vocabulary is padded to a multiple of the group") {
  const LayerGraph graph = load_network("gpt2");
  const TensorSplit split = split_tensor(graph, 4);
  const double rows = 12'565;  // 50,257 / 4, rounded up
  CHECK(split.layers.front().mode == SplitMode::vocabulary);
  CHECK(split.layers.front().share.work == Approx(rows / 50'257));
  const LayerSplit& head = split.layers[graph.layers.size() - 2];
  CHECK(head.mode == SplitMode::column);
  CHECK(head.share.work == Approx(rows / 50'257));
}

TEST_CASE("heads that the group does not divide are gathered before attention") {
  const LayerGraph graph = load_network("gpt2");  // 12 heads, 2,304 = 3 x 768 columns
  const TensorSplit split = split_tensor(graph, 8);
  for (const Layer& layer : graph.layers) {
    if (layer.kind != LayerKind::attention) continue;
    CHECK(split.layers[layer.id.index()].mode == SplitMode::replicated);
    CHECK(split.layers[layer.id.index()].before_forward.size() == 1);
  }
}

TEST_CASE("recurrent layers stay whole, and the notes say so") {
  const LayerGraph graph = load_network("char-lstm");  // embedding lstm1 lstm2 dense loss
  const TensorSplit split = split_tensor(graph, 2);
  CHECK(modes_of(split) == "vocabulary replicated replicated column replicated ");
  CHECK(exchanges_of(graph, split) ==
        "embedding forward all_reduce 640; loss forward all_gather 7200; dense backward all_reduce 20480; ");
  CHECK(split.notes ==
        std::vector<std::string>{
            "lstm1 stays whole on every device: split, it would exchange its state after each of its 80 tokens",
            "lstm2 stays whole on every device: split, it would exchange its state after each of its 80 tokens",
            "loss reads all 90 logits: they are gathered before it (Megatron-LM's loss works on the split ones and "
            "exchanges sums only)"});
}

TEST_CASE("channels are gathered where layers would mix them, and stay split where they would not") {
  const LayerGraph rows = load_network("lstm-rows");  // rows lstm last dense loss
  CHECK(modes_of(split_tensor(rows, 2)) == "replicated replicated replicated column replicated ");
  const LayerGraph patches = load_network("vit-tiny");
  const TensorSplit split = split_tensor(patches, 4);
  CHECK(modes_of(split).starts_with("column channelwise replicated replicated column channelwise row replicated "));
  REQUIRE(split.layers[2].before_forward.size() == 1);  // the positions read all channels of all patches
  CHECK(split.layers[2].before_forward[0].kind == CollectiveKind::all_gather);
  CHECK(split.layers[2].before_forward[0].numbers == 49.0 * 64);
}

TEST_CASE("a concatenation, a transposed convolution and a detector on two devices") {
  const LayerGraph graph =
      small_network(network_text("[4, 4, 2]", "3",
                                 "{ name = \"a\", kind = \"convolution\", filters = 4 },\n"
                                 "{ name = \"drop\", kind = \"dropout\", rate = 0.5 },\n"
                                 "{ name = \"up\", kind = \"transposed_convolution\", filters = 6 },\n"
                                 "{ name = \"both\", kind = \"concatenate\", skip = \"a\" },\n"
                                 "{ name = \"head\", kind = \"convolution\", filters = 8 },\n"
                                 "{ name = \"loss\", kind = \"detection_loss\" },\n"));
  const TensorSplit split = split_tensor(graph, 2);
  CHECK(modes_of(split) == "column channelwise column replicated column replicated ");
  CHECK(
      exchanges_of(graph, split) ==
      "up forward all_gather 64; both forward all_gather 96; both forward all_gather 64; loss forward all_gather 128; "
      "head backward all_reduce 160; up backward reduce_scatter 64; ");
  CHECK(split.notes == std::vector<std::string>{"loss reads all 128 predictions: they are gathered before it"});
}

TEST_CASE("attention is split by its heads of keys and values") {
  const auto graph = [](const std::string& kv_heads, const std::string& units) {
    return small_network(network_text("[4, 1, 8]", "8",
                                      "{ name = \"qkv\", kind = \"dense\", units = " + units +
                                          " },\n{ name = \"attention\", kind = \"attention\", heads = 4, kv_heads = " +
                                          kv_heads + " },\n{ name = \"out\", kind = \"dense\", units = 8 },\n" +
                                          "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  };
  CHECK(modes_of(split_tensor(graph("2", "16"), 2)) == "column channelwise row replicated ");
  // One head of keys and values on both: of 8 + 2 + 2 outputs 4 + 2 + 2.
  const TensorSplit shared = split_tensor(graph("1", "12"), 2);
  CHECK(modes_of(shared) == "column channelwise row replicated ");
  CHECK(shared.layers[0].share.work == Approx(8.0 / 12.0));
  // 8 + 2 + 2 = 12 outputs, which 4 divides, and with one head of 8 queries on each of 4 devices 2 + 2 + 2.
  CHECK(split_tensor(graph("1", "12"), 4).layers[0].share.work == Approx(6.0 / 12.0));
  const TensorSplit whole = split_tensor(graph("4", "24"), 8);
  CHECK(modes_of(whole) == "column replicated column replicated ");
  REQUIRE_FALSE(whole.notes.empty());
  CHECK(whole.notes.front() == "attention stays whole on every device: 4 is not a multiple of 8");
}

TEST_CASE("the step of a tensor-parallel group is its share of the work and every exchange in turn") {
  const Lab lab(two_layer_lab("batch = 10") +
                "[[strategy]]\nname = \"a\"\nkind = \"model\"\nsplit = \"tensor\"\ndevices = 2\n");
  const Plan plan = lab.plan();
  CHECK(plan.degrees.tp == 2);
  // Forward: flatten..dense2 | relu2, dense3 | loss; backward: loss, dense3 | relu2..flatten; then the update.
  CHECK(plan.program.ops().size() == 2 * (3 + 2 + 2 + 1 + 1));
  CHECK(plan.program.collectives().size() == 3);
  const double compute = 10 * 6 * 198'800 / 1e9 / 2;
  // Ring of 2: all-reduce 2 (latency + S / 2 bandwidth), all-gather half of it; 10 us; 4 bytes a
  // number.
  const double reduce = 2 * (10e-6 + 10 * 200 * 4 / 2e9), gather = 10e-6 + 10 * 10 * 4 / 2e9;
  CHECK(lab.run(plan).makespan.value() == Approx(compute + 2 * reduce + gather));
  CHECK(plan.memory.weights.value() == Approx(4 * 199'210 / 2.0));
}

/// Of a sample, forward and backward: fused causal attention leaves half of the scores out.
double executed_flops(const WorkloadSpec& workload) {
  const LayerGraph& graph = workload.network;
  const std::vector<bool> has_backward = needs_gradient(graph);
  double sum = 0;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const LayerCost cost = layer_cost(graph.layers[i]);
    const Flops all = cost.forward + (has_backward[i] ? cost.backward : Flops());
    sum += all.value() * executed_share(graph.layers[i], workload.framework);
  }
  return sum;
}

TEST_CASE("every network can be split over every group") {
  for (const char* network : {"2nn", "lenet5", "fedavg-cnn", "vgg16", "resnet50", "bert-large", "gpt2", "char-lstm",
                              "gru-rows", "mobilenet-small", "yolo-tiny", "transformer-small", "vit-tiny"}) {
    for (const int devices : {1, 2, 3, 8}) {
      const Lab lab(std::string("[workload]\nnetwork = \"") + network +
                    "\"\nbatch = 8\n[cluster]\ndevice = \"gpu\"\nnodes = 8\nnetwork_link = \"net\"\n" +
                    "[[strategy]]\nname = \"a\"\nkind = \"model\"\ncollective = \"ring\"\ndevices = " +
                    std::to_string(devices) + "\n");
      const Plan plan = lab.plan();
      CHECK(plan.program.ranks() == static_cast<std::size_t>(devices));
      double flops = 0;
      for (const Op& op : plan.program.ops()) {
        if (const auto* compute = std::get_if<Compute>(&op.action)) flops += compute->flops.value();
      }
      const double once = 8 * executed_flops(lab.scenario().workload);
      CHECK(once <= plan.model_flops.value());
      CHECK(flops >= once * (1 - 1e-12));  // replicated layers are worked on more than once
    }
  }
}

}  // namespace orrery
