// `orrery run` when a process of it dies.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"
#include "tests/cli/small_scenarios.hpp"

using orrery::read_file;
using namespace orrery::testing;
namespace fs = std::filesystem;

namespace {

/// A run that goes on in the background.
class BackgroundRun {
 public:
  explicit BackgroundRun(const std::vector<std::string>& arguments) : pid_(::fork()) {
    if (pid_ != 0) return;
    std::vector<char*> words;
    static const std::string binary = ORRERY_BINARY;
    words.push_back(const_cast<char*>(binary.c_str()));
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::setpgid(0, 0);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_;
};

/// The first child process of `parent`, once there is one; 0 after ten seconds.
pid_t child_of(pid_t parent) {
  const std::string list = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children";
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::ifstream file(list);
    pid_t child = 0;
    if (file >> child) return child;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return 0;
}

/// Neither gone nor ended and waiting for someone to ask how.
bool is_running(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  const std::size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end, 3, ") Z") != 0;
}

}  // namespace

TEST_CASE("the death of one simulation leaves the other rows and names scenario and strategy") {
  const TemporaryFolder folder;
  std::string text = three_ways;
  text.replace(text.find("rounds = 3"), 10, "rounds = 2000");
  text.insert(text.find("[[strategy]]"), text.substr(text.find("[[strategy]]\nname = \"fedavg\"")) + "\n");
  text = text.substr(0, text.rfind("[[strategy]]\nname = \"fedavg\""));
  const std::string scenario = folder.write("small.toml", text);
  BackgroundRun background({"run", scenario, "-o", folder.file("out")});
  const pid_t child = child_of(background.pid());
  REQUIRE(child > 0);
  REQUIRE(::kill(child, SIGKILL) == 0);
  const int status = background.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  const std::string results = read_file(folder.file("out/results.csv"));
  CHECK(results.find("\"scenario small, strategy fedavg: its process was ended by signal 9 (Killed)\"") !=
        std::string::npos);
  CHECK(results.find("small,one,") != std::string::npos);
  CHECK(results.find("small,four,") != std::string::npos);
}

TEST_CASE("an interrupted run leaves no file behind, nor a folder that it made") {
  const TemporaryFolder folder;
  std::string text = three_ways;
  text.replace(text.find("rounds = 3"), 10, "rounds = 2000");
  const std::string scenario = folder.write("small.toml", text);
  fs::create_directories(folder.file("there"));
  for (const std::string out : {"out/deep/", "there"}) {
    BackgroundRun background({"run", scenario, "-o", folder.file(out)});
    REQUIRE(child_of(background.pid()) > 0);
    ::kill(-background.pid(), SIGINT);
    const int status = background.wait();
    CHECK(WIFSIGNALED(status));
  }
  CHECK(!fs::exists(folder.file("out")));
  REQUIRE(fs::exists(folder.file("there")));
  CHECK(fs::is_empty(folder.file("there")));
}

TEST_CASE("a run that is ended alone takes its simulation with it, and cleans up when its terminal is closed") {
  const TemporaryFolder folder;
  std::string text = three_ways;
  text.replace(text.find("rounds = 3"), 10, "rounds = 2000");
  const std::string scenario = folder.write("small.toml", text);
  for (const int signal : {SIGTERM, SIGHUP, SIGKILL}) {
    BackgroundRun background({"run", scenario, "-o", folder.file("out")});
    const pid_t child = child_of(background.pid());
    REQUIRE(child > 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until it has asked to be told of its parent's end
    REQUIRE(::kill(background.pid(), signal) == 0);
    CHECK(WIFSIGNALED(background.wait()));
    for (int attempt = 0; attempt < 1000 && is_running(child); ++attempt) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK_FALSE(is_running(child));
    CHECK(fs::exists(folder.file("out")) == (signal == SIGKILL));
  }
}
