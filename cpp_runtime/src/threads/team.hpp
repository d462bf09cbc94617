// Threads that share the work of one call. A team belongs to the thread that calls, and stays for its next call.
//
// OpenMP's own runtimes let idle threads spin for milliseconds: on a device where anything else wants a core, a frame
// then takes many times as long. Ours look for work for some microseconds and sleep.
#pragma once

#include <utility>

namespace nanoedge::threads {

using Work = void (*)(void*);

// Calls `work` once on each of `count` threads and returns when all are done. The calling thread is number 0. Inside
// such a call it runs on the calling thread alone. `work` must not throw.
void run(Work work, void* data, int count);

// This thread's number in the call that it works on, and how many threads do; 0 and 1 outside.
int number();
int count();

// CPUs that this process may use.
int usable_cpus();

// Calls work(item) for 0 .. items - 1, each thread a contiguous share of them.
template <class F>
void for_each(int items, int threads, F&& work) {
  struct Job {
    int items;
    F& work;
  } job{items, work};
  const auto share = [](void* data) {
    const Job& mine = *static_cast<Job*>(data);
    const auto place = [&](int thread) { return static_cast<int>(static_cast<long>(mine.items) * thread / count()); };
    for (int item = place(number()); item < place(number() + 1); ++item) mine.work(item);
  };
  run(share, &job, threads < items ? threads : items);
}

}  // namespace nanoedge::threads
