// Whole pieces of work over workers of different speed.
#include "models/layouts/share_out.hpp"

#include <algorithm>
#include <numeric>

#include "tests/catch.hpp"

namespace orrery {
namespace {

using Shares = std::vector<std::int64_t>;

double last_done(const std::vector<Pace>& workers, const Shares& shares) {
  double last = 0;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    last = std::max(last, (workers[i].fixed + workers[i].each * static_cast<double>(shares[i])).value());
  }
  return last;
}

/// The best of all ways to share out, by trying them.
double best_of_all(const std::vector<Pace>& workers, std::int64_t pieces, Shares given = {}) {
  if (given.size() + 1 == workers.size()) {
    given.push_back(pieces);
    return last_done(workers, given);
  }
  double best = 1e300;
  const auto others = static_cast<std::int64_t>(workers.size() - given.size() - 1);
  for (std::int64_t mine = 1; mine + others <= pieces; ++mine) {
    Shares more = given;
    more.push_back(mine);
    best = std::min(best, best_of_all(workers, pieces - mine, more));
  }
  return best;
}

/// Every further piece to whom it makes done first, the earlier of equals.
Shares one_by_one(const std::vector<Pace>& workers, std::int64_t pieces) {
  Shares shares(workers.size(), 1);
  for (auto left = pieces - static_cast<std::int64_t>(workers.size()); left > 0; --left) {
    const auto done = [&](std::size_t i) {
      return (workers[i].fixed + workers[i].each * static_cast<double>(shares[i] + 1)).value();
    };
    std::size_t first = 0;
    for (std::size_t i = 1; i < workers.size(); ++i) {
      if (done(i) < done(first)) first = i;
    }
    ++shares[first];
  }
  return shares;
}

}  // namespace

TEST_CASE("workers of the same paces, and of paces that meet, get what they get piece by piece") {
  const Pace paces[] = {
      {Seconds(0), Seconds(1)}, {Seconds(0), Seconds(2)}, {Seconds(1), Seconds(1)}, {Seconds(0.3), Seconds(1.7)}};
  std::vector<Pace> workers;
  for (const std::size_t which : {0, 1, 0, 2, 3, 1, 0, 2, 2, 1}) {
    workers.push_back(paces[which]);
    const auto count = static_cast<std::int64_t>(workers.size());
    for (std::int64_t pieces = count; pieces <= 6 * count; ++pieces) {
      CAPTURE(count, pieces);
      CHECK(share_out(workers, pieces) == one_by_one(workers, pieces));
    }
  }
}

TEST_CASE("millions of workers are given their shares at once") {
  std::vector<Pace> workers(2'000'000, {Seconds(0), Seconds(1)});
  std::fill(workers.begin() + 1'000'000, workers.end(), Pace{Seconds(0), Seconds(2)});
  const Shares shares = share_out(workers, 600'000'001);
  CHECK(shares.front() == 401);
  CHECK(shares[1] == 400);
  CHECK(shares.back() == 200);
}

TEST_CASE("pieces are shared out in proportion to speed") {
  const Pace fast{Seconds(0), Seconds(1)}, slow{Seconds(0), Seconds(2)};
  CHECK(share_out({fast, slow}, 6) == Shares{4, 2});
  CHECK(share_out({slow, fast}, 6) == Shares{2, 4});
  CHECK(share_out({fast, fast, slow}, 10) == Shares{4, 4, 2});
  CHECK(share_out({fast, fast}, 5) == Shares{3, 2});
  CHECK(share_out({fast, {Seconds(0), Seconds(100)}}, 7) == Shares{6, 1});  // at least one each
  CHECK(share_out({fast, {Seconds(3), Seconds(1)}}, 9) == Shares{6, 3});    // a longer pipeline fills later
  CHECK(share_out({slow}, 3) == Shares{3});
}

TEST_CASE("no other way of sharing out is done earlier") {
  for (const double second : {1.0, 1.3, 2.0, 3.7}) {
    for (const double third : {0.5, 1.0, 2.2}) {
      for (const double fixed : {0.0, 1.5}) {
        const std::vector<Pace> workers = {
            {Seconds(0), Seconds(1)}, {Seconds(fixed), Seconds(second)}, {Seconds(0), Seconds(third)}};
        for (std::int64_t pieces = 3; pieces <= 14; ++pieces) {
          const Shares shares = share_out(workers, pieces);
          CHECK(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}) == pieces);
          CHECK(*std::min_element(shares.begin(), shares.end()) >= 1);
          CHECK(last_done(workers, shares) == Approx(best_of_all(workers, pieces)));
        }
      }
    }
  }
}

}  // namespace orrery
