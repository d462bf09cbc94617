// How threads wait for each other: they look for a while, then they sleep.
#pragma once

#include <atomic>
#include <chrono>

namespace nanoedge::threads {

using Clock = std::chrono::steady_clock;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

// Looks for `done` until `end`; false when it did not come.
template <class F>
bool look_for(Clock::time_point end, F&& done) {
  if (done()) return true;
  while (Clock::now() < end) {
    for (int i = 0; i < 16; ++i) {
      relax();
      if (done()) return true;
    }
  }
  return false;
}

// Between a thread's "I did" and its look at whether another sleeps, and between that one's "I sleep" and its last look
// at whether there is something to do: one of the two sees the other. A fence, not sequentially consistent accesses:
// QEMU emulates those of ARM more weakly than they are, and a call then never ended.
inline void full_fence() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace nanoedge::threads
