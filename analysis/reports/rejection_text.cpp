#include "analysis/reports/rejection_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "sim/base/text.hpp"

namespace orrery {
namespace {

struct General {
  std::string_view begin;  // of the constraint
  std::string_view text;
};

// What models/layouts says of one layout (obstacles.cpp, {split,pipeline,expert,kind}_obstacles.cpp).
constexpr std::array general_texts{
    General{"dp N x tp N x pp", "more devices than the cluster has"},
    General{"dp N x micro-batch", "dp x micro-batch does not divide the batch"},
    General{"tp N does not divide the", "tp does not divide the heads"},
    General{"tp N neither divides", "tp neither divides the heads of keys and values nor is a multiple of them"},
    General{"tp N:", "the network has no attention blocks for tp to split"},
    General{"sequence_parallel gives every rank",
            "tp x cp does not divide the tokens of a sample (sequence parallelism needs that)"},
    General{"cp N:", "a layer hands its state from token to token: cp cannot split sequences there"},
    General{"cp N splits sequences", "cp splits sequences, which the network does not read"},
    General{"cp N does not divide", "cp does not divide the tokens of a sample"},
    General{"interleave N needs a pipeline", "interleaving needs a pipeline (pp above 1)"},
    General{"interleaving needs micro-batches", "micro-batches are no multiple of pp (interleaving needs that)"},
    General{"pp N x interleave N = N chunks, but", "more chunks (pp x interleave) than blocks"},
    General{"pp N x interleave N = N chunks do not", "chunks (pp x interleave) do not divide the blocks"},
    General{"ep N:", "the network has no experts for ep to share out"},
    General{"ep N does not divide N experts", "ep does not divide the experts"},
    General{"ep N does not divide", "ep does not divide the ranks that share the experts"},
    General{"expert_imbalance N:", "expert_imbalance is more than ep ranks can have (a token visits no expert twice)"},
    General{"etp N:", "etp is neither 1 nor tp"},
    General{"etp N with tp", "etp 1 without sequence parallelism: every rank would send experts the same tokens"},
    General{"zero_group N does not divide", "zero_group does not divide the replicas"},
    General{"zero_group N cuts through", "zero_group cuts through the groups that share the experts"},
    General{"N islands do not divide", "the islands do not divide dp"},
    General{"islands are alike", "islands are alike, but some devices are beyond the first group of nodes"},
    General{"interleave N deals equal chunks", "interleaving deals equal chunks, balance speed unequal ones"},
    General{"balance speed gives replicas different numbers of micro-batches, but those that share experts",
            "balance speed gives replicas different numbers of micro-batches, but those that share experts meet in "
            "every layer"},
    General{"balance speed gives replicas different numbers of micro-batches, but zero_stage",
            "balance speed gives replicas different numbers of micro-batches, but ZeRO 2 and 3 exchange states with "
            "each"},
};

constexpr std::string_view beyond_limits = "over the limit: ";

/// "over the limit: memory N of N GiB and step N of N s": what is limited, without its numbers.
std::string limits_text(const std::string& constraint) {
  constexpr std::string_view conjunction = " and ", numbers = " N of N";
  std::string text(beyond_limits), rest = constraint.substr(beyond_limits.size());
  for (std::size_t end = rest.find(conjunction); end != std::string::npos; end = rest.find(conjunction)) {
    text += rest.substr(0, std::min(end, rest.find(numbers))) + std::string(conjunction);
    rest.erase(0, end + conjunction.size());
  }
  return text + rest.substr(0, rest.find(numbers));
}

/// Two numbers are seldom equal: another letter for each.
std::string with_letters(const std::string& constraint) {
  constexpr std::string_view letters = "NMKLPQ";
  std::size_t used = 0;
  std::vector<std::string> words = split(constraint, ' ');
  for (std::string& word : words) {
    const bool is_number = word.substr(0, word.find_last_not_of(",;:") + 1) == "N";
    if (is_number) word[0] = letters[std::min(used++, letters.size() - 1)];
  }
  return join(words, " ");
}

}  // namespace

std::string rejection_text(const std::string& constraint) {
  if (constraint.starts_with(beyond_limits)) return limits_text(constraint);
  const auto known = std::find_if(general_texts.begin(), general_texts.end(),
                                  [&](const General& general) { return constraint.starts_with(general.begin); });
  return known == general_texts.end() ? with_letters(constraint) : std::string(known->text);
}

}  // namespace orrery
