#include <algorithm>
#include <set>

#include "models/training/dataset.hpp"
#include "sim/base/errors.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using Parts = std::vector<std::vector<std::size_t>>;

Samples labels_only(std::size_t count, std::int32_t classes) {
  Samples samples;
  for (std::size_t i = 0; i < count; ++i) {
    samples.labels.push_back(static_cast<std::int32_t>(i) % classes);
  }
  return samples;
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

TEST_CASE("every partition gives every sample to exactly one client") {
  for (const std::size_t count : {100U, 997U}) {
    for (const int clients : {1, 7, 20}) {
      for (const PartitionKind kind : {PartitionKind::iid, PartitionKind::shards, PartitionKind::dirichlet}) {
        Random random(4);
        const Parts parts = partition(labels_only(count, 10), clients, kind, 1.0, random);
        CHECK(parts.size() == static_cast<std::size_t>(clients));
        CHECK(holds_all_once(parts, count));
      }
    }
  }
}

TEST_CASE("iid parts differ by at most one sample and hold every class") {
  const Samples samples = labels_only(1003, 10);
  Random random(1);
  for (const auto& part : partition(samples, 10, PartitionKind::iid, 0, random)) {
    CHECK((part.size() == 100 || part.size() == 101));
    CHECK(classes_in(samples, part) == 10);
  }
}

TEST_CASE("two shards hold at most two classes when shards divide the classes evenly") {
  const Samples samples = labels_only(6000, 10);
  Random random(1);
  for (const auto& part : partition(samples, 100, PartitionKind::shards, 0, random)) {
    CHECK(part.size() == 60);
    CHECK(classes_in(samples, part) <= 2);
  }
}

TEST_CASE("a smaller alpha gives clients fewer classes") {
  const Samples samples = labels_only(6000, 10);
  const auto mean_classes = [&](double alpha) {
    Random random(1);
    double sum = 0;
    for (const auto& part : partition(samples, 10, PartitionKind::dirichlet, alpha, random)) {
      CHECK(part.size() >= 10);
      // Classes of which the client holds more than 1 % of all.
      for (std::int32_t label = 0; label < 10; ++label) {
        const auto held = std::count_if(part.begin(), part.end(), [&](auto i) { return samples.labels[i] == label; });
        sum += held > 6 ? 1 : 0;
      }
    }
    return sum / 10;
  };
  CHECK(mean_classes(0.1) < 5);
  CHECK(mean_classes(100.0) > 9);
}

TEST_CASE("sequences are dealt by their first label") {
  // 60 sequences of 3 labels: first 0..5 in turn, then what would mislead.
  Samples samples;
  samples.labels_per_sample = 3;
  for (std::int32_t i = 0; i < 60; ++i) samples.labels.insert(samples.labels.end(), {i % 6, 9, 59 - i});
  Random random(1);
  for (const auto& part : partition(samples, 3, PartitionKind::shards, 0, random)) {
    CHECK(part.size() == 20);
    std::set<std::int32_t> first;
    for (const std::size_t i : part) first.insert(samples.labels[3 * i]);
    CHECK(first.size() == 2);
  }
  const Parts parts = partition(samples, 3, PartitionKind::dirichlet, 0.5, random);
  CHECK(holds_all_once(parts, 60));
}

TEST_CASE("the same generator gives the same partition, another seed another one") {
  for (const PartitionKind kind : {PartitionKind::iid, PartitionKind::shards, PartitionKind::dirichlet}) {
    const auto drawn = [&](std::uint64_t seed) {
      Random random(seed);
      return partition(labels_only(500, 10), 5, kind, 0.5, random);
    };
    CHECK(drawn(1) == drawn(1));
    CHECK(drawn(1) != drawn(2));
  }
}

std::string refusal(std::size_t samples, int clients, PartitionKind kind, double alpha) {
  try {
    Random random(1);
    partition(labels_only(samples, 10), clients, kind, alpha, random);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("too many clients are refused") {
  CHECK(refusal(10, 11, PartitionKind::iid, 0) ==
        "partition: 10 samples do not suffice for 11 clients (11 are needed) - take fewer clients");
  CHECK(refusal(10, 6, PartitionKind::shards, 0) ==
        "partition: 10 samples do not suffice for 6 clients (12 are needed) - take fewer clients");
  CHECK(
      refusal(100, 90, PartitionKind::dirichlet, 0.01) ==
      "partition: no split by Dirichlet(0.01) gives each of 90 clients 1 samples (1000 draws failed) - raise alpha or "
      "take fewer clients");
}

}  // namespace
}  // namespace orrery
