#include "models/training/partition.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "sim/base/errors.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using Parts = std::vector<std::vector<std::size_t>>;

// Classes in turn; groups of ten samples.
Samples labels_only(std::size_t count, std::int32_t classes) {
  Samples samples;
  for (std::size_t i = 0; i < count; ++i) {
    samples.labels.push_back(static_cast<std::int32_t>(i) % classes);
    samples.groups.push_back(static_cast<std::int32_t>(i / 10));
  }
  return samples;
}

Parts dealt(const Samples& samples, int clients, const PartitionOptions& options, std::uint64_t seed = 1) {
  Random random(seed);
  return partition(samples, clients, options, random);
}

bool holds_all_once(const Parts& parts, std::size_t count) {
  std::vector<std::size_t> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] != i) return false;
  }
  return all.size() == count;
}

std::size_t classes_in(const Samples& samples, const std::vector<std::size_t>& part) {
  std::set<std::int32_t> labels;
  for (const std::size_t i : part) labels.insert(samples.labels[i]);
  return labels.size();
}

TEST_CASE("every partition gives every sample to exactly one client, and every client at least one") {
  for (const PartitionEntry& entry : partitions()) {
    for (const std::size_t count : {400U, 997U}) {
      for (const int clients : {1, 7, 20, 40}) {
        for (const double alpha : {0.3, 1.0, 1000.0}) {
          CAPTURE(entry.name, count, clients, alpha);
          const PartitionOptions options{.kind = entry.kind, .alpha = alpha, .shards_per_client = 3, .sigma = alpha};
          const Parts parts = dealt(labels_only(count, 10), clients, options, 4);
          CHECK(parts.size() == static_cast<std::size_t>(clients));
          CHECK(holds_all_once(parts, count));
          CHECK(std::none_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); }));
        }
      }
    }
  }
}

TEST_CASE("as many clients as samples get one each, wherever that can be") {
  for (const PartitionKind kind : {PartitionKind::iid, PartitionKind::dirichlet_clients, PartitionKind::quantity}) {
    CHECK(holds_all_once(dealt(labels_only(50, 10), 50, {.kind = kind}), 50));
  }
  CHECK(holds_all_once(dealt(labels_only(50, 10), 50, {.kind = PartitionKind::shards, .shards_per_client = 1}), 50));
}

TEST_CASE("iid parts differ by at most one sample and hold every class") {
  const Samples samples = labels_only(1003, 10);
  for (const auto& part : dealt(samples, 10, {.kind = PartitionKind::iid})) {
    CHECK((part.size() == 100 || part.size() == 101));
    CHECK(classes_in(samples, part) == 10);
  }
}

TEST_CASE("so many shards hold at most so many classes when shards divide the classes evenly") {
  const Samples samples = labels_only(6000, 10);
  for (const int shards : {1, 2, 3}) {
    const PartitionOptions options{.kind = PartitionKind::shards, .shards_per_client = shards};
    for (const auto& part : dealt(samples, 100, options)) {
      CHECK(part.size() == 60);
      CHECK(classes_in(samples, part) <= static_cast<std::size_t>(shards));
    }
  }
}

// Classes of which a client holds more than 1 % of all samples of the class, mean over the clients.
double mean_classes(PartitionKind kind, double alpha) {
  const Samples samples = labels_only(6000, 10);
  double sum = 0;
  for (const auto& histogram : label_histograms(samples, dealt(samples, 10, {.kind = kind, .alpha = alpha}), 10)) {
    sum += static_cast<double>(std::count_if(histogram.begin(), histogram.end(), [](int held) { return held > 6; }));
  }
  return sum / 10;
}

TEST_CASE("a smaller alpha gives clients fewer classes, in both laws") {
  for (const PartitionKind kind : {PartitionKind::dirichlet_classes, PartitionKind::dirichlet_clients}) {
    CHECK(mean_classes(kind, 0.1) < 6);
    CHECK(mean_classes(kind, 0.1) < mean_classes(kind, 1));
    CHECK(mean_classes(kind, 100.0) == 10);
  }
}

TEST_CASE("splitting classes gives clients of different sizes of ten at least, filling quotas gives equal ones") {
  const Samples samples = labels_only(6000, 10);
  std::size_t smallest = 6000, largest = 0;
  for (const auto& part : dealt(samples, 10, {.kind = PartitionKind::dirichlet_classes, .alpha = 0.3})) {
    smallest = std::min(smallest, part.size());
    largest = std::max(largest, part.size());
  }
  CHECK(smallest >= 10);
  CHECK(largest > smallest + 100);
  for (const auto& part : dealt(samples, 10, {.kind = PartitionKind::dirichlet_clients, .alpha = 0.3})) {
    CHECK(part.size() == 600);
  }
}

TEST_CASE("an alpha near nothing gives a client one class as long as there is any") {
  const Samples samples = labels_only(1000, 10);
  const auto first = dealt(samples, 10, {.kind = PartitionKind::dirichlet_clients, .alpha = 1e-6})[0];
  CHECK(first.size() == 100);
  CHECK(classes_in(samples, first) == 1);
}

TEST_CASE("quantity: the logarithms of the sizes have the deviation asked for, the labels are alike") {
  const Samples samples = labels_only(200000, 10);
  for (const double sigma : {0.0, 0.5, 1.0}) {
    const Parts parts = dealt(samples, 400, {.kind = PartitionKind::quantity, .sigma = sigma});
    double sum = 0, squares = 0;
    for (const auto& part : parts) {
      const double size = std::log(static_cast<double>(part.size()));
      sum += size;
      squares += size * size;
    }
    CHECK(std::sqrt(std::max(0.0, squares / 400 - sum * sum / 160000)) == Approx(sigma).margin(0.08));
  }
  const auto histogram =
      label_histograms(samples, dealt(samples, 2, {.kind = PartitionKind::quantity, .sigma = 0}), 10)[0];
  for (const std::int32_t held : histogram) CHECK(held == Approx(10000).epsilon(0.05));
}

TEST_CASE("natural groups stay together") {
  const Samples samples = labels_only(1000, 10);  // 100 groups
  for (const int clients : {100, 30, 1}) {
    std::map<std::int32_t, std::set<std::size_t>> clients_of;
    const Parts parts = dealt(samples, clients, {.kind = PartitionKind::natural});
    for (std::size_t client = 0; client < parts.size(); ++client) {
      for (const std::size_t sample : parts[client]) clients_of[samples.groups[sample]].insert(client);
    }
    CHECK(clients_of.size() == 100);
    for (const auto& group : clients_of) CHECK(group.second.size() == 1);
  }
}

TEST_CASE("sequences are dealt by their first label") {
  // 60 sequences of 3 labels: first 0..5 in turn, then what would mislead.
  Samples samples;
  samples.labels_per_sample = 3;
  for (std::int32_t i = 0; i < 60; ++i) samples.labels.insert(samples.labels.end(), {i % 6, 9, 59 - i});
  const Parts parts = dealt(samples, 3, {.kind = PartitionKind::shards});
  for (const auto& part : parts) {
    CHECK(part.size() == 20);
    std::set<std::int32_t> first;
    for (const std::size_t i : part) first.insert(samples.labels[3 * i]);
    CHECK(first.size() == 2);
  }
  CHECK(holds_all_once(dealt(samples, 3, {.kind = PartitionKind::dirichlet_classes}), 60));
  for (const auto& histogram : label_histograms(samples, parts, 60)) {
    CHECK(std::count(histogram.begin(), histogram.end(), 10) == 2);
  }
}

TEST_CASE("histograms count every label of every client") {
  Samples samples;
  samples.labels = {0, 1, 1, 2, 0, 0};
  CHECK(label_histograms(samples, {{0, 4, 5}, {1, 2, 3}}, 4) ==
        std::vector<std::vector<std::int32_t>>{{3, 0, 0, 0}, {0, 2, 1, 0}});
}

TEST_CASE("the same generator gives the same partition, another seed another one") {
  for (const PartitionEntry& entry : partitions()) {
    CAPTURE(entry.name);
    const auto drawn = [&](std::uint64_t seed) { return dealt(labels_only(500, 10), 5, {.kind = entry.kind}, seed); };
    CHECK(drawn(1) == drawn(1));
    CHECK(drawn(1) != drawn(2));
  }
}

std::string refusal(const Samples& samples, int clients, const PartitionOptions& options) {
  try {
    dealt(samples, clients, options);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("more clients than samples are refused, by every law") {
  for (const PartitionEntry& entry : partitions()) {
    CHECK(refusal(labels_only(60000, 10), 100000, {.kind = entry.kind}) ==
          "partition: 60000 samples do not suffice for 100000 clients (every client holds at least one) - take fewer "
          "clients");
  }
}

TEST_CASE("partitions that cannot be are refused") {
  const Samples samples = labels_only(10, 10);
  CHECK(refusal(samples, 6, {.kind = PartitionKind::shards}) ==
        "partition: 10 samples cannot be cut into 12 shards (2 for each of 6 clients) (a shard holds at least one "
        "sample) - take fewer clients or fewer shards per client");
  CHECK(refusal(labels_only(100, 10), 90, {.kind = PartitionKind::dirichlet_classes, .alpha = 0.01}) ==
        "partition: no split by Dirichlet(0.01) gives each of 90 clients 1 samples (1000 draws failed) - raise alpha, "
        "take fewer clients, or take dirichlet-clients");
  CHECK(refusal(labels_only(100, 10), 11, {.kind = PartitionKind::natural}) ==
        "partition: 10 groups do not suffice for 11 clients (groups are dealt whole) - take at most 10 clients");
  Samples anonymous = samples;
  anonymous.groups.clear();
  CHECK(refusal(anonymous, 2, {.kind = PartitionKind::natural}) ==
        "partition: the data set does not say whom its samples come from (a natural partition deals its groups) - take "
        "another partition, or a data set with groups, for example synthetic-writers");
}

TEST_CASE("every kind of partition stands in the table once, with its source") {
  std::set<std::string> names;
  std::size_t kind = 0;
  for (const PartitionEntry& entry : partitions()) {
    CHECK(names.insert(entry.name).second);
    CHECK(static_cast<std::size_t>(entry.kind) == kind++);
    CHECK(!entry.source.empty());
  }
  CHECK(kind == static_cast<std::size_t>(PartitionKind::natural) + 1);
}

}  // namespace
}  // namespace orrery
