#include "sim/base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#ifndef ORRERY_SOURCE_DIR
#error "the build defines ORRERY_SOURCE_DIR"
#endif

namespace orrery {

// A name that a signal handler may read at any moment: it is looked at only while the state says `live`.
struct TemporaryFile::Name {
  enum class State : int { free, being_written, live };
  std::atomic<State> state{State::free};
  std::array<char, PATH_MAX> text{};
  static_assert(std::atomic<State>::is_always_lock_free, "a signal handler must never wait for a lock");
};

// State of the whole process, because a signal handler can be given nothing. constinit: no guard a handler could block
// on. As many files can be under way at a time; more wait.
std::span<TemporaryFile::Name> TemporaryFile::names() {
  static constinit std::array<Name, 16> names{};
  return names;
}

TemporaryFile::Name& TemporaryFile::take() {
  for (;;) {
    for (Name& name : names()) {
      auto expected = Name::State::free;
      if (name.state.compare_exchange_strong(expected, Name::State::being_written)) return name;
    }
    std::this_thread::yield();
  }
}

TemporaryFile::TemporaryFile(const std::string& name) : name_(&take()) {
  if (name.size() >= name_->text.size()) {
    name_->state = Name::State::free;
    throw std::runtime_error("cannot write " + name + ": the name is too long");
  }
  std::memcpy(name_->text.data(), name.c_str(), name.size() + 1);
  name_->state = Name::State::live;
}

TemporaryFile::~TemporaryFile() {
  ::unlink(name_->text.data());  // after a rename the name is gone already
  name_->state = Name::State::free;
}

std::filesystem::path TemporaryFile::path() const {
  return name_->text.data();
}

void remove_temporary_files() noexcept {
  for (const TemporaryFile::Name& name : TemporaryFile::names()) {
    if (name.state.load() == TemporaryFile::Name::State::live) ::unlink(name.text.data());
  }
}

namespace {

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int value() const { return descriptor_; }

 private:
  int descriptor_;
};

[[noreturn]] void cannot(const char* verb, const std::filesystem::path& path, int error) {
  throw std::system_error(error, std::generic_category(), std::string("cannot ") + verb + " " + path.string());
}

/// Writes everything and flushes it to the disk. Returns 0 or the system's error number.
int write_everything(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool cannot_flush =
      ::fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS;  // EINVAL: a pipe, a terminal
  return cannot_flush ? errno : 0;
}

void write_to(const std::filesystem::path& path, int flags, std::string_view content) {
  const Descriptor file(::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666));
  if (file.value() < 0) cannot("write", path, errno);
  if (const int error = write_everything(file.value(), content); error != 0) cannot("write", path, error);
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view content) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  // A device or a pipe (/dev/null, /dev/stdout) is written to, never replaced by a file.
  const bool special = fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
  if (special) return write_to(path, 0, content);

  const fs::path target = fs::exists(status) ? fs::canonical(path) : path;  // a link stays a link
  static std::atomic<unsigned> counter{0};
  const std::string name = target.string() + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter++);
  const TemporaryFile temporary(name);
  const Descriptor file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.value() < 0) cannot("write", path, errno);
  if (const int error = write_everything(file.value(), content); error != 0) cannot("write", path, error);
  if (std::rename(name.c_str(), target.c_str()) != 0) cannot("write", path, errno);
}

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0) cannot("read", path, errno);
  std::string content;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::read(file.value(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) cannot("read", path, errno);
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::optional<std::string> read_input(const std::string& path, Problems& problems) {
  try {
    return read_file(path);
  } catch (const std::system_error& error) {
    Problem problem;
    problem.at.file = path;
    problem.what = "cannot be read";
    problem.why = error.code().message();
    problems.add(std::move(problem));
    return std::nullopt;
  }
}

std::filesystem::path executable_path() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

std::filesystem::path data_directory() {
  if (const char* const chosen = std::getenv("ORRERY_DATA"); chosen != nullptr && *chosen != '\0') return chosen;
  const std::filesystem::path executable = executable_path();
  for (std::filesystem::path folder = executable.parent_path();; folder = folder.parent_path()) {
    if (std::filesystem::is_directory(folder / "topologies" / "catalogue")) return folder;
    if (folder == folder.parent_path()) return ORRERY_SOURCE_DIR;
  }
}

}  // namespace orrery
