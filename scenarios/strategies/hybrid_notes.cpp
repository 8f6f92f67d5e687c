#include "scenarios/strategies/hybrid_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "models/layouts/group_place.hpp"
#include "models/layouts/replica_places.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"
#include "sim/engine/fold.hpp"

namespace orrery {
namespace {

double milliseconds(Seconds time) {
  return time.value() * kilo;
}

std::string stage_note(std::size_t index, const StagePrice& stage) {
  Seconds forward, backward, tensor, context, expert, late;
  for (const ChunkPrice& chunk : stage.chunks) {
    forward += chunk.forward;
    backward += chunk.backward_input + chunk.backward_weights + chunk.recompute;
    tensor += chunk.tensor_forward + chunk.tensor_backward + chunk.tensor_recompute;
    context += chunk.context_forward + chunk.context_backward;
    expert += chunk.expert_forward + chunk.expert_backward;
    late += chunk.late + chunk.late_back;
  }
  std::string text = fmt::format("stage {}{}{}{}{}: {:.4g} ms forward and {:.4g} ms backward per micro-batch", index,
                                 stage.devices.empty() ? "" : " on ", stage.devices, stage.layers.empty() ? "" : ", ",
                                 stage.layers, milliseconds(forward), milliseconds(backward));
  for (const auto& [name, time] : {std::pair{"tp", tensor}, {"cp", context}, {"ep", expert}}) {
    if (time > Seconds()) text += fmt::format(", {:.4g} ms of {} exchanges beside", milliseconds(time), name);
  }
  if (late > Seconds()) text += fmt::format(", {:.4g} ms of waiting for the host", milliseconds(late));
  return text + fmt::format("; optimizer {:.4g} ms", milliseconds(stage.optimizer));
}

void add_stages(const LayoutPrices& prices, std::vector<std::string>& notes) {
  const auto add = [&](const std::vector<StagePrice>& stages) {
    for (std::size_t i = 0; i < stages.size(); ++i) notes.push_back(stage_note(i, stages[i]));
  };
  if (prices.kinds.empty()) add(prices.stages);
  for (const ReplicaKind& kind : prices.kinds) add(kind.stages);
}

/// Who stands on what, and how the batch is shared out over devices of several kinds.
void add_kinds(const ClusterDescription& cluster, const Layout& layout, const LayoutPrices& prices,
               std::vector<std::string>& notes) {
  if (prices.kinds.empty()) return;
  notes.push_back("devices in the order of the cluster's groups: " + cluster.text());
  for (std::size_t kind = 0; kind < prices.kinds.size(); ++kind) {
    std::int64_t replicas = 0, least = 0, most = 0;
    for (std::size_t i = 0; i < prices.kind_of_replica.size(); ++i) {
      if (prices.kind_of_replica[i] != kind) continue;
      const std::int64_t count = prices.microbatches_of_replica[i];
      least = replicas == 0 ? count : std::min(least, count), most = std::max(most, count);
      ++replicas;
    }
    const std::string counts = least == most ? fmt::format("{}", most) : fmt::format("{} or {}", least, most);
    notes.push_back(fmt::format("{} on {}: {} micro-batch{} each", human_count(replicas, "replica"),
                                prices.kinds[kind].devices, counts, most == 1 ? "" : "es"));
  }
  notes.emplace_back(
      layout.balance == Balance::equal
          ? "balance equal: the same number of micro-batches and of layers everywhere, the fast ones wait"
          : "balance speed: micro-batches and layers so that the slowest is done as early as it can be; a "
            "replica adds up the gradients of its own samples, the exchange those of all, over the whole "
            "batch: the mathematics of the step stays");
}

std::string parts_note(const StepPrediction& prediction) {
  const StepParts& parts = prediction.parts;
  std::string text = fmt::format("closed form: step {:.4g} s =", prediction.time().value());
  const std::pair<const char*, Seconds> all[] = {{"compute", parts.compute},
                                                 {"recompute", parts.recompute},
                                                 {"optimizer", parts.optimizer},
                                                 {"gaps", parts.gaps},
                                                 {"exposed dp", parts.exposed_dp},
                                                 {"exposed tp", parts.exposed_tp},
                                                 {"exposed pp", parts.exposed_pp},
                                                 {"exposed cp", parts.exposed_cp},
                                                 {"exposed ep", parts.exposed_ep},
                                                 {"exposed outer", parts.exposed_outer},
                                                 {"bubble", parts.bubble},
                                                 {"stragglers", parts.straggler},
                                                 {"input", parts.input}};
  const char* sign = " ";
  for (const auto& [name, time] : all) {
    if (time <= Seconds()) continue;
    text += fmt::format("{}{} {:.4g}", sign, name, time.value());
    sign = " + ";
  }
  return text;
}

/// What a run has and the closed form has not, and what both have that may surprise.
void add_cautions(const HybridOptions& options, const ClusterDescription& cluster, std::vector<std::string>& notes) {
  if (const std::string left_out = left_out_of_closed_form(options); !left_out.empty()) notes.push_back(left_out);
  const Layout& layout = options.layout;
  const std::int64_t in_last = layout.devices() % cluster.devices_per_node;
  const GroupPlace replicas = place_of(layout, Dimension::dp, cluster.joined_devices());
  const double devices_per_nic = static_cast<double>(cluster.devices_per_node) / cluster.nics_per_node;
  if (in_last > 0 && crowding(CollectiveKind::all_reduce, replicas, devices_per_nic) > 1) {
    notes.push_back(
        fmt::format("the last node holds {} ranks, the others {}: groups over both go at the pace of its few NICs",
                    in_last, cluster.devices_per_node));
  }
}

/// Where messages go forward alone.
std::string one_way_note(const LayoutPrices& prices) {
  std::int64_t chunks = 0;
  for (const StagePrice& stage : prices.stages) {
    chunks += std::count_if(stage.chunks.begin(), stage.chunks.end(),
                            [](const ChunkPrice& chunk) { return chunk.returned <= 0; });
  }
  if (chunks == 0) return {};
  return fmt::format("; no gradients come back to the first {}: nothing trains there", human_count(chunks, "chunk"));
}

/// Contract: there is an exchange.
std::string exchange_note(const Layout& layout, const LayoutPrices& prices) {
  const LibraryCost& exchange = prices.gradient_exchange;
  const std::string_view block = layout.zero_stage == 3 ? " of a block" : "";
  const std::string when = exchanges_with_microbatches(layout)
                               ? fmt::format("{} with every micro-batch, as zero_stage {} holds a shard of them alone",
                                             block, layout.zero_stage)
                               : "";
  return fmt::format(
      "exchange of gradients{} ({}): {:.4g} ms of overhead + {:.4g} ms of wire, {:.3g} GB/s of bus bandwidth; of all "
      "exchanges of states in a step {:.4g} ms show",
      when, name_of(exchange.algorithm), milliseconds(exchange.overhead), milliseconds(exchange.wire),
      exchange_bus_bandwidth(layout, prices).value() / giga, milliseconds(prices.gradient_exposed));
}

std::string islands_note(const HybridOptions& options, const LayoutPrices& prices) {
  const Layout& layout = options.layout;
  const OuterSteps& outer = layout.outer;
  WireBytes most;
  for (const StagePrice& stage : prices.stages) {
    if (stage.outer.sent().total() > most.total()) most = stage.outer.sent();
  }
  const double steps = outer.every;
  // The program has a part of the exchange in its one step, where they meet.
  const std::string jitter =
      options.jitter > 0 && outer.every > 1
          ? fmt::format(
                ". Islands wait here for the slowest of them in every step, in truth once in {}: what jitter costs "
                "is too much",
                outer.every)
          : "";
  return fmt::format(
      "outer steps (DiLoCo, Douillard et al. 2023): {} islands of {} replicas sum gradients inside; every {} steps all "
      "sum how far their parameters moved ({}): {:.4g} ms, in which a rank sends {:.4g} MB to the network and {:.4g} "
      "MB inside its node; the mean step has {:.4g} ms and {:.4g} MB of it, nothing hidden. The outer update is part "
      "of the optimizer, shared parameters and momentum (8 bytes per parameter) of its state. What this does to "
      "learning is not simulated: steps to a target differ from synchronous training (kind = \"local-sgd\" learns "
      "so){}",
      outer.islands, replicas_in_step(layout), outer.every, name_of(outer.format),
      milliseconds(prices.outer.time()) * steps, most.network.value() * steps / mega, most.node.value() * steps / mega,
      milliseconds(prices.outer.time()), most.total().value() / mega, jitter);
}

std::string memory_note(const LayoutMemory& memory) {
  const auto gib = [](Bytes bytes) { return bytes.value() / gibi; };
  return fmt::format(
      "memory of the fullest device: weights {:.3g} + gradients {:.3g} + optimizer {:.3g} + activations {:.3g} + "
      "working "
      "{:.3g} + reserve {:.3g} = {:.3g} GiB",
      gib(memory.states.weights), gib(memory.states.gradients), gib(memory.states.optimizer),
      gib(memory.states.activations), gib(memory.working), gib(memory.reserve), gib(memory.peak()));
}

}  // namespace

std::string left_out_of_closed_form(const HybridOptions& options) {
  if (!options.straggler && options.jitter <= 0) return {};
  return "the closed form leaves straggler and jitter out; a run with the flow engine has them";
}

std::vector<std::string> hybrid_notes(const LayoutJudge& judge, const HybridOptions& options,
                                      const StepPrediction& prediction, const LayoutPrices& prices,
                                      const HybridPlatform& platform) {
  const TrainingJob& job = judge.job();
  std::vector<std::string> notes = {fmt::format("layout {}: {}, {} micro-batch{} per replica", to_text(options.layout),
                                                human_count(options.layout.devices(), "device"),
                                                prediction.microbatches, prediction.microbatches == 1 ? "" : "es")};
  add_kinds(job.cluster, options.layout, prices, notes);
  add_stages(prices, notes);
  if (options.layout.pp > 1) {
    notes.push_back(fmt::format(
        "a message between stages: {:.4g} ms, {}{}", milliseconds(std::ranges::max(prices.transfers)),
        job.framework.blocking_transfers.value > 0.5 ? "and the stage waits for it" : "hidden", one_way_note(prices)));
  }
  if (prices.gradient_exchange.total() > Seconds()) notes.push_back(exchange_note(options.layout, prices));
  if (options.layout.outer.islands > 1) notes.push_back(islands_note(options, prices));
  notes.push_back(parts_note(prediction));
  add_cautions(options, job.cluster, notes);
  notes.push_back(memory_note(prediction.memory));
  notes.push_back(platform.ranks.note());
  notes.insert(notes.end(), platform.notes.begin(), platform.notes.end());
  notes.emplace_back(folding_rule());
  return notes;
}

}  // namespace orrery
