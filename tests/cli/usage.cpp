// Mistyped command lines: whole error texts on standard error, nothing on standard output, exit code 2.
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::testing::call_orrery;
using orrery::testing::call_orrery_with;
using orrery::testing::TemporaryFolder;

namespace {

struct Mistake {
  std::vector<std::string> arguments;
  std::string text;
};

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> table = {
      {{"rnu"}, "orrery: unknown command \"rnu\" (did you mean \"run\"?) - see `orrery --help`\n"},
      {{"run"}, "orrery run: SCENARIO is missing - see `orrery run --help`\n"},
      {{"run", "a.toml", "b.toml"}, "orrery run: too many arguments (1 wanted) - see `orrery run --help`\n"},
      {{"run", "a.toml", "--forse"},
       "orrery run: unknown option --forse (did you mean \"--force\"?) - see `orrery run --help`\n"},
      {{"run", "a.toml", "--forc"},
       "orrery run: unknown option --forc (did you mean \"--force\"?) - see `orrery run --help`\n"},
      {{"run", "a.toml", "--engine"},
       "orrery run: the required argument for option '--engine' is missing - see `orrery run --help`\n"},
      {{"run", "a.toml", "--engine", "flwo"}, "orrery run: unknown engine \"flwo\" (did you mean \"flow\"?)\n"},
      {{"run", "a.toml", "-o", "x", "-o", "y"},
       "orrery run: option '--output' cannot be specified more than once - see `orrery run --help`\n"},
      {{"list"}, "orrery list: KIND is missing - see `orrery list --help`\n"},
      {{"list", "device", "x"}, "orrery list: too many arguments (1 wanted) - see `orrery list --help`\n"},
      {{"list", "devcies"}, "orrery list: unknown kind \"devcies\" (did you mean \"devices\"?)\n"},
      {{"show", "device", "a100-sxm-8"},
       "orrery show: \"a100-sxm-8\" is not among the devices (did you mean \"a100-sxm-80\"?)\n"},
      {{"show", "network", "resnet-50"},
       "orrery show: \"resnet-50\" is not among the networks (did you mean \"resnet50\"?)\n"},
      {{"profile"}, "orrery profile: give either a NETWORK or --device - see `orrery profile --help`\n"},
      {{"profile", "2nn", "--device"},
       "orrery profile: give either a NETWORK or --device - see `orrery profile --help`\n"},
      {{"profile", "--device", "--trace", "t.json"}, "orrery profile: --trace needs a NETWORK, not --device\n"},
      {{"profile", "2nn", "--trace", "t.json", "--batch", "8,16"},
       "orrery profile: --trace wants one --batch, that of the trace\n"},
      {{"profile", "2nn", "--batch", "8,zero"},
       "orrery profile: --batch wants whole numbers from 1 separated by commas, got \"8,zero\"\n"},
      {{"profile", "2nn", "--threads", "0"},
       "orrery profile: --threads wants whole numbers from 1 separated by commas, got \"0\"\n"},
      {{"profile", "2nn", "--repeats", "0"}, "orrery profile: --repeats must be at least 1, got 0\n"},
      {{"profile", "2nn", "--repeats", "many"},
       "orrery profile: the argument ('many') for option '--repeats' is invalid - see `orrery profile --help`\n"},
      {{"search"}, "orrery search: SCENARIO is missing - see `orrery search --help`\n"},
      {{"search", orrery::testing::shipped_scenario("megatron-175b"), "--limit", "memory=1"},
       "orrery search: --limit memory=1 is no WHAT=NUMBER (did you mean \"memory_GiB\"?)\n"},
      {{"search", orrery::testing::shipped_scenario("megatron-175b"), "--limit", "step_s=abc"},
       "orrery search: --limit step_s wants a number above 0, got \"abc\"\n"},
      {{"search", orrery::testing::shipped_scenario("megatron-175b"), "--limit", "step_s=inf"},
       "orrery search: --limit step_s wants a number above 0, got \"inf\"\n"},
      {{"search", orrery::testing::shipped_scenario("megatron-175b"), "--limit", "cost=nan"},
       "orrery search: --limit cost wants a number above 0, got \"nan\"\n"},
      {{"search", orrery::testing::shipped_scenario("megatron-175b"), "--limit", "memory_GiB=-1"},
       "orrery search: --limit memory_GiB wants a number above 0, got \"-1\"\n"},
      {{"search", orrery::testing::shipped_scenario("megatron-175b"), "--top", "0"},
       "orrery search: --top must be between 1 and 1000000, got 0\n"},
      {{"compare", "/no-a", "/no-b"},
       "orrery compare: /no-a is no folder - make one with `orrery run SCENARIO -o DIR`\n"
       "orrery compare: /no-b is no folder - make one with `orrery run SCENARIO -o DIR`\n"},
      {{"search", orrery::testing::shipped_scenario("single")},
       "orrery search: single has no strategy of kind = \"hybrid\" to vary - add one with its cluster\n"},
      {{"trace"}, "orrery trace: DIR is missing - see `orrery trace --help`\n"},
  };
  return table;
}

}  // namespace

TEST_CASE("a mistyped command line is answered with the whole reason and exit code 2") {
  for (const Mistake& mistake : mistakes()) {
    const ChildResult result = call_orrery(mistake.arguments);
    CHECK(result.errors == mistake.text);
    CHECK(result.output.empty());
    CHECK(result.exit_code == 2);
  }
}

TEST_CASE("every command explains itself on standard output, beginning with examples") {
  for (const std::string command : {"run", "search", "profile", "list", "show", "explain", "trace"}) {
    const ChildResult result = call_orrery({command, "--help"});
    CHECK(result.exit_code == 0);
    CHECK(result.errors.empty());
    CHECK(result.output.find("Examples:\n  orrery " + command) != std::string::npos);
    CHECK(result.output.find("Exit codes:") != std::string::npos);
  }
}

TEST_CASE("every option's help names what it takes") {
  for (const std::string command :
       {"run", "search", "profile", "list", "show", "explain", "trace", "measure", "compare", "validate", "fit"}) {
    const ChildResult result = call_orrery({command, "--help"});
    INFO(result.output);
    CHECK(result.output.find(" arg ") == std::string::npos);
    const bool reads_scenario = result.output.find(" SCENARIO [options]") != std::string::npos;
    CHECK((result.output.find("\nSCENARIO is a file, or the name of one") != std::string::npos) == reads_scenario);
  }
}

TEST_CASE("a scenario that ships can be called by its name") {
  const ChildResult result = call_orrery({"run", "layers", "--check"});
  CHECK(result.exit_code == 0);
  CHECK(result.output.find("scenarios/layers.toml: ok, ") != std::string::npos);
  CHECK(call_orrery({"explain", "layers"}).exit_code == 0);
  const ChildResult wrong = call_orrery({"run", "layerz", "--check"});
  CHECK(wrong.exit_code == 3);
  CHECK(wrong.errors == "layerz: is neither a file nor a scenario that ships with Orrery - did you mean \"layers\"?\n");
}

TEST_CASE("without arguments the help goes to standard error with exit code 2") {
  const ChildResult result = call_orrery({});
  CHECK(result.exit_code == 2);
  CHECK(result.output.empty());
  CHECK(result.errors.find("Commands:") != std::string::npos);
}

TEST_CASE("an unknown network is invalid input with a suggestion") {
  const ChildResult result = call_orrery({"profile", "2n"});
  CHECK(result.exit_code == 3);
  CHECK(result.errors.find("did you mean \"2nn\"?") != std::string::npos);
}

TEST_CASE("results and profiles are never overwritten without --force") {
  const TemporaryFolder folder;
  folder.write("results.csv", "kept");
  const ChildResult run = call_orrery({"run", orrery::testing::shipped_scenario("layers"), "-o", folder.path()});
  CHECK(run.exit_code == 2);
  CHECK(run.errors == "orrery run: " + folder.path() + " already holds results - choose another -o or add --force\n");
  const std::string profile = folder.write("p.csv", "kept");
  const ChildResult recorded = call_orrery({"profile", "2nn", "-o", profile});
  CHECK(recorded.exit_code == 2);
  CHECK(recorded.errors == "orrery profile: " + profile + " exists - choose another -o or add --force\n");
}

TEST_CASE("standard output that cannot be written is told, not taken for success") {
  for (const std::string words : {"list devices", "--version", "run --help"}) {
    const ChildResult result = call_orrery_with("", words + " > /dev/full");
    CHECK(result.exit_code == 1);
    CHECK(result.errors == "orrery: cannot write all of the standard output\n");
  }
}

TEST_CASE("a trace of a folder without a run says what to do first") {
  const TemporaryFolder folder;
  const ChildResult result = call_orrery({"trace", folder.path()});
  CHECK(result.exit_code == 3);
  CHECK(result.errors ==
        folder.file("timeline.csv") +
            ": no such file (a trace is made from the results of a run) - run `orrery run SCENARIO -o " +
            folder.path() + "` first\n");
}

TEST_CASE("help of a command is what its --help says, and an unknown one is an unknown command") {
  CHECK(call_orrery({"help", "search"}).output == call_orrery({"search", "--help"}).output);
  CHECK(call_orrery({"help"}).output == call_orrery({"--help"}).output);
  const ChildResult unknown = call_orrery({"help", "serach"});
  CHECK(unknown.exit_code == 2);
  CHECK(unknown.errors == "orrery: unknown command \"serach\" (did you mean \"search\"?) - see `orrery --help`\n");
}

TEST_CASE("a folder for temporary files that is none is told by the name of its variable") {
  const ChildResult run = call_orrery_with("TMPDIR=/nonexistent", "run layers -q");
  CHECK(run.exit_code == 1);
  CHECK(run.errors == "orrery: no folder for temporary files: the one that TMPDIR names is none\n");
}
