// Symmetry: where many ranks do the same at the same time, one of them is simulated and stands for all. Its Program
// holds only the ranks that stand for others; its platform holds only their links, each narrowed to the share that one
// of them would have, and mirrors (Platform::mirrors) to which a library collective sends what its equals would take.
//
// The result is the one of the whole job, or there is none: fold() compares every flow of the whole job with the flow
// that stands for it, link by link, and says what differs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/engine/platform.hpp"
#include "sim/program/program.hpp"

namespace orrery {

/// Flows of the whole job that move at the same time for the same reason.
struct FoldTraffic {
  enum class Kind : std::uint8_t {
    collective,  // groups: the members of each group, in order, as library collectives pass bytes on
    all_to_all,  // likewise
    messages     // groups: (from, to)
  };
  std::string name;  // "gradient all-reduce": for obstacles
  Kind kind = Kind::collective;
  std::vector<std::vector<RankId>> groups;  // ranks of the whole job
};

struct FoldRequest {
  std::vector<DeviceId> hosts;          // of every rank of the whole job
  std::vector<RankId> representatives;  // per rank of the folded Program: which rank of the whole job it is
  std::vector<std::size_t> stand_in;    // per rank of the whole job: who stands for it, index of representatives
  std::vector<FoldTraffic> traffic;
};

struct Fold {
  Platform platform;                // host i: representative i; mirrors after them
  std::vector<DeviceId> hosts;      // for run_program: host i of representative i
  std::vector<double> copies;       // per representative: ranks that it stands for, itself included
  std::vector<LinkId> original;     // per link of `platform`: the link of the whole platform that it is
  std::vector<double> link_copies;  // per link: bytes of the whole job on its like, per byte on it
  std::vector<double> link_count;   // per link: links of the whole job that it stands for (several ranks can share one)
  std::vector<NetworkReach> reach;  // per traffic: what its collectives' LibraryMoves::reach has to be
  std::vector<std::string> obstacles;  // why the job cannot be folded; then nothing else holds
};

/// Contract: ids in range, every representative stands for itself.
Fold fold(const Platform& platform, const FoldRequest& request);

/// When folding gives the same result as simulating all, in sentences for `explain`. What fold() cannot see is for the
/// caller to look at: equal devices, no slow or failing rank, no other job.
std::string_view folding_rule();

}  // namespace orrery
