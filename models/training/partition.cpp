#include "models/training/partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "models/training/partition_laws.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

void refuse_partition(std::string what, std::string why, std::string suggestion) {
  throw InvalidInput({{.at = {},
                       .key = "partition",
                       .what = std::move(what),
                       .why = std::move(why),
                       .suggestion = std::move(suggestion),
                       .source_line = {}}});
}

std::int32_t label_of(const Samples& samples, std::size_t sample) {
  return samples.labels[sample * samples.labels_per_sample];
}

std::vector<std::size_t> numbers_up_to(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

std::span<const std::size_t> piece(const std::vector<std::size_t>& list, std::size_t i, std::size_t parts) {
  const std::size_t first = list.size() * i / parts, last = list.size() * (i + 1) / parts;
  return std::span<const std::size_t>(list).subspan(first, last - first);
}

std::vector<std::vector<std::size_t>> samples_by_label(const Samples& samples) {
  std::vector<std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < samples.count(); ++i) {
    const auto label = static_cast<std::size_t>(label_of(samples, i));
    if (label >= classes.size()) classes.resize(label + 1);
    classes[label].push_back(i);
  }
  return classes;
}

namespace {

Parts iid(const Samples& samples, std::size_t clients, const PartitionOptions& /*options*/, Random& random) {
  std::vector<std::size_t> order = numbers_up_to(samples.count());
  random.shuffle(order);
  Parts parts(clients);
  for (std::size_t client = 0; client < clients; ++client) {
    const auto part = piece(order, client, clients);
    parts[client].assign(part.begin(), part.end());
  }
  return parts;
}

Parts shards(const Samples& samples, std::size_t clients, const PartitionOptions& options, Random& random) {
  ORRERY_EXPECT(options.shards_per_client > 0);
  const auto each = static_cast<std::size_t>(options.shards_per_client);
  if (samples.count() < each * clients) {
    refuse_partition(fmt::format("{} samples cannot be cut into {} shards ({} for each of {} clients)", samples.count(),
                                 each * clients, each, clients),
                     "a shard holds at least one sample", "take fewer clients or fewer shards per client");
  }
  std::vector<std::size_t> sorted = numbers_up_to(samples.count());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](std::size_t a, std::size_t b) { return label_of(samples, a) < label_of(samples, b); });
  std::vector<std::size_t> hands = numbers_up_to(each * clients);
  random.shuffle(hands);
  Parts parts(clients);
  for (std::size_t i = 0; i < hands.size(); ++i) {
    const auto shard = piece(sorted, hands[i], hands.size());
    parts[i / each].insert(parts[i / each].end(), shard.begin(), shard.end());
  }
  return parts;
}

// Sizes in proportion to exp(sigma x normal), at least one sample each.
Parts quantity(const Samples& samples, std::size_t clients, const PartitionOptions& options, Random& random) {
  ORRERY_EXPECT(options.sigma >= 0);
  std::vector<double> sizes(clients);
  for (double& size : sizes) size = options.sigma * random.normal();
  const double largest = *std::max_element(sizes.begin(), sizes.end());
  for (double& size : sizes) size = std::exp(size - largest);  // shares of the largest: finite for any sigma
  const double sum = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  std::vector<std::size_t> order = numbers_up_to(samples.count());
  random.shuffle(order);
  const auto to_share = static_cast<double>(samples.count() - clients);  // beyond everyone's first
  Parts parts(clients);
  double reached = 0;
  std::size_t first = 0;
  for (std::size_t client = 0; client < clients; ++client) {
    reached += sizes[client] / sum;
    const auto shared = static_cast<std::size_t>(std::lround(std::min(reached, 1.0) * to_share));
    const std::size_t last = client + 1 == clients ? samples.count() : client + 1 + shared;
    parts[client].assign(order.begin() + static_cast<std::ptrdiff_t>(first),
                         order.begin() + static_cast<std::ptrdiff_t>(last));
    first = last;
  }
  return parts;
}

Parts natural(const Samples& samples, std::size_t clients, const PartitionOptions& /*options*/, Random& random) {
  if (samples.groups.empty()) {
    refuse_partition("the data set does not say whom its samples come from", "a natural partition deals its groups",
                     "take another partition, or a data set with groups, for example synthetic-writers");
  }
  std::map<std::int32_t, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < samples.count(); ++i) groups[samples.groups[i]].push_back(i);
  if (groups.size() < clients) {
    refuse_partition(fmt::format("{} groups do not suffice for {} clients", groups.size(), clients),
                     "groups are dealt whole", fmt::format("take at most {} clients", groups.size()));
  }
  std::vector<const std::vector<std::size_t>*> members;
  for (const auto& group : groups) members.push_back(&group.second);
  random.shuffle(members);
  Parts parts(clients);
  for (std::size_t client = 0; client < clients; ++client) {
    const std::size_t last = members.size() * (client + 1) / clients;
    for (std::size_t i = members.size() * client / clients; i < last; ++i) {
      parts[client].insert(parts[client].end(), members[i]->begin(), members[i]->end());
    }
  }
  return parts;
}

using Law = Parts (*)(const Samples& samples, std::size_t clients, const PartitionOptions& options, Random& random);

struct Row {
  PartitionEntry entry;
  Law law;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {{PartitionKind::iid, "iid", "equal parts of the shuffled samples", "McMahan et al. 2017 (arXiv 1602.05629)", {}},
       iid},
      {{PartitionKind::shards,
        "shards",
        "samples sorted by label and cut into equal shards; so many shards to each client",
        "McMahan et al. 2017 (arXiv 1602.05629)",
        {"shards_per_client"}},
       shards},
      {{PartitionKind::dirichlet_classes,
        "dirichlet-classes",
        "each class is split over the clients by one Dirichlet draw: unequal sizes",
        "Li et al. 2022, NIID-Bench (arXiv 2102.02079)",
        {"alpha"}},
       deal_dirichlet_classes},
      {{PartitionKind::dirichlet_clients,
        "dirichlet-clients",
        "each client draws its mix of classes and fills an equal quota from it",
        "Hsu et al. 2019 (arXiv 1909.06335)",
        {"alpha"}},
       deal_dirichlet_clients},
      {{PartitionKind::quantity,
        "quantity",
        "log-normal sizes, labels alike",
        "FedScale's and FLGo's quantity skew; log-normal as in Li et al. 2020 (arXiv 1812.06127), synthetic data",
        {"sigma"}},
       quantity},
      {{PartitionKind::natural,
        "natural",
        "whole groups of the data set (writers, roles)",
        "Caldas et al. 2018, LEAF (arXiv 1812.01097)",
        {}},
       natural}};
  return table;
}

}  // namespace

const std::vector<PartitionEntry>& partitions() {
  static const std::vector<PartitionEntry> entries = [] {
    std::vector<PartitionEntry> all;
    for (const Row& row : rows()) all.push_back(row.entry);
    return all;
  }();
  return entries;
}

std::vector<std::vector<std::size_t>> partition(const Samples& samples, int clients, const PartitionOptions& options,
                                                Random& random) {
  ORRERY_EXPECT(clients > 0);
  const auto count = static_cast<std::size_t>(clients);
  if (samples.count() < count) {
    refuse_partition(fmt::format("{} samples do not suffice for {} clients", samples.count(), clients),
                     "every client holds at least one", "take fewer clients");
  }
  const auto row =
      std::find_if(rows().begin(), rows().end(), [&](const Row& each) { return each.entry.kind == options.kind; });
  ORRERY_EXPECT(row != rows().end());
  return row->law(samples, count, options, random);
}

std::vector<std::vector<std::int32_t>> label_histograms(const Samples& samples,
                                                        const std::vector<std::vector<std::size_t>>& parts,
                                                        std::int64_t classes) {
  std::vector<std::vector<std::int32_t>> histograms;
  histograms.reserve(parts.size());
  for (const std::vector<std::size_t>& part : parts) {
    std::vector<std::int32_t>& histogram = histograms.emplace_back(static_cast<std::size_t>(classes));
    for (const std::size_t sample : part) ++histogram.at(static_cast<std::size_t>(label_of(samples, sample)));
  }
  return histograms;
}

}  // namespace orrery
