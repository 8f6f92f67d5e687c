#include "sim/base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <system_error>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

[[noreturn]] void cannot_start(const std::string& program, int error) {
  throw std::runtime_error("cannot start " + program + ": " + std::generic_category().message(error));
}

/// A pipe whose ends are closed when it leaves scope, and are not inherited by any child but through dup2.
class Pipe {
 public:
  explicit Pipe(const std::string& program) {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) cannot_start(program, errno);
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int reading() const { return ends_[0]; }
  [[nodiscard]] int writing() const { return ends_[1]; }
  void close_writing() { close_end(1); }

 private:
  void close_end(std::size_t end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }
  std::array<int, 2> ends_{-1, -1};
};

/// A started child: waited for in any case, so that none is left as a zombie.
class Child {
 public:
  Child(const std::vector<std::string>& arguments, const Pipe& output, const Pipe& errors) {
    std::vector<char*> pointers;
    pointers.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions{};
    int error = ::posix_spawn_file_actions_init(&actions);
    if (error != 0) cannot_start(arguments.front(), error);
    error = ::posix_spawn_file_actions_adddup2(&actions, output.writing(), STDOUT_FILENO);
    if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions, errors.writing(), STDERR_FILENO);
    if (error == 0) error = ::posix_spawn(&id_, pointers.front(), &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) cannot_start(arguments.front(), error);
  }
  ~Child() {
    if (ended_) return;
    ::kill(id_, SIGTERM);  // reached only when reading its output threw
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The status as waitpid() gives it.
  int wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) continue;
    ended_ = true;
    return status;
  }

 private:
  pid_t id_ = -1;
  bool ended_ = false;
};

/// Reads what is there. Returns false at the end of the stream.
bool read_some(int descriptor, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  text.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

/// Moves the complete lines of `pending` to `kept`, but for those that `on_line` takes.
void take_lines(std::string& pending, std::string& kept, const std::function<bool(const std::string&)>& on_line) {
  std::size_t start = 0;
  for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', start)) {
    const std::string line = pending.substr(start, end - start);
    if (!on_line || !on_line(line)) kept += line + '\n';
    start = end + 1;
  }
  pending.erase(0, start);
}

/// Reads both streams until the child has closed them. Both at once: a child blocks when either pipe is full.
void read_streams(const Pipe& output, const Pipe& errors, const std::function<bool(const std::string&)>& on_line,
                  ChildResult& result) {
  std::string pending;
  std::array<pollfd, 2> streams{{{output.reading(), POLLIN, 0}, {errors.reading(), POLLIN, 0}}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {  // poll() passes over negative descriptors
    if (::poll(streams.data(), streams.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "cannot wait for the output of a child process");
    }
    if (streams[0].fd >= 0 && streams[0].revents != 0) {
      if (!read_some(streams[0].fd, pending)) streams[0].fd = -1;
      take_lines(pending, result.output, on_line);
    }
    if (streams[1].fd >= 0 && streams[1].revents != 0) {
      if (!read_some(streams[1].fd, result.errors)) streams[1].fd = -1;
    }
  }
  result.output += pending;  // a last line without its newline
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& arguments,
                      const std::function<bool(const std::string&)>& on_line) {
  ORRERY_EXPECT(!arguments.empty());
  Pipe output(arguments.front());
  Pipe errors(arguments.front());
  Child child(arguments, output, errors);
  output.close_writing();
  errors.close_writing();
  ChildResult result;
  read_streams(output, errors, on_line, result);
  const int status = child.wait();
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

void end_with_parent() {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

}  // namespace orrery
