// Where the threads of one call wait until all of them are there.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "threads/waiting.hpp"

namespace nanoedge::threads {

class Barrier {
 public:
  // Threads look for the others for so long before they sleep.
  explicit Barrier(std::chrono::microseconds look) : look_(look) {}

  // Returns when `count` threads have called it as often as this one. What they wrote before is seen behind it.
  void wait(int count) {
    const unsigned phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      full_fence();
      if (sleepers_.load(std::memory_order_relaxed) == 0) return;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
      }
      wake_.notify_all();
      return;
    }
    const auto is_over = [&] { return phase_.load(std::memory_order_acquire) != phase; };
    if (is_over() || look_for(Clock::now() + look_, is_over)) return;
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1, std::memory_order_relaxed);
    full_fence();
    wake_.wait(lock, is_over);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  const std::chrono::microseconds look_;
  std::atomic<int> arrived_{0}, sleepers_{0};
  std::atomic<unsigned> phase_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace nanoedge::threads
