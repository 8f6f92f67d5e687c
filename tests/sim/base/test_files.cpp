#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("what is written is read back, zero bytes included, and nothing else is left in the folder") {
  const ScratchFolder scratch;
  const fs::path path = scratch.path() / "results.csv";
  const std::string content("a,b\n\0x\n", 7);
  write_file(path, content);
  CHECK(read_file(path) == content);
  write_file(path, "shorter");
  CHECK(read_file(path) == "shorter");
  write_file(path, "");
  CHECK(read_file(path).empty());
  CHECK(entries(scratch.path()) == 1);
}

TEST_CASE("a written file has the permissions of any new file") {
  const ScratchFolder scratch;
  write_file(scratch.path() / "a", "x");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  struct stat status {};
  REQUIRE(::stat((scratch.path() / "a").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == (0666U & ~mask));
}

TEST_CASE("a link stays a link and its target is replaced") {
  const ScratchFolder scratch;
  write_file(scratch.path() / "target", "old");
  fs::create_symlink("target", scratch.path() / "link");
  write_file(scratch.path() / "link", "new");
  CHECK(fs::is_symlink(scratch.path() / "link"));
  CHECK(read_file(scratch.path() / "target") == "new");
}

TEST_CASE("a device is written to, not replaced") {
  write_file("/dev/null", "gone");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("what cannot be written is an error that names file and reason, and leaves no temporary file") {
  const ScratchFolder scratch;
  const std::string absent = (scratch.path() / "no" / "such" / "file").string();
  CHECK(message_of([&] { write_file(absent, "x"); }) == "cannot write " + absent + ": No such file or directory");
  const std::string folder = (scratch.path() / "folder").string();
  fs::create_directory(folder);
  CHECK(message_of([&] { write_file(folder, "x"); }) == "cannot write " + folder + ": Is a directory");
  CHECK(entries(scratch.path()) == 1);
}

TEST_CASE("what cannot be read is an error that names file and reason") {
  const ScratchFolder scratch;
  const std::string absent = (scratch.path() / "absent").string();
  CHECK(message_of([&] { read_file(absent); }) == "cannot read " + absent + ": No such file or directory");
  CHECK(message_of([&] { read_file(scratch.path()); }) ==
        "cannot read " + scratch.path().string() + ": Is a directory");
}

TEST_CASE("many threads write many files at once") {
  const ScratchFolder scratch;
  std::vector<std::thread> threads;
  constexpr int writers = 24;  // more than there are places on the list of temporary files
  threads.reserve(writers);
  for (int t = 0; t < writers; ++t) {
    threads.emplace_back([&scratch, t] {
      for (int i = 0; i < 5; ++i) write_file(scratch.path() / std::to_string(t), std::string(1000, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(entries(scratch.path()) == writers);
  CHECK(read_file(scratch.path() / "23").size() == 1000);
}

TEST_CASE("a signal handler removes the temporary file that a write under way has made") {
  const ScratchFolder scratch;
  const fs::path path = scratch.path() / "large";
  const std::string content(64U << 20U, 'x');
  bool seen = false;
  bool removed = false;
  std::thread writer([&] {
    try {
      write_file(path, content);
    } catch (const std::runtime_error&) {
      // The rename fails once the temporary file is gone.
    }
  });
  while (!seen && !fs::exists(path)) seen = entries(scratch.path()) > 0;
  if (seen) {
    remove_temporary_files();
    removed = entries(scratch.path()) == 0 || fs::exists(path);
  }
  writer.join();
  // Either the write was caught under way, and nothing is left, or it was over before, and the file is whole.
  CHECK((removed || fs::exists(path)));
  CHECK(entries(scratch.path()) == (fs::exists(path) ? 1U : 0U));
  if (fs::exists(path)) CHECK(fs::file_size(path) == content.size());
}

TEST_CASE("the data folder can be chosen, and is else found from the executable or the build") {
  CHECK(fs::exists(executable_path()));
  ::setenv("ORRERY_DATA", "chosen", 1);
  CHECK(data_directory() == fs::path("chosen"));
  ::unsetenv("ORRERY_DATA");
  CHECK(fs::is_directory(data_directory() / "topologies" / "catalogue"));
}

}  // namespace orrery
