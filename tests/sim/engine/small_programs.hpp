// Operations in a few words, and what running them gives, for tests.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/program/program.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/platforms.hpp"
#include "tests/sim/engine/verb_ends.hpp"

namespace orrery::test {

inline Op compute(std::size_t rank, double seconds, std::vector<OpId> after = {}) {
  return {RankId(rank),
          Stream::compute,
          Dimension::none,
          Phase::forward,
          {},
          -1,
          std::move(after),
          Compute{Seconds(seconds), Flops(seconds * 10.0)}};
}

inline Op send(std::size_t rank, std::size_t to, double bytes, std::vector<OpId> after = {}) {
  return {RankId(rank),
          Stream::send,
          Dimension::pp,
          Phase::forward,
          {},
          0,
          std::move(after),
          Send{RankId(to), Bytes(bytes), 0}};
}

inline Op receive(std::size_t rank, std::size_t from, std::vector<OpId> after = {}) {
  return {RankId(rank),     Stream::receive,         Dimension::pp, Phase::forward, {}, 0,
          std::move(after), Receive{RankId(from), 0}};
}

inline Op call(std::size_t rank, CollectiveId collective, std::vector<OpId> after = {}) {
  return {RankId(rank),     Stream::collective,        Dimension::dp, Phase::gradient_exchange, {}, -1,
          std::move(after), CollectiveCall{collective}};
}

inline CollectiveId add_ring(Program& program, const std::vector<std::size_t>& ranks, double bytes) {
  std::vector<RankId> members;
  for (const std::size_t rank : ranks) members.emplace_back(rank);
  return program.add_collective(
      {CollectiveKind::all_reduce, Algorithm::ring, program.add_group(members), Bytes(bytes), 0});
}

inline Records run(const Program& program, EngineKind kind, const Platform& platform,
                   const EngineOptions& options = {}) {
  REQUIRE(check(program).empty());
  return run_program(program, *make_kernel(kind, platform), all_hosts(platform), options);
}

inline void check_times(const Activity& activity, double ready, double start, double end) {
  CHECK(activity.ready.value() == Approx(ready).epsilon(1e-12).margin(1e-12));
  CHECK(activity.start.value() == Approx(start).epsilon(1e-12).margin(1e-12));
  CHECK(activity.end.value() == Approx(end).epsilon(1e-12).margin(1e-12));
}

inline std::string error_of(const Program& program, Kernel& kernel, const std::vector<DeviceId>& hosts) {
  try {
    run_program(program, kernel, hosts, {});
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace orrery::test
