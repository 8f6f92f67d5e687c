// Profiles out of traces: one that PyTorch 1.13 wrote (Debian's build, without Kineto; two steps of LeNet-5 at batch 4,
// cut down to what is read), and small ones written by hand as Kineto writes them.
#include "models/cost/kineto.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"
#include "tests/models/training/data_folder.hpp"

namespace orrery {
namespace {

const std::string real_trace = std::string(ORRERY_TEST_DIR) + "/models/cost/traces/lenet5-without-kineto.json";

const ProfileRow& row_of(const StepProfile& profile, const std::string& layer, Pass pass) {
  for (const ProfileRow& row : profile.rows) {
    if (row.layer == layer && row.pass == pass) return row;
  }
  throw std::runtime_error("no row of " + layer);
}

double microseconds(const StepProfile& profile, const std::string& layer, Pass pass) {
  return row_of(profile, layer, pass).seconds / micro;
}

StepProfile import_sound(const std::string& text, const LayerGraph& graph) {
  Problems problems;
  StepProfile profile = import_trace_text(text, "t.json", graph, {8, 2}, problems);
  check_profile(profile, graph, "t.json", problems);
  problems.throw_if_any();
  return profile;
}

std::string problems_of_trace(const std::string& text, const LayerGraph& graph = small_perceptron()) {
  Problems problems;
  const StepProfile profile = import_trace_text(text, "t.json", graph, {8, 2}, problems);
  CHECK(profile.rows.empty());
  REQUIRE(problems.all().size() == 1);
  return to_text(problems.all().front());
}

/// Without categories, as builds without Kineto write them.
struct Event {
  std::string name;
  double start = 0, duration = 0;
};

std::string plain_trace(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) {
    text += fmt::format(R"({}{{"name":"{}","ph":"X","ts":{},"dur":{},"tid":1,"pid":"CPU functions","args":{{}}}})",
                        text.empty() ? "[" : ",\n", event.name, event.start, event.duration);
  }
  return text + "]";
}

std::string node(const std::string& function) {
  return "autograd::engine::evaluate_function: " + function + "Backward0";
}

/// One step of small_perceptron().
std::vector<Event> sound_step() {
  return {{"ProfilerStep#7", 0, 1000},
          {"aten::to", 1, 3},  // before the first layer: counts to it
          {"aten::linear", 10, 50},
          {"aten::addmm", 15, 40},  // called by it
          {"aten::relu", 70, 5},
          {"aten::linear", 80, 20},
          {"aten::cross_entropy_loss", 110, 7},
          {node("NllLoss"), 130, 2},
          {node("LogSoftmax"), 135, 3},
          {node("Addmm"), 140, 40},
          {"autograd::engine::evaluate_function: torch::autograd::AccumulateGrad", 185, 1},
          {node("T"), 190, 2},
          {node("Relu"), 200, 6},
          {node("View"), 210, 4},  // before dense1's own node: counts to it
          {node("Addmm"), 220, 90},
          {"aten::clamp", 320, 11},  // clipping
          {"Optimizer.step#SGD.step", 340, 100},
          {"aten::item", 450, 60}};  // a metric: left out
}

TEST_CASE("A trace of PyTorch without Kineto becomes a profile of every layer") {
  const LayerGraph graph = load_network("lenet5");
  Problems problems;
  const StepProfile profile = import_trace(real_trace, graph, {4, 1}, problems);
  check_profile(profile, graph, real_trace, problems);
  problems.throw_if_any();
  CHECK(profile.notes ==
        std::vector<std::string>{
            "imported from the PyTorch trace lenet5-without-kineto.json: times of the host's operators",
            "each row: median, 10th and 90th percentile of 2 steps"});
  CHECK(profile.rows.size() == 2 * 13 + 5);
  const ProfileRow first = row_of(profile, "conv1", Pass::forward);  // 82 and 74 us
  CHECK(first.batch == 4);
  CHECK(first.threads == 1);
  CHECK(first.seconds == Approx(78e-6));
  CHECK(first.seconds_low == Approx(74.8e-6));
  CHECK(first.seconds_high == Approx(81.2e-6));
  CHECK(first.flops == 4 * 2.0 * 28 * 28 * 6 * 25);
  CHECK(first.achieved_GFLOPS == Approx(first.flops / 78e-6 / giga));
  CHECK(microseconds(profile, "flatten", Pass::forward) == Approx((14 + 6) / 2.0));
  CHECK(microseconds(profile, "loss", Pass::forward) == Approx((32 + 7 + 17 + 6) / 2.0));
  CHECK(microseconds(profile, "loss", Pass::backward) == Approx((9 + 6 + 8 + 5) / 2.0));
  CHECK(microseconds(profile, "dense1", Pass::backward) == Approx((66 + 1 + 1 + 9 + 112 + 2 + 1 + 8) / 2.0));
  // zero_grad, step and what lies before it: 90 and 92 us, by 48,120 of 61,706 parameters.
  CHECK(microseconds(profile, "dense1", Pass::optimizer) == Approx(91.0 * 48120 / 61706));
}

TEST_CASE("Operators count to their layer, and what lies between layers to the one that follows") {
  const StepProfile profile = import_sound(plain_trace(sound_step()), small_perceptron());
  CHECK(microseconds(profile, "dense1", Pass::forward) == Approx(53));
  CHECK(microseconds(profile, "relu", Pass::forward) == Approx(5));
  CHECK(microseconds(profile, "dense2", Pass::forward) == Approx(20));
  CHECK(microseconds(profile, "loss", Pass::forward) == Approx(7));
  CHECK(microseconds(profile, "loss", Pass::backward) == Approx(5));
  CHECK(microseconds(profile, "dense2", Pass::backward) == Approx(43));
  CHECK(microseconds(profile, "relu", Pass::backward) == Approx(6));
  CHECK(microseconds(profile, "dense1", Pass::backward) == Approx(94));
  CHECK(microseconds(profile, "dense1", Pass::optimizer) == Approx(111.0 * 500500 / 505510));
  CHECK(microseconds(profile, "dense2", Pass::optimizer) == Approx(111.0 * 5010 / 505510));
  CHECK(profile.rows.size() == 4 * 2 + 2);
}

TEST_CASE("A gzipped trace reads as it does unpacked, and a damaged one is refused") {
  const DataFolder folder("kineto");
  const std::string text = plain_trace(sound_step());
  const auto import = [&](const std::string& name) {
    Problems problems;
    StepProfile profile = import_trace(folder.path() / name, small_perceptron(), {8, 2}, problems);
    return std::pair(to_csv(profile), problems.empty() ? std::string{} : problems.all().front().what);
  };
  folder.write("t.json", text);
  folder.write_gzipped("packed", text, 0);
  const std::string plain = import("t.json").first, packed = import("packed").first;
  CHECK(plain.find("dense1") != std::string::npos);
  CHECK(packed.substr(packed.find('\n')) == plain.substr(plain.find('\n')));  // the first line names the file
  folder.write_gzipped("cut", text, 20);
  CHECK(import("cut").second.find("cannot be read beyond byte ") == 0);
  CHECK(import("missing").second == "cannot be opened");
}

TEST_CASE("Frozen layers have no rows that nobody makes") {
  LayerGraph graph = small_perceptron();
  graph.layers[0].frozen = true;
  std::vector<Event> events = sound_step();
  events.erase(events.begin() + 12, events.begin() + 15);  // relu's and dense1's backward nodes
  const StepProfile profile = import_sound(plain_trace(events), graph);
  CHECK(profile.rows.size() == 4 + 2 + 1);
  CHECK(microseconds(profile, "dense2", Pass::optimizer) == Approx(111));
}

LayerGraph small_attention() {
  return small_network(network_text("[6, 1, 8]", "8",
                                    "{ name = \"in\", kind = \"dense\", units = 8 },\n"
                                    "{ name = \"qkv\", kind = \"dense\", units = 24 },\n"
                                    "{ name = \"attention\", kind = \"attention\", heads = 2 },\n"
                                    "{ name = \"out\", kind = \"dense\", units = 8 },\n"
                                    "{ name = \"add\", kind = \"residual_add\", skip = \"in\" },\n"
                                    "{ name = \"loss\", kind = \"mean_squared_error\" },\n"));
}

TEST_CASE("Attention is all that lies between the layers before and after it, its additions included") {
  const StepProfile profile =
      import_sound(plain_trace({{"ProfilerStep#1", 0, 1000}, {"aten::linear", 10, 5},
                                {"aten::linear", 20, 15},    {"aten::transpose", 40, 1},
                                {"aten::bmm", 50, 20},       {"aten::add", 80, 3},  // the mask
                                {"aten::softmax", 90, 7},    {"aten::bmm", 100, 20},
                                {"aten::reshape", 130, 4},   {"aten::linear", 140, 6},
                                {"aten::add", 150, 2},       {"aten::mse_loss", 160, 1},
                                {node("MseLoss"), 200, 1},   {node("Add"), 210, 1},
                                {node("View"), 220, 2},      {node("Addmm"), 230, 12},
                                {node("T"), 250, 1},         {node("UnsafeView"), 260, 3},
                                {node("Bmm"), 270, 40},      {node("Softmax"), 320, 9},
                                {node("Add"), 330, 5},       {node("Bmm"), 340, 40},
                                {node("Transpose"), 390, 8}, {node("Addmm"), 400, 30},
                                {node("Addmm"), 440, 10},    {"Optimizer.step#Adam.step", 500, 9}}),
                   small_attention());
  CHECK(microseconds(profile, "in", Pass::forward) == Approx(5));
  CHECK(microseconds(profile, "qkv", Pass::forward) == Approx(15));
  CHECK(microseconds(profile, "attention", Pass::forward) == Approx(1 + 20 + 3 + 7 + 20 + 4));
  CHECK(microseconds(profile, "out", Pass::forward) == Approx(6));
  CHECK(microseconds(profile, "add", Pass::forward) == Approx(2));
  CHECK(microseconds(profile, "out", Pass::backward) == Approx(2 + 12 + 1));
  CHECK(microseconds(profile, "attention", Pass::backward) == Approx(3 + 40 + 9 + 5 + 40 + 8));
  CHECK(microseconds(profile, "qkv", Pass::backward) == Approx(30));
  CHECK(microseconds(profile, "in", Pass::backward) == Approx(10));
}

/// Two layers as Kineto writes them: categories, numbers that tie operators together, times with fractions; the
/// backward pass on a thread of its own and, so that only the numbers can tell, in an order that no walk would accept.
std::string kineto_trace(const std::string& more = {}) {
  return R"({"schemaVersion": 1, "deviceProperties": [{"id": 0, "name": "Model T"}], "traceEvents": [
{"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#3", "pid": 9, "tid": 9, "ts": 1000.0, "dur": 500.0},
{"ph": "X", "cat": "python_function", "name": "nn.Module: Net::forward", "pid": 9, "tid": 9, "ts": 1001, "dur": 400},
{"ph": "X", "cat": "user_annotation", "name": "my own::note", "pid": 9, "tid": 9, "ts": 1001.5, "dur": 300},
{"ph": "X", "cat": "cpu_op", "name": "aten::linear", "pid": 9, "tid": 9, "ts": 1002.25, "dur": 20.5, "args": {"External id": 11, "Sequence number": 4}},
{"ph": "X", "cat": "cpu_op", "name": "aten::addmm", "pid": 9, "tid": 9, "ts": 1005.5, "dur": 10, "args": {"External id": 12, "Sequence number": 5}},
{"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 9, "tid": 9, "ts": 1006, "dur": 5, "args": {"External id": 12}},
{"ph": "X", "cat": "cpu_op", "name": "aten::mse_loss", "pid": 9, "tid": 9, "ts": 1030, "dur": 4, "args": {"External id": 13, "Sequence number": 6}},
{"ph": "s", "id": 5, "cat": "fwdbwd", "name": "fwdbwd", "pid": 9, "tid": 9, "ts": 1005.5},
{"ph": "X", "cat": "cpu_op", "name": "autograd::engine::evaluate_function: AddmmBackward0", "pid": 9, "tid": 10, "ts": 1100, "dur": 31, "args": {"External id": 21, "Sequence number": 5, "Fwd thread id": 1}},
{"ph": "X", "cat": "cpu_op", "name": "AddmmBackward0", "pid": 9, "tid": 10, "ts": 1101, "dur": 25, "args": {"External id": 22, "Sequence number": 5}},
{"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 9, "tid": 10, "ts": 1102, "dur": 20, "args": {"External id": 23}},
{"ph": "X", "cat": "cpu_op", "name": "autograd::engine::evaluate_function: torch::autograd::AccumulateGrad", "pid": 9, "tid": 10, "ts": 1135, "dur": 2, "args": {"External id": 24}},
{"ph": "X", "cat": "cpu_op", "name": "autograd::engine::evaluate_function: MseLossBackward0", "pid": 9, "tid": 10, "ts": 1140, "dur": 3, "args": {"External id": 25, "Sequence number": 6}},
{"ph": "X", "cat": "user_annotation", "name": "Optimizer.step#SGD.step", "pid": 9, "tid": 9, "ts": 1200, "dur": 40, "args": {"External id": 31}},
{"ph": "X", "cat": "cpu_op", "name": "aten::_foreach_add_", "pid": 9, "tid": 9, "ts": 1210, "dur": 20, "args": {"External id": 32}})" +
         more + "\n]}\n";
}

LayerGraph one_dense() {
  return small_network(network_text("[1, 1, 10]", "4",
                                    "{ name = \"dense\", kind = \"dense\", units = 4 },\n"
                                    "{ name = \"loss\", kind = \"mean_squared_error\" },\n"));
}

TEST_CASE("A trace of Kineto is tied together by its sequence numbers") {
  const StepProfile profile = import_sound(kineto_trace(), one_dense());
  CHECK(microseconds(profile, "dense", Pass::forward) == Approx(20.5));
  CHECK(microseconds(profile, "loss", Pass::forward) == Approx(4));
  CHECK(microseconds(profile, "dense", Pass::backward) == Approx(31 + 2));
  CHECK(microseconds(profile, "loss", Pass::backward) == Approx(3));
  CHECK(microseconds(profile, "dense", Pass::optimizer) == Approx(40));
  CHECK(profile.notes.back() == "machine: Model T");
}

TEST_CASE("Where there are kernels, their times count instead of the host's") {
  const StepProfile profile = import_sound(kineto_trace(R"(,
{"ph": "X", "cat": "kernel", "name": "void at::gemm<float>", "pid": 0, "tid": 7, "ts": 1300, "dur": 6.5, "args": {"External id": 12}},
{"ph": "X", "cat": "kernel", "name": "void at::bias<float>", "pid": 0, "tid": 7, "ts": 1307, "dur": 1.25, "args": {"External id": 11}},
{"ph": "X", "cat": "gpu_memcpy", "name": "Memcpy HtoD", "pid": 0, "tid": 7, "ts": 1310, "dur": 50, "args": {"External id": 11}},
{"ph": "X", "cat": "kernel", "name": "mse", "pid": 0, "tid": 7, "ts": 1320, "dur": 2, "args": {"External id": 13}},
{"ph": "X", "cat": "kernel", "name": "gemm2", "pid": 0, "tid": 7, "ts": 1330, "dur": 8, "args": {"External id": 23}},
{"ph": "X", "cat": "kernel", "name": "gemm3", "pid": 0, "tid": 8, "ts": 1330, "dur": 9, "args": {"External id": 23}},
{"ph": "X", "cat": "kernel", "name": "mse2", "pid": 0, "tid": 7, "ts": 1350, "dur": 1, "args": {"External id": 25}},
{"ph": "X", "cat": "kernel", "name": "sgd", "pid": 0, "tid": 7, "ts": 1360, "dur": 3, "args": {"External id": 32}})"),
                                           one_dense());
  CHECK(microseconds(profile, "dense", Pass::forward) == Approx(7.75));
  CHECK(microseconds(profile, "loss", Pass::forward) == Approx(2));
  CHECK(microseconds(profile, "dense", Pass::backward) == Approx(17));
  CHECK(microseconds(profile, "loss", Pass::backward) == Approx(1));
  CHECK(microseconds(profile, "dense", Pass::optimizer) == Approx(3));
  CHECK(profile.notes.front() == "imported from the PyTorch trace t.json: times of the kernels on the accelerator");
}

TEST_CASE("A trace of another network is refused with the layer, the operator and its time") {
  const std::string advice = " - give the network that was traced, its layers executed in their order";
  std::vector<Event> events = sound_step();
  events[4].name = "aten::tanh";
  CHECK(problems_of_trace(plain_trace(events)) ==
        "t.json: ProfilerStep#7 does not fit network \"small\" (aten::tanh at 70 us is found where layer \"relu\" "
        "(relu) should come)" +
            advice);
  events = sound_step();
  events.erase(events.begin() + 6);
  CHECK(problems_of_trace(plain_trace(events)) ==
        "t.json: ProfilerStep#7 does not fit network \"small\" (the forward pass ends where layer \"loss\" "
        "(softmax_cross_entropy) should come)" +
            advice);
  events = sound_step();
  events[12].name = node("Tanh");
  CHECK(problems_of_trace(plain_trace(events)) ==
        "t.json: ProfilerStep#7 does not fit network \"small\" (TanhBackward0 at 200 us is found where layer \"relu\" "
        "(relu) should come)" +
            advice);
  events = sound_step();
  events.push_back({"aten::linear", 205, 1});  // ends after it begins: within relu's node
  events.push_back({"aten::linear", 215, 2});  // between nodes: a second forward pass
  CHECK(problems_of_trace(plain_trace(events)) ==
        "t.json: ProfilerStep#7 does not fit network \"small\" (aten::linear at 215 us is found in the backward pass: "
        "a step must be one forward pass, one backward pass and one update)" +
            advice);
}

TEST_CASE("A trace that cannot be used says why, and how to record one") {
  const std::string how = " - record it with torch.profiler and export_chrome_trace()";
  const std::string record =
      " - trace with torch.profiler.profile(schedule=torch.profiler.schedule(wait=1, warmup=1, active=10)), call its "
      "step() after every training step, and export_chrome_trace()";
  const std::string whole = plain_trace(sound_step());
  CHECK(problems_of_trace(whole.substr(0, 200)) ==
        "t.json: is no JSON at byte 200 of 200 (it ends in the middle: it was cut short)" + how);
  CHECK(problems_of_trace("[1, 2; 3]") ==
        "t.json: is no JSON at byte 6 of 9 (what stands there does not fit what precedes it)" + how);
  CHECK(problems_of_trace("{\"events\": 3}") ==
        "t.json: is no trace (a list of events, or an object with the list \"traceEvents\", is wanted)" + how);
  CHECK(problems_of_trace(R"([{"ph": "X", "name": "aten::linear", "ts": "soon", "dur": 1}])") ==
        "t.json: event 0 (aten::linear) has no number \"ts\" (its time in microseconds is wanted)" + how);
  CHECK(problems_of_trace("[]") == "t.json: has no ProfilerStep (it marks where a step begins and ends)" + record);
  std::vector<Event> events = sound_step();
  events.resize(15);
  CHECK(problems_of_trace(plain_trace(events)) ==
        "t.json: ProfilerStep#7 has no Optimizer.step (a step is a forward pass, a backward pass and an update)" +
            record);
  events.resize(7);
  CHECK(problems_of_trace(plain_trace(events)) ==
        "t.json: ProfilerStep#7 has no backward pass (a step is a forward pass, a backward pass and an update)" +
            record);
}

}  // namespace
}  // namespace orrery
