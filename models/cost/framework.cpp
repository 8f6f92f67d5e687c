#include "models/cost/framework.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

namespace {

constexpr auto frameworks_file = "frameworks.csv";
constexpr auto constants_file = "framework_constants.csv";

CsvColumns framework_columns() {
  return {{"id", "base", "title", "source"}, {}};
}

/// A row of frameworks.csv, and where it stands, for problems that are found later.
struct Entry {
  FrameworkProfile profile;
  std::string base;
  CsvRow row;
};

std::vector<std::string> ids_of(const std::vector<Entry>& entries) {
  std::vector<std::string> ids;
  for (const Entry& entry : entries) ids.push_back(entry.profile.id);
  return ids;
}

std::vector<Entry> read_entries(CsvTable& table) {
  std::vector<Entry> entries;
  std::set<std::string> seen;
  for (CsvRow& row : table.rows()) {
    Entry entry{{}, row.text("base"), row};
    entry.profile.id = row.required_text("id");
    entry.profile.title = row.required_text("title");
    entry.profile.source = row.required_text("source");
    const std::string& id = entry.profile.id;
    if (!seen.insert(id).second) {
      row.problem("id", "framework \"" + id + "\" is described twice", "", "remove one of the rows");
    } else if (!id.empty()) {
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

Entry* find(std::vector<Entry>& entries, std::string_view id) {
  const auto same = [id](const Entry& entry) { return entry.profile.id == id; };
  const auto found = std::find_if(entries.begin(), entries.end(), same);
  return found == entries.end() ? nullptr : &*found;
}

/// The framework, its base, the base of that, ...; a base that is unknown or in a circle is a problem of the framework.
std::vector<std::string> chain(std::vector<Entry>& entries, Entry& first) {
  std::vector<std::string> ids;
  for (Entry* entry = &first; entry != nullptr; entry = entry->base.empty() ? nullptr : find(entries, entry->base)) {
    if (std::find(ids.begin(), ids.end(), entry->profile.id) != ids.end()) {
      first.row.problem("base", "\"" + first.base + "\" is in a circle", "a framework cannot be its own base",
                        "leave the base of one of them empty");
      return ids;
    }
    ids.push_back(entry->profile.id);
  }
  return ids;
}

/// What the framework gives itself, else what the nearest base gives; constants that none gives are left out.
std::vector<ConstantRow> resolve(const std::vector<std::string>& ids, const std::vector<ConstantRow>& rows) {
  std::vector<ConstantRow> chosen;
  for (const FrameworkConstant& constant : framework_constants()) {
    for (const std::string& id : ids) {
      const ConstantRow* row = find_constant(rows, id, constant.name);
      if (row == nullptr) continue;
      chosen.push_back(*row);
      break;
    }
  }
  return chosen;
}

void fill(Entry& entry, const std::vector<ConstantRow>& rows) {
  std::vector<std::string> missing = names_in(framework_constants());
  for (const ConstantRow& row : rows) {
    set_constant(entry.profile, framework_constants(), row);
    std::erase(missing, row.constant);
  }
  for (const std::string& name : missing) {
    entry.row.problem("id", "no " + name + " for framework \"" + entry.profile.id + "\"",
                      "neither it nor its base gives it", std::string("add a row to ") + constants_file);
  }
}

struct Frameworks {
  std::vector<FrameworkProfile> profiles;
  std::vector<std::vector<ConstantRow>> rows;  // of each profile
};

Frameworks build(CsvTable table, CsvTable constants, Problems& problems) {
  const std::size_t before = problems.all().size();
  std::vector<Entry> entries = read_entries(table);
  const std::vector<std::string> ids = ids_of(entries);
  const auto rows =
      read_constants(std::move(constants), {"framework", named_constants(framework_constants()), ids}, problems);
  const bool whole = problems.all().size() == before;  // else constants would be missed that are there but wrong
  Frameworks frameworks;
  for (Entry& entry : entries) {
    if (!entry.base.empty() && find(entries, entry.base) == nullptr) {
      entry.row.problem("base", "unknown framework \"" + entry.base + "\"", "", did_you_mean(entry.base, ids));
      continue;
    }
    frameworks.rows.push_back(resolve(chain(entries, entry), rows));
    if (whole) fill(entry, frameworks.rows.back());
    frameworks.profiles.push_back(entry.profile);
  }
  return frameworks;
}

Frameworks read_files(Problems& problems) {
  const auto folder = data_directory() / "models" / "cost";
  return build(CsvTable::read((folder / frameworks_file).string(), framework_columns(), problems),
               CsvTable::read((folder / constants_file).string(), constant_columns("framework"), problems), problems);
}

}  // namespace

double straggler_share(const FrameworkProfile& framework, double replicas) {
  return framework.straggler_per_doubling.value * std::log2(replicas);
}

const std::vector<FrameworkConstant>& framework_constants() {
  static const std::vector<FrameworkConstant> constants = {
      {"kernel_overhead_us", &FrameworkProfile::kernel_overhead_us, "of one layer's pass in the roofline model, us"},
      {"memory_efficiency", &FrameworkProfile::memory_efficiency,
       "roofline: share of the memory bandwidth that streaming kernels reach", divisor_limits},
      {"optimizer_bytes_sgd", &FrameworkProfile::optimizer_bytes_sgd, "moved per parameter by a step of SGD"},
      {"optimizer_bytes_momentum", &FrameworkProfile::optimizer_bytes_momentum,
       "moved per parameter by a step with momentum"},
      {"optimizer_bytes_adam", &FrameworkProfile::optimizer_bytes_adam, "moved per parameter by a step of Adam, fp32"},
      {"optimizer_bytes_adam_mixed", &FrameworkProfile::optimizer_bytes_adam_mixed,
       "moved per parameter by a step of Adam in mixed precision"},
      {"straggler_per_doubling", &FrameworkProfile::straggler_per_doubling,
       "share of step time per doubling of replicas"},
      {"host_forward_us", &FrameworkProfile::host_forward_us, "host time per kernel of a forward pass, us"},
      {"host_backward_us", &FrameworkProfile::host_backward_us, "host time per kernel of a backward pass, us"},
      {"host_update_us", &FrameworkProfile::host_update_us,
       "host time per operation and weight tensor of an update that is not fused, us (0: fused)"},
      {"host_sample_us", &FrameworkProfile::host_sample_us, "host time per sample of a step, us"},
      {"depthwise_slowness", &FrameworkProfile::depthwise_slowness,
       "times that depthwise convolutions take longer than reading and writing their numbers"},
      {"host_microbatch_ms", &FrameworkProfile::host_microbatch_ms, "host time per micro-batch, ms"},
      {"host_iteration_ms", &FrameworkProfile::host_iteration_ms, "host time per iteration, ms"},
      {"checkpoint_wait_ms", &FrameworkProfile::checkpoint_wait_ms,
       "time that a device waits per micro-batch and block that is computed again whole, ms"},
      {"expert_host_ms", &FrameworkProfile::expert_host_ms,
       "host time per expert of a rank, layer and micro-batch, ms"},
      {"kernel_efficiency", &FrameworkProfile::kernel_efficiency,
       "share of the device's two laws that kernels reach in place", divisor_limits},
      {"whole_logits", &FrameworkProfile::whole_logits,
       "1: logits are kept whole in fp32; 0: made and used piece by piece", switch_limits},
      {"fp32_scores", &FrameworkProfile::fp32_scores, "1: softmax and dropout of 16-bit scores run in fp32 (autocast)",
       switch_limits},
      {"flash_attention",
       &FrameworkProfile::flash_attention,
       "generation of the fused attention kernel (1, 2, 3); 0: products and softmax apart",
       {3.0}},
      {"blocking_transfers", &FrameworkProfile::blocking_transfers,
       "1: pipeline neighbours wait for each exchange; 0: hidden", switch_limits},
      {"transfer_latency_us", &FrameworkProfile::transfer_latency_us, "of a pipeline message beside its bytes, us"},
      {"gradient_overlap", &FrameworkProfile::gradient_overlap,
       "share of the last backward pass that hides gradient exchange", share_limits},
      {"parameter_overlap", &FrameworkProfile::parameter_overlap,
       "share of computing that hides gathering sharded parameters", share_limits},
      {"recompute_early_stop", &FrameworkProfile::recompute_early_stop,
       "1: recomputing a block stops before its last product; 0: the whole forward pass", switch_limits},
      {"kept_expert_outputs", &FrameworkProfile::kept_expert_outputs,
       "1: what experts write is kept for backward; 0: their weights are multiplied in before", switch_limits},
      {"cast_bytes", &FrameworkProfile::cast_bytes, "fp8: moved per number to scale, cast and transpose operands"},
      {"kept_operand_bytes", &FrameworkProfile::kept_operand_bytes,
       "fp8: per kept input of a product; 1: a copy as cast; 2: the 16-bit tensor itself"},
      {"exchange_interference", &FrameworkProfile::exchange_interference,
       "share of hidden exchange of states by which computing takes longer"},
      {"gather_links", &FrameworkProfile::gather_links,
       "network links whose bandwidth gathers of ZeRO-3 reach (0: all of the node's)"},
      {"tensor_overlap", &FrameworkProfile::tensor_overlap, "share of tensor-parallel communication hidden",
       share_limits},
      {"expert_overlap", &FrameworkProfile::expert_overlap, "share of the all-to-all of experts hidden", share_limits},
      {"node_dispatch", &FrameworkProfile::node_dispatch,
       "1: a token goes once to each node that has experts of it; 0: once to each expert", switch_limits},
      {"gather_again_exposed", &FrameworkProfile::gather_again_exposed,
       "share of backward's second gather that is not hidden", share_limits},
      {"kept_gathered", &FrameworkProfile::kept_gathered,
       "sequence parallelism: 1: what is gathered is kept for backward; 0: it is gathered again", switch_limits},
      {"sequence_copies", &FrameworkProfile::sequence_copies,
       "sequence parallelism, micro-batches of several sequences: copies of what is gathered or scattered"},
      {"exchange_traffic", &FrameworkProfile::exchange_traffic,
       "bytes of memory traffic by which a byte of gradients sent delays kernels"},
      {"shard_bytes", &FrameworkProfile::shard_bytes,
       "ZeRO-3 in 16 bits: per weight as shared out, beside the optimizer's fp32 one"},
      {"master_bytes", &FrameworkProfile::master_bytes, "per 16-bit weight that trains: the optimizer's own copy"},
      {"state_bytes", &FrameworkProfile::state_bytes, "per number that the optimizer keeps of a 16-bit weight"},
      {"gradient_bytes", &FrameworkProfile::gradient_bytes, "per gradient as kept, weights in fp16"},
      {"bf16_gradient_bytes", &FrameworkProfile::bf16_gradient_bytes, "per gradient as kept, weights in bf16"},
      {"bf16_sum_bytes", &FrameworkProfile::bf16_sum_bytes,
       "moved per parameter and micro-batch by sums kept apart from bf16 gradients"},
      {"gradient_wire_bytes", &FrameworkProfile::gradient_wire_bytes, "per gradient as sent"},
      {"unsplit_head", &FrameworkProfile::unsplit_head,
       "times that products of the logits take without tensor parallelism"},
      {"logit_bytes", &FrameworkProfile::logit_bytes, "per logit, moved by the loss in all its passes"},
      {"kept_logit_bytes", &FrameworkProfile::kept_logit_bytes, "per logit, kept for the gradient of the loss"},
      {"logit_gradient_bytes", &FrameworkProfile::logit_gradient_bytes,
       "per logit, held beside what is kept while the loss goes back"},
      {"split_logit_gradient_bytes", &FrameworkProfile::split_logit_gradient_bytes,
       "the same where tensor-parallel ranks have parts of the logits"},
      {"offload_ns_per_parameter", &FrameworkProfile::offload_ns_per_parameter,
       "optimizer on the host, per parameter of a rank, ns"},
      {"reserve_GiB", &FrameworkProfile::reserve_GiB, "context, communication buffers, fragmentation, GiB"},
      {"model_error", &FrameworkProfile::model_error, "share by which predictions miss beyond the ranges of constants"},
      {"expert_error", &FrameworkProfile::expert_error, "the same of steps of mixtures of experts, where it is more"},
      {"stand_in_error", &FrameworkProfile::stand_in_error,
       "the same where the profile stands for software without one"},
  };
  return constants;
}

std::vector<FrameworkProfile> read_frameworks(Problems& problems) {
  return read_files(problems).profiles;
}

std::vector<FrameworkProfile> parse_frameworks(std::string_view frameworks, std::string_view constants,
                                               Problems& problems) {
  return build(CsvTable::parse(frameworks, frameworks_file, framework_columns(), problems),
               CsvTable::parse(constants, constants_file, constant_columns("framework"), problems), problems)
      .profiles;
}

std::vector<ConstantRow> framework_rows(std::string_view id, Problems& problems) {
  const Frameworks frameworks = read_files(problems);
  for (std::size_t i = 0; i < frameworks.profiles.size(); ++i) {
    if (frameworks.profiles[i].id == id) return frameworks.rows[i];
  }
  return {};
}

}  // namespace orrery
