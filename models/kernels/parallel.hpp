// The one parallel region of the project, and the floating-point mode its threads run in.
#pragma once

#include <cstddef>
#include <type_traits>

namespace orrery {

/// Threads that for_each_task() uses when not told otherwise: OMP_NUM_THREADS, or the cores of the machine.
std::size_t default_workers();

/// A callable seen from afar, without a copy and so without memory of its own; good while the callable lives.
class TaskBody {
 public:
  template <class Body>
  // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload): stands for the callable
  requires(!std::is_same_v<std::remove_cvref_t<Body>, TaskBody>) TaskBody(Body&& body)
      : body_(&body), call_([](const void* object, std::size_t task, std::size_t worker) {
          (*static_cast<const std::remove_reference_t<Body>*>(object))(task, worker);
        }) {}
  void operator()(std::size_t task, std::size_t worker) const { call_(body_, task, worker); }

 private:
  const void* body_;
  void (*call_)(const void*, std::size_t, std::size_t);
};

/// Calls body(task, worker) for every task in [0, tasks), each on one of min(workers, tasks) threads; `worker` numbers
/// the thread, so that it can index scratch space. Neighbouring tasks go to the same worker, each time the same as long
/// as none is late; but which worker runs a task is open: a result may depend on the task alone. Threads flush
/// denormals to zero. When tasks throw, the exception of the lowest task is rethrown after all have ended. Called from
/// inside a task it runs serially, as worker 0. Inside a task the libraries that bring threads of their own (oneDNN)
/// use one. Allocates nothing.
void for_each_task(std::size_t tasks, std::size_t workers, TaskBody body);

/// While alive, this thread treats denormal numbers as zero: arithmetic on them is up to 50 times slower, and the
/// momentum of a dead unit decays right through them. Part of the numeric contract: the same in every thread.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned int saved_ = 0;
};

}  // namespace orrery
