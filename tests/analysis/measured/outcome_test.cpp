// Predictions of published metrics: what they have to do with each other, and the file they are written to.
#include <algorithm>
#include <cmath>

#include "analysis/validation/measured/counted_flops.hpp"
#include "analysis/validation/measured/outcome.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const ValidationTables& tables() {
  static const ValidationTables read = read_validation_tables();
  return read;
}

constexpr const char* header =
    "id,metric,value,unit,model,layers,hidden,heads,vocab,seq_len,global_batch,micro_batch,precision,recompute,device,"
    "devices,"
    "devices_per_node,intra_link,inter_link,tp,pp,dp,seq_parallel,year,notes\n";
/// The smallest of the weak scaling rows of Megatron-LM 2020: one A100.
constexpr const char* one_device = "GPT,24,1920,15,51200,1024,16,16,fp16,full,A100-40GB-SXM,1,8,,,1,1,1,,2020,";

std::vector<MeasuredRow> rows_of(const std::string& text) {
  Problems problems;
  auto rows = parse_measured_rows(text, "rows.csv", problems);
  problems.throw_if_any();
  return rows;
}

/// Predictions of metrics of the same run.
std::vector<double> predicted(const std::vector<std::string>& metrics, const std::string& cells) {
  std::string text = header;
  for (std::size_t at = 0; at < metrics.size(); ++at) {
    text += "A-T-" + std::to_string(at) + "," + metrics[at] + "," + cells + "\n";
  }
  const auto rows = rows_of(text);
  std::vector<double> values;
  for (const RowOutcome& outcome : predict_rows(rows, tables())) {
    INFO(outcome.row->metric << ": " << outcome.reason);
    REQUIRE(outcome.predicted.has_value());
    CHECK(outcome.predicted->low < outcome.predicted->value);
    CHECK(outcome.predicted->value < outcome.predicted->high);
    values.push_back(outcome.predicted->value);
  }
  return values;
}

std::string reason_of(const std::string& line) {
  const auto rows =
      rows_of("id,metric,value,unit,model,device,devices,devices_per_node,intra_link,inter_link,notes,pp\nX-Y-1," +
              line + "\n");
  const auto outcomes = predict_rows(rows, tables());
  return outcomes.at(0).predicted ? "predicted" : outcomes.at(0).reason;
}

}  // namespace

TEST_CASE("rates, times and utilisations of one run are one prediction in many units") {
  const auto value = predicted(
      {"iteration_time,1076,ms", "iteration_time,1,s", "throughput,1,tokens/s", "throughput,1,sequences/s",
       "throughput_per_gpu,1,tokens/s/GPU", "tflops_per_gpu_hw,149.8,TFLOP/s", "tflops_per_gpu_model,1,TFLOP/s",
       "aggregate_pflops_hw,1,PFLOP/s", "pct_peak,44,%", "mfu,30,%", "hfu,40,%"},
      one_device);
  const double seconds = value[1];
  CHECK(value[0] == Approx(seconds * 1000));
  CHECK(value[2] == Approx(16 * 1024 / seconds));
  CHECK(value[3] == Approx(16 / seconds));
  CHECK(value[4] == Approx(value[2]));
  // 96 B s l h^2 (1 + s / 6h + V / 16 l h): Narayanan et al. 2021, equation 3
  const double B = 16, s = 1024, l = 24, h = 1920, V = 51200;
  const double hardware = 96 * B * s * l * h * h * (1 + s / (6 * h) + V / (16 * l * h));
  const double model = 72 * B * s * l * h * h * (1 + s / (6 * h) + V / (12 * l * h));
  CHECK(value[5] == Approx(hardware / seconds / 1e12));
  CHECK(value[6] == Approx(model / seconds / 1e12));
  CHECK(value[7] == Approx(hardware / seconds / 1e15));
  CHECK(value[8] == Approx(100 * hardware / seconds / 312e12));
  CHECK(value[9] == Approx(100 * model / seconds / 312e12));
  CHECK(value[10] == Approx(value[8]));
  CHECK(seconds == Approx(1.076).epsilon(0.08));  // what was measured
}

TEST_CASE("FLOPs as sources count them") {
  TransformerShape shape;
  shape.layers = 2;
  shape.hidden = 8;
  shape.heads = 2;
  shape.vocabulary = 100;
  shape.tokens = 4;
  const CountedFlops flops = counted_flops(transformer_graph(shape));
  CHECK(flops.body == 2.0 * 4 * 2 * 12 * 64);     // 2 per multiplication, tokens, layers, 12 h^2
  CHECK(flops.attention == 2.0 * 4 * 4 * 4 * 8);  // layers, 4 s^2 h
  CHECK(flops.head == 2.0 * 4 * 8 * 100);
  const double all = flops.body + flops.attention + flops.head;
  CHECK(model_flops(flops, FlopConvention::full, 5) == Approx(15 * all));
  CHECK(model_flops(flops, FlopConvention::causal, 5) == Approx(15 * (all - flops.attention / 2)));
  CHECK(model_flops(flops, FlopConvention::leading_term, 5) == Approx(15 * flops.body));
  CHECK(hardware_flops(flops, FlopConvention::full, Recompute::none, 5) == Approx(15 * all));
  CHECK(hardware_flops(flops, FlopConvention::full, Recompute::selective, 5) == Approx(15 * all + 5 * flops.attention));
  CHECK(hardware_flops(flops, FlopConvention::full, Recompute::full, 5) ==
        Approx(15 * all + 5 * (flops.body + flops.attention)));
  CHECK(hardware_flops(flops, FlopConvention::leading_term, Recompute::full, 5) == Approx(20 * flops.body));
}

TEST_CASE("memory of Korthikanti et al. 2022 by their own formulas") {
  const std::string cells = "GPT 22B,48,6144,64,51200,2048,4,4,fp16,selective,A100-80GB-SXM,8,8,,,8,1,1,yes,2022,";
  const auto value = predicted({"memory_params_optimizer,45.56,GiB", "memory_activations,9.56,GiB",
                                "activation_memory_rel_to_no_recompute,16.18,%"},
                               cells);
  const double h = 6144, s = 2048, b = 4, L = 48, t = 8, a = 64, gib = 1024.0 * 1024 * 1024;
  CHECK(value[0] == Approx(18 * 12 * h * h * L / t / gib).epsilon(0.01));
  const double selective = 34 / t, none = 10 + 24 / t + 5 * a * s / h / t;  // per s b h and layer
  CHECK(value[1] == Approx(s * b * h * L * selective / gib).epsilon(0.01));
  CHECK(value[2] == Approx(100 * selective / none).epsilon(0.01));
}

TEST_CASE("memory that a source calls allocated has no context and no blocks that the allocator keeps") {
  const std::string columns = "id,metric,value,unit,model,device,devices,global_batch,zero_stage,year,notes\n";
  const std::string cells = ",peak_memory,20,GiB,Llama 3 8B,H100,8,8,FSDP,2024,";
  const auto outcomes =
      predict_rows(rows_of(columns + "A-T-1" + cells + "max reserved\nA-T-2" + cells + "max allocated\n"), tables());
  // The reserve of pytorch-fsdp.
  CHECK(outcomes[0].predicted->value - outcomes[1].predicted->value == Approx(1.5));
}

TEST_CASE("collectives: time, bus and algorithm bandwidth of one exchange") {
  const auto rows = rows_of(
      "id,metric,value,unit,model,device,devices,devices_per_node,intra_link\n"
      "C-T-1,time,8193,us,all_reduce 1 GiB,A100,8,8,NVLink3+NVSwitch 600GB/s\n"
      "C-T-2,busbw,229,GB/s,all_reduce 1 GiB,A100,8,8,NVLink3+NVSwitch 600GB/s\n"
      "C-T-3,algbw,1048,Gb/s,all_reduce 1 GiB,A100,8,8,NVLink3+NVSwitch 600GB/s\n"
      "C-T-4,busbw,229,GB/s,all_gather 1 GiB,A100,8,8,NVLink3+NVSwitch 600GB/s\n");
  const auto outcomes = predict_rows(rows, tables());
  const double bytes = 1024.0 * 1024 * 1024, seconds = outcomes[0].predicted->value * 1e-6;
  CHECK(outcomes[0].predicted->value == Approx(8283).epsilon(0.01));
  CHECK(outcomes[1].predicted->value == Approx(bytes * 2 * 7 / 8 / seconds / 1e9));
  CHECK(outcomes[2].predicted->value == Approx(bytes * 8 / seconds / 1e9));
  CHECK(outcomes[3].predicted->value > 0.9 * outcomes[1].predicted->value);
}

TEST_CASE("a matrix product by the text of its row, a pipeline's speed-up by its formula") {
  const auto rows = rows_of(
      "id,metric,value,unit,model,device,pp,notes\n"
      "C-T-1,gemm_tflops,253.7,TFLOP/s,GEMM m8192 n8192 k8192,A100-40GB-SXM fp16,,\n"
      "B-T-1,speedup_vs_K2_M1,6.3,x,Transformer-48,TPUv3,8,32 micro-batches\n"
      "B-T-2,speedup_vs_K2,3.3,x,Transformer-24,P100-PCIe,8,32 micro-batches\n");
  const auto outcomes = predict_rows(rows, tables());
  CHECK(outcomes[0].predicted->value == Approx(253).epsilon(0.02));
  CHECK(outcomes[1].predicted->value == Approx(8.0 * 32 / 39));
  CHECK(outcomes[2].predicted->value == Approx(8.0 * 32 / 39 / (2.0 * 32 / 33)));
  CHECK(outcomes[1].is_covered());
}

TEST_CASE("power follows the limit, energy the hours") {
  const auto rows = rows_of(
      "id,metric,value,unit,model,device,devices,global_batch,micro_batch,notes\n"
      "D-T-1,avg_gpu_power,144,W,resnet50 on imagenet,V100-32GB-PCIe,1,256,256,power limit 150 W (of 250)\n"
      "D-T-2,energy,36,MWh,LLaMA 7B,A100-80GB-SXM,,,,82432 GPU-h x 400 W x PUE 1.1 (not metered)\n"
      "D-T-3,max_node_power,8.4,kW,ResNet,H100-80GB-SXM,8,,,\n");
  const auto outcomes = predict_rows(rows, tables());
  CHECK(outcomes[0].predicted->value == Approx(150).epsilon(0.02));
  const double training = tables().catalogue.device("a100-sxm-80")->typical.value();
  CHECK(outcomes[1].predicted->value == Approx(82432 * training * 1.1 / 1e6));
  CHECK(outcomes[1].predicted->high == Approx(82432 * 400 * 1.1 / 1e6));
  CHECK(outcomes[2].predicted->value == Approx(tables().catalogue.system("dgx-h100")->node_training.value() / 1000));
}

TEST_CASE("a device that waits for its host draws little more than idle, and an epoch takes its steps") {
  const auto rows = rows_of(
      "id,metric,value,unit,model,device,devices,global_batch,micro_batch,notes\n"
      "D-T-1,avg_gpu_power,38,W,ncf on movielens-1m,V100-32GB-PCIe,1,64,64,optimizer adam\n"
      "D-T-2,time_per_epoch,262,s,ncf on movielens-1m,V100-32GB-PCIe,1,64,64,optimizer adam\n"
      "D-T-3,time_per_epoch,524,s,ncf on movielens-1m,V100-32GB-PCIe,1,32,32,optimizer adam\n"
      "D-T-4,time_per_epoch,1,s,bert_base on squad,V100-32GB-PCIe,1,32,32,optimizer adam\n");
  const auto outcomes = predict_rows(rows, tables());
  const double idle = tables().catalogue.device("v100-pcie-32")->idle.value();
  CHECK(outcomes[0].predicted->value > idle);
  CHECK(outcomes[0].predicted->value < 1.4 * idle);
  CHECK(outcomes[0].predicted->low < idle);
  CHECK(outcomes[2].predicted->value == Approx(2 * outcomes[1].predicted->value).epsilon(0.02));
  CHECK(outcomes[3].reason == "missing: samples of an epoch");
}

TEST_CASE("a whole training is its steps, and its device-hours those of every device") {
  const std::string job = "GPT-3 175B,A100-80GB-SXM,1024,8,8,16,1536,1,2048,bf16,full,";
  const auto rows = rows_of(
      "id,metric,value,unit,model,device,devices,tp,pp,dp,global_batch,micro_batch,seq_len,precision,recompute,notes\n"
      "D-T-1,iteration_time,1,s," +
      job + "\n" + "D-T-2,time_to_train,34,days," + job + "300 billion tokens\n" + "D-T-3,gpu_hours,835584,GPU-h," +
      job + "300B tokens\n" + "D-T-4,ideal_training_time,816,h," + job + "146484375 samples\n" +
      "D-T-5,gpu_hours,1,hours," + job + "\n" +
      "D-T-6,energy_dynamic,433196,kWh,BLOOM,A100-80GB-SXM,384,,,,,,,,,\"1,082,990 GPU-h x 0.4 kW TDP\"\n");
  const auto outcomes = predict_rows(rows, tables());
  const double seconds = outcomes[0].predicted->value * 300e9 / 2048 / 1536;
  CHECK(outcomes[1].predicted->value == Approx(seconds / 86400));
  CHECK(outcomes[1].predicted->low < outcomes[1].predicted->value);
  CHECK(outcomes[2].predicted->value == Approx(seconds / 3600 * 1024));
  CHECK(outcomes[3].predicted->value == Approx(seconds / 3600));
  CHECK(outcomes[4].reason == "missing: samples of the whole training, in the notes");
  const double training = tables().catalogue.device("a100-sxm-80")->typical.value();
  CHECK(outcomes[5].predicted->value == Approx(1082990 * training / 1e3));
}

TEST_CASE("what a row leaves open is the fastest that fits, or what needs least memory when nothing fits") {
  const auto reasons = [](const std::string& size, const std::string& batches) {
    const auto rows = rows_of(std::string(header) + "A-T-1,iteration_time,1,s,GPT," + size + ",51200,1024," + batches +
                              ",fp16,,A100-40GB-SXM,1,8,,,1,1,1,,2020,\n");
    return predict_rows(rows, tables()).at(0).reason;
  };
  const std::string small = "4,1024,16", large = "96,12288,96";
  CHECK(has(reasons(small, "16,16"), "recompute none (the fastest that fits)"));
  CHECK(has(reasons(large, "16,16"), "recompute full (needs least memory: nothing fits)"));
  CHECK(has(reasons(small, ","), "one per step (the largest that fits)"));
  CHECK(has(reasons(large, ","), "micro-batch 1, one per step (nothing fits)"));
}

TEST_CASE("a word where a number belongs, or a measurement below nothing, is no row to score") {
  std::string device = one_device;
  device.replace(device.find("SXM,1,") + 4, 1, "abc");
  const auto rows = rows_of(std::string(header) + "A-T-1,iteration_time,1,s," + device +
                            "\nA-T-2,iteration_time,-4.1,s," + one_device + "\n");
  const auto outcomes = predict_rows(rows, tables());
  CHECK(outcomes[0].reason == "devices \"abc\" is no number");
  CHECK(outcomes[1].reason == "measured -4.1: an error is relative to more than nothing");
}

TEST_CASE("rows that cannot be predicted say why") {
  CHECK(reason_of("interruptions_total,466,count,x,H100-80GB-SXM,8,8,,,,") ==
        "metric interruptions_total is not predicted - see `orrery validate --help`");
  CHECK(reason_of("mfuu,40,%,x,H100-80GB-SXM,8,8,,,,") == "metric mfuu is not predicted - did you mean \"mfu\"?");
  CHECK(reason_of("algbw_min,40,Gb/s,x,H100-80GB-SXM,8,8,,,,") == "one end of a fluctuating figure is not predicted");
  CHECK(reason_of("tflops_per_gpu_hw,1,TFLOPS,x,H100-80GB-SXM,8,8,,,,") ==
        "unit \"TFLOPS\" of tflops_per_gpu_hw is unknown - did you mean \"TFLOP/s\"?");
  CHECK(reason_of("step_time,1,fortnights,x,H100-80GB-SXM,8,8,,,,") ==
        "unit \"fortnights\" of step_time is unknown - known: us, ms, s, min, h, hours, days");
  CHECK(reason_of("mfu,40,furlongs,x,H100-80GB-SXM,8,8,,,,") ==
        "unit \"furlongs\" of mfu is unknown - known: %, fraction");
  CHECK(reason_of("busbw,1,GB/s,all_reduce 1 MiB,not named,8,8,NVLink,,,") ==
        "the catalogue has no device \"not named\"");
  CHECK(reason_of("busbw,1,GB/s,all_reduce 1 MiB,A100,,8,,,,") == "missing: devices");
  CHECK(reason_of("busbw,1,GB/s,all_reduce often,A100,8,8,,,,") ==
        "missing: size of \"all_reduce often\", as 64 KiB, 8 MB or 1048576 B");
  CHECK(reason_of("busbw,1,GB/s,all_reduce -5 B,A100,8,8,,,,") ==
        "missing: size of \"all_reduce -5 B\", as 64 KiB, 8 MB or 1048576 B");
  CHECK(reason_of("busbw,1,GB/s,all_reduce 0 B,A100,8,8,,,,") == "\"all_reduce 0 B\" exchanges nothing");
  CHECK(reason_of("busbw,0,GB/s,all_reduce 1 MiB,A100,8,8,,,,") ==
        "measured 0: an error is relative to more than nothing");
  CHECK(reason_of("iteration_time,1,s,unheard of,A100,8,8,,,,") == "model \"unheard of\" is unknown");
  CHECK(reason_of("iteration_time,1,s,Lama 7B,A100,8,8,,,,") ==
        "model \"Lama 7B\" is unknown - did you mean \"llama\"?");
  CHECK(reason_of("busbw,1,GB/s,all_reduce 1 MiB,H10O SXM,8,8,NVLink,,,") ==
        "the catalogue has no device \"H10O SXM\" - did you mean \"h100-sxm\"?");
  CHECK(reason_of("speedup_vs_K2,2,x,AmoebaNet-D,TPUv3,8,8,,,32 micro-batches,8") ==
        "stages of unequal work, of a network that the catalogue does not have");
}

TEST_CASE("the file of predictions: columns, blanks of skipped rows, the same bytes twice") {
  const auto rows = rows_of(
      "id,metric,value,unit,model,device,devices,devices_per_node,intra_link\n"
      "C-T-1,busbw,200,GB/s,all_reduce 1 GiB,A100-80GB-SXM,8,8,NVLink3+NVSwitch 600GB/s\n"
      "E-T-1,mttf,7.9,h,,A100,,,\n");
  const auto outcomes = predict_rows(rows, tables());
  const std::string text = to_csv(outcomes);
  CHECK(text.rfind("id,set,metric,unit,measured,predicted,predicted_low,predicted_high,signed_error,status,reason\n"
                   "C-T-1,C-T,busbw,GB/s,200,",
                   0) == 0);
  CHECK(has(text,
            ",ok,\nE-T-1,E-T,mttf,h,7.9,,,,,skipped,metric mttf is not predicted - see `orrery validate --help`\n"));
  CHECK(outcomes[0].signed_error() == Approx(outcomes[0].predicted->value / 200 - 1));
  CHECK(to_csv(predict_rows(rows, tables())) == text);
}

}  // namespace orrery
