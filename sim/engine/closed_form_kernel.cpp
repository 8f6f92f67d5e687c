// The verbs without contention: a queue of events, and the time of each known when it is put in.
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/engine/fluid_kernel.hpp"
#include "sim/engine/heap.hpp"

namespace orrery {

namespace {

struct Event {
  double time = 0.0;
  std::uint64_t sequence = 0;  // events of the same time happen in the order in which they were asked for
  std::function<void()> action;
  bool operator<(const Event& other) const {  // the first on top of a heap
    return std::pair(time, sequence) > std::pair(other.time, other.sequence);
  }
};

class ClosedFormKernel final : public FluidKernel {
 public:
  explicit ClosedFormKernel(const Platform& platform) : FluidKernel(platform, Sharing::none) {}

  void after(Seconds delay, std::function<void()> action) override {
    ORRERY_EXPECT(delay.value() >= 0.0);
    heap_push(events_, Event{now_ + delay.value(), sequence_++, std::move(action)});
  }

  [[nodiscard]] Seconds now() const override { return Seconds(now_); }

  void run() override {
    while (!events_.empty()) {
      const Event event = heap_pop(events_);
      now_ = event.time;
      event.action();
    }
  }

 protected:
  // Without sharing, nothing comes here.
  void start_transfer(Ticket, DeviceId, DeviceId, Bytes) override { ORRERY_EXPECT(false); }
  void start_work(Ticket, DeviceId, Seconds) override { ORRERY_EXPECT(false); }
  // Events of what has failed stay in the queue with tickets that are out of date.
  void turn_off(DeviceId) override {}
  void turn_off(LinkId) override {}

 private:
  std::vector<Event> events_;
  std::uint64_t sequence_ = 0;
  double now_ = 0.0;
};

}  // namespace

std::unique_ptr<Kernel> make_closed_form_kernel(const Platform& platform) {
  return std::make_unique<ClosedFormKernel>(platform);
}

}  // namespace orrery
