// Weights that are written and read again, and every way in which that can go wrong.
#include "models/training/weights_file.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

LayerGraph network(const std::string& units, const std::string& last = "two") {
  return small_network(network_text("[2, 2, 1]", "2",
                                    "{ name = \"one\", kind = \"convolution\", filters = 2, kernel = 1 },\n"
                                    "{ name = \"norm\", kind = \"batch_norm\" },\n"
                                    "{ name = \"flatten\", kind = \"flatten\" },\n"
                                    "{ name = \"middle\", kind = \"dense\", units = " +
                                        units +
                                        " },\n"
                                        "{ name = \"" +
                                        last +
                                        "\", kind = \"dense\", units = 2 },\n"
                                        "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
}

/// one: 4, norm: 4 and 4 running, middle (3 units): 27, two: 8.
Numbers counted(const ExecutionPlan& plan) {
  Numbers weights(plan.weight_count());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i) + 0.25F;
  return weights;
}

/// The problems of reading into fresh weights; the path is left out.
std::string problems_of(const std::filesystem::path& file, const LayerGraph& graph,
                        const std::vector<std::string>& fresh = {}) {
  const ExecutionPlan plan(graph);
  Numbers weights(plan.weight_count(), -1.0F);
  Problems problems;
  read_weights(file, plan, fresh, weights, problems);
  try {
    problems.throw_if_any();
  } catch (const InvalidInput& error) {
    CHECK(std::all_of(weights.begin(), weights.end(), [](float weight) { return weight == -1.0F; }));
    std::string text = error.what();
    for (std::size_t at = text.find(file.string()); at != std::string::npos; at = text.find(file.string())) {
      text.replace(at, file.string().size(), "FILE");
    }
    return text;
  }
  return {};
}

TEST_CASE("weights come back bit for bit, running statistics included") {
  const ScratchFolder folder;
  const ExecutionPlan plan(network("3"));
  const Numbers weights = counted(plan);
  REQUIRE(weights.size() == 47);
  write_weights(folder.path() / "w.bin", plan, weights);
  Numbers read(weights.size());
  Problems problems;
  read_weights(folder.path() / "w.bin", plan, {}, read, problems);
  CHECK(problems.empty());
  CHECK(read == weights);
}

TEST_CASE("layers go by name, into a network of other layers too, fresh ones keep what they had") {
  const ScratchFolder folder;
  const ExecutionPlan source(network("3")), target(network("3", "head"));
  const Numbers weights = counted(source);
  write_weights(folder.path() / "w.bin", source, weights);
  Numbers read(target.weight_count(), -1.0F);
  Problems problems;
  read_weights(folder.path() / "w.bin", target, {"head"}, read, problems);
  REQUIRE(problems.empty());
  CHECK(std::equal(read.begin(), read.begin() + 35, weights.begin()));  // one, norm, middle
  CHECK(std::all_of(read.begin() + 35, read.begin() + 43, [](float w) { return w == -1.0F; }));
  CHECK(std::equal(read.begin() + 43, read.end(), weights.begin() + 43));  // running statistics
}

TEST_CASE("weights of another network are told layer by layer") {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "w.bin";
  const ExecutionPlan plan(network("3"));
  write_weights(file, plan, counted(plan));
  CHECK(problems_of(file, network("4", "head")) ==
        "FILE: has 27 numbers for layer \"middle\" instead of 36 (they are those of small) - let the layer start anew "
        "with fresh_layers\n"
        "FILE: has no weights of layer \"head\" (they are those of small) - let the layer start anew with "
        "fresh_layers");
  CHECK(problems_of(file, network("4", "head"), {"middle", "he*"}) == "");
}

TEST_CASE("a file that is missing, foreign, cut off or damaged says so") {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "w.bin";
  CHECK(problems_of(file, network("3")) == "FILE: cannot be read (No such file or directory)");
  write_file(file, "PK12345");
  CHECK(problems_of(file, network("3")) == "FILE: is no weights file (it does not begin with \"orrery weights 1\")");
  write_file(file, "orrery weights 1\n{\"network\"");
  CHECK(problems_of(file, network("3")) == "FILE: is cut off in its header");
  const ExecutionPlan plan(network("3"));
  write_weights(file, plan, counted(plan));
  const std::string whole = read_file(file);
  write_file(file, whole.substr(0, whole.size() - 5));
  CHECK(problems_of(file, network("3")) == "FILE: holds 183 bytes of numbers instead of 188");
  write_file(file, whole + "!");
  CHECK(problems_of(file, network("3")) == "FILE: holds 189 bytes of numbers instead of 188");
  std::string damaged = whole;
  damaged[damaged.size() - 10] = static_cast<char>(damaged[damaged.size() - 10] ^ 1);
  write_file(file, damaged);
  CHECK(problems_of(file, network("3")).starts_with("FILE: is damaged: its checksum is "));
}

TEST_CASE("a broken header is told with what the JSON reader says") {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.path() / "w.bin";
  for (const char* header :
       {"{]", "{}", "{\"network\": 1}", "{\"network\": \"a\", \"crc32\": 1, \"layers\": [[\"one\"]]}",
        "{\"network\": \"a\", \"crc32\": \"x\", \"layers\": []}"}) {
    write_file(file, std::string("orrery weights 1\n") + header + "\n");
    CAPTURE(header);
    CHECK(problems_of(file, network("3")).starts_with("FILE: has a broken header ("));
  }
}

}  // namespace
}  // namespace orrery
