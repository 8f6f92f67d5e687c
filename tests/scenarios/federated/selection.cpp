// Who is chosen.
#include "scenarios/federated/selection.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tests/catch.hpp"

using namespace orrery;

namespace {

/// Clients with what a test says of them.
class Crowd final : public ClientView {
 public:
  explicit Crowd(std::size_t count) : there(count, true), seconds(count, 1.0), joules(count, 1.0), sizes(count, 1) {}
  std::vector<bool> there;
  std::vector<double> seconds, joules;
  std::vector<std::int64_t> sizes;
  std::map<std::size_t, Known> seen;
  std::size_t asked = 0;

  [[nodiscard]] std::size_t clients() const override { return there.size(); }
  [[nodiscard]] bool available(std::size_t client) override {
    ++asked;
    return there[client];
  }
  [[nodiscard]] double expected_seconds(std::size_t client) override { return seconds[client]; }
  [[nodiscard]] double expected_joules(std::size_t client) override { return joules[client]; }
  [[nodiscard]] std::int64_t samples(std::size_t client) const override { return sizes[client]; }
  [[nodiscard]] std::optional<Known> known(std::size_t client) const override {
    const auto found = seen.find(client);
    return found == seen.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] std::vector<Known> all_known() const override {
    std::vector<Known> all;
    for (const auto& [client, known] : seen) all.push_back(known);
    return all;
  }
  [[nodiscard]] const std::vector<std::uint32_t>& fastest_first() override {
    order_.resize(there.size());
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
    std::stable_sort(order_.begin(), order_.end(), [&](auto a, auto b) { return seconds[a] < seconds[b]; });
    return order_;
  }

 private:
  std::vector<std::uint32_t> order_;
};

std::vector<std::size_t> choose(Selection rule, Crowd& crowd, const SelectionRequest& request, std::uint64_t seed = 1) {
  Random random(seed);
  return entry_of(rule).select(crowd, request, random);
}

}  // namespace

TEST_CASE("every rule returns different available clients in ascending order, as many as there are") {
  for (const SelectionEntry& entry : selections()) {
    for (const std::size_t available : {0U, 3U, 10U}) {
      for (const std::size_t count : {1U, 5U, 10U}) {
        Crowd crowd(10);
        for (std::size_t client = available; client < 10; ++client) crowd.there[client] = false;
        crowd.seen[1] = {1, 2.0, 0};
        Random random(3);
        const auto chosen = entry.select(crowd, {4, count, 7, 0}, random);
        INFO(entry.name << ", " << available << " available, " << count << " wanted");
        CHECK(chosen.size() == std::min<std::size_t>(count, available));
        CHECK(std::is_sorted(chosen.begin(), chosen.end()));
        CHECK(std::set(chosen.begin(), chosen.end()).size() == chosen.size());
        for (const std::size_t client : chosen) CHECK(client < available);
      }
    }
  }
}

TEST_CASE("random selection is uniform among the available clients, rare or not") {
  for (const std::size_t available : {4U, 10U, 40U}) {
    Crowd crowd(40);
    for (std::size_t client = 0; client < 40; ++client) crowd.there[client] = client % (40 / available) == 0;
    constexpr int draws = 6000;
    std::vector<int> hits(40, 0);
    Random random(11);
    for (int i = 0; i < draws; ++i) {
      for (const std::size_t client : draw_available(crowd, 2, random)) ++hits[client];
    }
    const double expected = 2.0 * draws / static_cast<double>(available);
    double chi_square = 0;
    for (std::size_t client = 0; client < 40; ++client) {
      if (!crowd.there[client]) {
        CHECK(hits[client] == 0);
      } else {
        chi_square += (hits[client] - expected) * (hits[client] - expected) / expected;
      }
    }
    // Mean about `available`, deviation sqrt(2 available): five deviations above.
    CHECK(chi_square < static_cast<double>(available) + 5 * std::sqrt(2.0 * static_cast<double>(available)));
  }
}

TEST_CASE("a thousand of a million clients are drawn without looking at the others") {
  Crowd crowd(1000000);
  Random random(5);
  CHECK(draw_available(crowd, 1000, random).size() == 1000);
  CHECK(crowd.asked < 1100);
}

TEST_CASE("round robin goes on where it stopped, and past those who are away") {
  Crowd crowd(5);
  crowd.there[1] = false;
  std::size_t next = 0;
  for (const std::vector<std::size_t>& turn : {std::vector<std::size_t>{0, 2}, {3, 4}, {0, 2}, {3, 4}}) {
    const std::vector<std::size_t> chosen = choose(Selection::round_robin, crowd, {0, 2, next, 0});
    CHECK(chosen == turn);
    next = next_in_turn(chosen, next, crowd.clients());
  }
  CHECK(next_in_turn({0, 4}, 4, 5) == 1);
  CHECK(next_in_turn({}, 3, 5) == 3);
}

TEST_CASE("the fastest are those with the shortest expected trip") {
  Crowd crowd(5);
  crowd.seconds = {5, 1, 4, 2, 3};
  crowd.there[1] = false;
  CHECK(choose(Selection::fastest, crowd, {0, 2, 0, 0}) == std::vector<std::size_t>{3, 4});
}

TEST_CASE("power of choice takes the highest losses of its candidates, and first those never trained") {
  Crowd crowd(6);
  for (std::size_t client = 0; client < 6; ++client)
    crowd.seen[client] = {client, 0.1 * static_cast<double>(client), 0};
  CHECK(choose(Selection::power_of_choice, crowd, {0, 2, 0, 6}) == std::vector<std::size_t>{4, 5});
  crowd.seen.erase(0);
  CHECK(choose(Selection::power_of_choice, crowd, {0, 2, 0, 6}) == std::vector<std::size_t>{0, 5});
  // With as many candidates as places the losses do not matter.
  std::set<std::vector<std::size_t>> outcomes;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    outcomes.insert(choose(Selection::power_of_choice, crowd, {0, 2, 0, 2}, seed));
  }
  CHECK(outcomes.size() > 5);
}

TEST_CASE("energy-aware selection takes the thriftiest of its candidates") {
  Crowd crowd(6);
  crowd.joules = {6, 5, 4, 3, 2, 1};
  CHECK(choose(Selection::energy_aware, crowd, {0, 2, 0, 6}) == std::vector<std::size_t>{4, 5});
}

TEST_CASE("utility explores at first, then prefers high losses on fast devices") {
  Crowd crowd(20);
  for (std::size_t client = 0; client < 10; ++client) crowd.seen[client] = {client, 1.0, 0};
  const auto first = choose(Selection::utility, crowd, {0, 10, 0, 0});
  CHECK(std::count_if(first.begin(), first.end(), [](std::size_t client) { return client >= 10; }) >= 8);
  // Much later a fifth explores.
  crowd.seen[3].loss = 9;
  crowd.seen[4].loss = 8;
  crowd.seen[5].loss = 100;
  crowd.seconds[5] = 50;  // (1 / 50)^2 of it is left
  const auto late = choose(Selection::utility, crowd, {200, 5, 0, 0});
  CHECK(std::count(late.begin(), late.end(), 3U) == 1);
  CHECK(std::count(late.begin(), late.end(), 4U) == 1);
  CHECK(std::count(late.begin(), late.end(), 5U) == 0);
}
