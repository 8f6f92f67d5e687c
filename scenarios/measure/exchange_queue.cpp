#include "scenarios/measure/exchange_queue.hpp"

namespace orrery {

void ExchangeQueue::add(ScheduleRun& run, std::span<float> buffer, const Activity& what) {
  waiting_.push_back({&run, buffer, what});
  if (waiting_.size() == 1) begin_first();
}

void ExchangeQueue::begin_first() {
  Entry& first = waiting_.front();
  first.what.stream = Stream::collective;
  first.what.bytes = first.run->bytes_sent();
  first.what.ready = first.what.start = recorder_.now();
  activity_ = recorder_.open(first.what);
  first.run->start(first.buffer);
}

void ExchangeQueue::poll() {
  while (!waiting_.empty() && waiting_.front().run->advance()) {
    recorder_.close(activity_, recorder_.now());
    waiting_.pop_front();
    if (!waiting_.empty()) begin_first();
  }
}

void ExchangeQueue::finish() {
  while (!waiting_.empty()) poll();
}

}  // namespace orrery
