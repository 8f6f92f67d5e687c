// Mistakes in [workload], each with the whole text that a user sees.
#include "sim/base/files.hpp"
#include "tests/scenarios/malformed.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {

TEST_CASE("names that are required are not empty") {
  check_malformed({
      {"a network", "[workload]\nnetwork = \"\"\n" + box + alone,
       R"(lab.toml:2:11: workload.network: is empty (required)
  network = ""
            ^)"},
      {"what serves clients, and over what",
       two_nn +
           "dataset_samples = 9\n[federation]\nclients = 2\ndevice = \"\"\nlink = \"\"\nserver = \"\"\nserver_link = "
           "\"\"\n" +
           federated,
       R"(lab.toml:6:10: federation.device: is empty (required)
  device = ""
           ^
lab.toml:7:8: federation.link: is empty (required)
  link = ""
         ^
lab.toml:8:10: federation.server: is empty (required)
  server = ""
           ^
lab.toml:9:15: federation.server_link: is empty (required)
  server_link = ""
                ^)"},
  });
}

TEST_CASE("tokens of a network of pictures are no choice") {
  const ScratchFolder folder;
  const std::string file = (folder.path() / "vit.json").string();
  write_file(file, R"({"model_type": "vit"})");
  check_malformed({
      {"a vision transformer", "[workload]\nhf_config = \"" + file + "\"\ntokens = 64\n" + box + alone,
       "lab.toml:3:10: workload.tokens: has no effect (pictures and their patches make the tokens of " + file +
           ") - remove it\n  tokens = 64\n           ^"},
  });
}

TEST_CASE("mistakes in the workload are told with their reason") {
  check_malformed({
      {"steps beside epochs", two_nn + R"(dataset = "mnist"
steps = 10
epochs = 2
)" + box + alone,
       R"(lab.toml:5:10: workload.epochs: is given beside steps (each says how long to train) - keep one of them
  epochs = 2
           ^)"},
      {"epochs without a data set", two_nn + R"(epochs = 2
)" + box + alone,
       R"(lab.toml:3:10: workload.epochs: needs a size of the data set (an epoch is one pass over it) - give dataset or dataset_samples, or steps instead of epochs
  epochs = 2
           ^)"},
      {"figures of which no count of steps can be made", two_nn + R"(batch = 9223372036854775807
dataset_samples = 9223372036854775807
epochs = 1e7
)" + box + alone,
       R"(lab.toml:3:9: workload.batch: 9223372036854775807 is out of range (must be between 1 and 1000000000)
  batch = 9223372036854775807
          ^
lab.toml:4:19: workload.dataset_samples: 9223372036854775807 is out of range (must be between 0 and 1000000000000)
  dataset_samples = 9223372036854775807
                    ^
lab.toml:5:10: workload.epochs: 10000000 is out of range (must be more than 0 and at most 1000000)
  epochs = 1e7
           ^)"},
      {"the size of a data set that has its own", two_nn + R"(dataset = "mnist"
dataset_samples = 5
)" + box + alone,
       R"(lab.toml:4:19: workload.dataset_samples: belongs to a workload without dataset (the data set "mnist" says it itself) - remove it
  dataset_samples = 5
                    ^)"},
      {"a data set of another shape", R"([workload]
network = "resnet50"
dataset = "mnist"
)" + box + alone,
       R"(lab.toml:3:11: workload.dataset: samples of mnist are 28x28x1 (resnet50 takes 224x224x3) - choose a network and a data set of the same shape
  dataset = "mnist"
            ^)"},
      {"an unknown data set", two_nn + R"(dataset = "fashion-mnits"
)" + box + alone,
       R"(lab.toml:3:11: workload.dataset: unknown data set "fashion-mnits" - did you mean "fashion-mnist"?
  dataset = "fashion-mnits"
            ^)"},
      {"learning from a data set that is only described", R"([workload]
network = "resnet50"
dataset = "imagenet"
learn = true
steps = 10
)" + box + alone,
       R"(lab.toml:3:11: workload.dataset: imagenet cannot be learned from (it is described, but not read) - use one of fashion-mnist, mnist, digits, synthetic, synthetic-writers, synthetic-boxes, markov-1000, markov-90, or learn = false
  dataset = "imagenet"
            ^)"},
      {"learning without data and without an end", two_nn + R"(learn = true
)" + box + alone,
       R"(lab.toml:3:9: workload.learn: needs a data set (there is none to learn from) - use one of fashion-mnist, mnist, digits, synthetic, synthetic-writers, synthetic-boxes, markov-1000, markov-90
  learn = true
          ^
lab.toml:3:9: workload.learn: needs an end (strategy a has neither steps nor epochs to go) - add steps or epochs
  learn = true
          ^)"},
      {"learning that only the federation ends", two_nn + R"(dataset = "mnist"
learn = true
)" + box + two_clients + federated + alone,
       R"(lab.toml:4:9: workload.learn: needs an end (strategy a has neither steps nor epochs to go) - add steps or epochs
  learn = true
          ^)"},
      {"a target that nothing works for", two_nn + R"(dataset = "mnist"
epochs = 1
target_accuracy = 0.9
)" + box + alone,
       R"(lab.toml:5:19: workload.target_accuracy: belongs to learn = true (nothing is learned here) - remove it
  target_accuracy = 0.9
                    ^)"},
      {"momentum without its optimizer", two_nn + R"(optimizer = "adam"
momentum = 0.9
)" + box + alone,
       R"(lab.toml:4:12: workload.momentum: belongs to optimizer = momentum | nesterov (the optimizer here is adam) - remove it
  momentum = 0.9
             ^)"},
      {"replay without a profile", two_nn + R"(compute = "replay"
)" + box + alone,
       R"(lab.toml:3:11: workload.compute: replay needs a profile (executed steps are what is replayed) - add profile = "FILE.csv" (made by `orrery profile`), or compute = "operators"
  compute = "replay"
            ^)"},
      {"a config.json that is no text", R"([workload]
hf_config = 3
)" + box + alone,
       R"(lab.toml:2:13: workload.hf_config: is the integer 3 (a string is wanted) - put it in quotes
  hf_config = 3
              ^)"},
      {"a profile that is not there", two_nn + R"(profile = "none.csv"
profile_host = "gpu"
)" + box + alone,
       R"(lab.toml:3:11: workload.profile: there is no file "none.csv"
  profile = "none.csv"
            ^)"},
  });
}

}  // namespace orrery
