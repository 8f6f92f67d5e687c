// Mistakes in the keys of training, each with the whole text that a user sees.
#include <string>

#include "models/training/training.hpp"
#include "models/training/weights_file.hpp"
#include "tests/scenarios/malformed.hpp"
#include "tests/sim/base/scratch_folder.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

const std::string lenet = "[workload]\nnetwork = \"lenet5\"\n";                   // 2
const std::string learning = "dataset = \"mnist\"\nlearn = true\nsteps = 100\n";  // 3
const std::string federation = two_clients + federated;                           // 9

}  // namespace

TEST_CASE("mistakes in optimizer and schedule are told with their reason") {
  check_malformed({
      {"an unknown optimizer and a decay below zero", two_nn + R"(optimizer = "adamv"
weight_decay = -1
clip_norm = "big"
)" + box + alone,
       R"(lab.toml:3:13: workload.optimizer: unknown name "adamv" - did you mean "adam"?
  optimizer = "adamv"
              ^
lab.toml:4:16: workload.weight_decay: -1 is out of range (must be at least 0)
  weight_decay = -1
                 ^
lab.toml:5:13: workload.clip_norm: is the string "big" (a number is wanted)
  clip_norm = "big"
              ^)"},
      {"keys of another schedule", two_nn + R"([workload.learning_rate_schedule]
kind = "cosine"
every = 10
factor = 0.5
)" + box + alone,
       R"(lab.toml:5:9: workload.learning_rate_schedule.every: belongs to kind = step (the schedule here is cosine) - remove it
  every = 10
          ^
lab.toml:6:10: workload.learning_rate_schedule.factor: belongs to kind = step (the schedule here is cosine) - remove it
  factor = 0.5
           ^)"},
      {"steps without their length, and an end without a cosine", two_nn + R"([workload.learning_rate_schedule]
kind = "step"
final_fraction = 0.1
)" + box + alone,
       R"(lab.toml:3:1: workload.learning_rate_schedule.every: is missing (required)
  [workload.learning_rate_schedule]
  ^
lab.toml:5:18: workload.learning_rate_schedule.final_fraction: belongs to kind = cosine (the schedule here is step) - remove it
  final_fraction = 0.1
                   ^)"},
      {"a misspelt key of a schedule", two_nn + R"(learning_rate_schedule = { kind = "constant", warmup = 5 }
)" + box + alone,
       R"(lab.toml:3:47: workload.learning_rate_schedule: unknown key "warmup" - did you mean "warm_up"?
  learning_rate_schedule = { kind = "constant", warmup = 5 }
                                                ^)"},
      {"a warm-up as long as the training", two_nn + R"(steps = 5
learning_rate_schedule = { warm_up = 5 }
)" + box + alone,
       R"(lab.toml:4:26: workload.learning_rate_schedule: a warm-up of 5 steps leaves no others (there are 5 in all) - use a shorter warm_up
  learning_rate_schedule = { warm_up = 5 }
                           ^)"},
      {"a warm-up of more rounds than there are", two_nn + "dataset_samples = 10\n" + federation + R"(rounds = 3
learning_rate_schedule = { warm_up = 4 }
)",
       R"(lab.toml:14:26: strategy[0].learning_rate_schedule: a warm-up of 4 rounds leaves no others (there are 3 in all) - use a shorter warm_up
  learning_rate_schedule = { warm_up = 4 }
                           ^)"},
      {"the optimizer of a strategy that is not federated", two_nn + box + alone + R"(weight_decay = 0.1
)",
       R"(lab.toml:8:16: strategy[0].weight_decay: belongs to kind = async | federated (this strategy is kind = single) - remove it
  weight_decay = 0.1
                 ^)"},
  });
}

TEST_CASE("mistakes in precision, recomputation and freezing are told with their reason") {
  check_malformed({
      {"a precision that is not learned in", lenet + learning + box + alone + R"(precision = "fp16"
)",
       R"(lab.toml:11:13: strategy[0].precision: cannot be learned in (learn = true executes in fp32 or bf16, another precision learns otherwise) - use precision = "fp32" or "bf16", or learn = false
  precision = "fp16"
              ^)"},
      {"a way to recompute of kind = hybrid", two_nn + R"(recompute = "selective"
)" + box + alone,
       R"(lab.toml:3:13: workload.recompute: "selective" is known to kind = "hybrid" alone (the other kinds compute whole segments again, or nothing) - use "none" or "full" here, or recompute = "selective" in a [[strategy]] of kind = "hybrid"
  recompute = "selective"
              ^)"},
      {"an unknown way to recompute", two_nn + R"(recompute = "ful"
)" + box + alone,
       R"(lab.toml:3:13: workload.recompute: unknown name "ful" - did you mean "full"?
  recompute = "ful"
              ^)"},
      {"layers that are not there, or have nothing to freeze", lenet + R"(freeze = ["conv9", "pool*"]
)" + box + alone,
       R"(lab.toml:3:10: workload.freeze: no layer of lenet5 is called "conv9" - did you mean "conv1"?
  freeze = ["conv9", "pool*"]
           ^
lab.toml:3:10: workload.freeze: "pool*" has no weights of its own in lenet5 (there is nothing to freeze)
  freeze = ["conv9", "pool*"]
           ^)"},
      {"everything frozen", lenet + R"(freeze = ["*"]
)" + box + alone,
       R"(lab.toml:3:10: workload.freeze: freezes all of lenet5 (nothing is left to train) - leave out the layers that should learn
  freeze = ["*"]
           ^)"},
  });
}

TEST_CASE("mistakes about weights files are told with their reason") {
  const ScratchFolder folder;
  const std::string file = (folder.path() / "w.bin").string();
  const ExecutionPlan plan(load_network("2nn"));
  write_weights(file, plan, initial_weights(plan, 1));
  check_malformed({
      {"weights where nothing is learned", two_nn + R"(initial_weights = "w.bin"
fresh_layers = ["a"]
save_weights = "w.bin"
)" + box + alone,
       R"(lab.toml:3:19: workload.initial_weights: belongs to learn = true (nothing is learned here) - remove it
  initial_weights = "w.bin"
                    ^
lab.toml:4:16: workload.fresh_layers: belongs to learn = true (nothing is learned here) - remove it
  fresh_layers = ["a"]
                 ^
lab.toml:5:16: workload.save_weights: belongs to learn = true (nothing is learned here) - remove it
  save_weights = "w.bin"
                 ^)"},
      {"no such file, and no file to start anew from", lenet + learning + R"(fresh_layers = ["conv1"]
)" + box + alone,
       R"(lab.toml:6:16: workload.fresh_layers: belongs to initial_weights (every layer starts anew here) - remove it
  fresh_layers = ["conv1"]
                 ^)"},
      {"a file that is not there", lenet + learning + R"(initial_weights = "none.bin"
)" + box + alone,
       R"(lab.toml:6:19: workload.initial_weights: "none.bin" cannot be read (No such file or directory)
  initial_weights = "none.bin"
                    ^)"},
      {"the weights of another network, to be written over", two_nn + learning + "initial_weights = \"" + file + R"("
fresh_layers = ["dense9"]
save_weights = ")" + file + "\"\n" + box + alone,
       "lab.toml:7:16: workload.fresh_layers: no layer of 2nn is called \"dense9\" - did you mean \"dense1\"?\n"
       "  fresh_layers = [\"dense9\"]\n"
       "                 ^\n"
       "lab.toml:8:16: workload.save_weights: is also initial_weights (the next run would start from other weights) - "
       "give it a name of its own\n"
       "  save_weights = \"" +
           file +
           "\"\n"
           "                 ^"},
      {"weights of a strategy's own learning, written over those it starts from",
       two_nn + "dataset = \"mnist\"\nlearn = true\nsteps = 1\ninitial_weights = \"" + file + "\"\n" + box +
           "[[strategy]]\nname = \"s\"\nkind = \"local-sgd\"\nlocal_steps = 2\nsave_weights = \"" + file + "\"\n",
       "lab.toml:13:16: strategy[0].save_weights: is also initial_weights (the next run would start from other "
       "weights) - give it a name of its own\n  save_weights = \"" +
           file + "\"\n                 ^"},
      {"weights of central learning where there is none",
       two_nn + "dataset = \"mnist\"\nlearn = true\nsave_weights = \"w\"\n" + federation,
       R"(lab.toml:5:16: workload.save_weights: nothing is learned centrally (every strategy has a learning of its own) - put save_weights into a [[strategy]]
  save_weights = "w"
                 ^)"},
  });
  const std::string other = error_of(lenet + learning + "initial_weights = \"" + file + "\"\n" + box + alone);
  CHECK(other.find("lab.toml:6:19: workload.initial_weights: \"" + file +
                   "\" has no weights of layer \"conv1\" (they are those of 2nn) - let the layer start anew with "
                   "fresh_layers") == 0);
}

TEST_CASE("weights are saved where they can be, over nothing that is read or that another run writes") {
  const ScratchFolder folder;
  const std::string there = (folder.path() / "w.bin").string(), gone = (folder.path() / "none" / "w.bin").string();
  const std::string read = (folder.path() / "scenario.toml").string();
  const std::string learned = two_nn + "dataset = \"mnist\"\nlearn = true\nsteps = 1\n";
  const auto saving = [&](const std::string& file) { return learned + "save_weights = \"" + file + "\"\n"; };
  const auto told = [](const std::string& file, const std::string& line, const std::string& what) {
    return "lab.toml:" + line + ":16: " + what + "\n  save_weights = \"" + file + "\"\n                 ^";
  };
  const auto apart = [&](const std::string& name, const std::string& file) {
    return "[[strategy]]\nname = \"" + name + "\"\nkind = \"local-sgd\"\nlocal_steps = 2\nsave_weights = \"" + file +
           "\"\n";
  };
  check_malformed({
      {"a file in a folder", saving(there) + box + alone, ""},
      {"no folder", saving(gone) + box + alone,
       told(gone, "6",
            "workload.save_weights: cannot be written (there is no folder \"" + (folder.path() / "none").string() +
                "\") - name a file in a folder that is there")},
      {"a folder", saving(folder.path().string()) + box + alone,
       told(folder.path().string(), "6",
            "workload.save_weights: cannot be written (it is a folder) - name a file in a folder that is there")},
      {"two strategies, one file", learned + box + apart("one", there) + apart("two", there),
       told(there, "17",
            "strategy[1].save_weights: is also that of strategy one (one would replace the other) - give it a name of "
            "its own")},
  });
  write_file(read, saving(read) + "[cluster]\nsystem = \"dgx-a100\"\n" + alone);
  std::string error;
  try {
    (void)read_scenario(read, {}, shipped_catalogue());
  } catch (const InvalidInput& refused) {
    error = refused.what();
  }
  CHECK(error.find("workload.save_weights: is a file that the scenario reads (it would be replaced) - give it a name "
                   "of its own") != std::string::npos);
}

TEST_CASE("images are augmented where there are images to learn from, and by less than all of them") {
  check_malformed({
      {"nothing is learned", lenet + R"(augment_flip = true
augment_shift = 2
prefetch = true
)" + box + alone,
       R"(lab.toml:3:16: workload.augment_flip: belongs to learn = true (nothing is learned here) - remove it
  augment_flip = true
                 ^
lab.toml:4:17: workload.augment_shift: belongs to learn = true (nothing is learned here) - remove it
  augment_shift = 2
                  ^
lab.toml:5:12: workload.prefetch: belongs to learn = true (nothing is learned here) - remove it
  prefetch = true
             ^)"},
      {"further than the image is high", lenet + learning + R"(augment_shift = 28
)" + box + alone,
       R"(lab.toml:6:17: workload.augment_shift: 28 pixels leave nothing of an image (the input of lenet5 is 28x28x1) - use less than 28
  augment_shift = 28
                  ^)"},
      {"a text", R"([workload]
network = "gpt-mini"
dataset = "markov-1000"
learn = true
steps = 1
augment_flip = true
)" + box + alone,
       R"(lab.toml:6:16: workload.augment_flip: changes images, which gpt-mini does not classify (sequences and boxes would lose their meaning) - leave it out
  augment_flip = true
                 ^)"},
  });
}

}  // namespace orrery
