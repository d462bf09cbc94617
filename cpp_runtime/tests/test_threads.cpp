#include <catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "threads/barrier.hpp"
#include "threads/team.hpp"

using namespace nanoedge;

namespace {

// The numbers under which one call's work ran, and the team's size that each thread saw.
struct Seen {
  std::mutex mutex;
  std::multiset<int> numbers, counts;
};

Seen& call(Seen& seen, int count) {
  const auto work = [](void* data) {
    Seen& mine = *static_cast<Seen*>(data);
    const std::lock_guard<std::mutex> lock(mine.mutex);
    mine.numbers.insert(threads::number());
    mine.counts.insert(threads::count());
  };
  threads::run(work, &seen, count);
  return seen;
}

// Milliseconds of CPU that all threads of this process have used.
double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

}  // namespace

TEST_CASE("a call's work runs once on each thread, however many there are") {
  for (const int count : {1, 2, 3, 8, 3, 1, 2, 40, 2}) {
    for (int again = 0; again < 50; ++again) {
      Seen seen;
      call(seen, count);
      std::multiset<int> numbers, counts;
      for (int i = 0; i < count; ++i) numbers.insert(i), counts.insert(count);
      REQUIRE(seen.numbers == numbers);
      REQUIRE(seen.counts == counts);
    }
  }
  CHECK(threads::number() == 0);
  CHECK(threads::count() == 1);
}

TEST_CASE("every item is worked on once, with fewer items than threads too") {
  for (const int items : {0, 1, 2, 7, 1000}) {
    for (const int count : {1, 2, 5}) {
      std::vector<std::atomic<int>> times(static_cast<std::size_t>(items));
      threads::for_each(items, count, [&](int item) { times[static_cast<std::size_t>(item)]++; });
      for (const std::atomic<int>& one : times) REQUIRE(one == 1);
    }
  }
}

TEST_CASE("a call inside a call runs on its own thread alone") {
  std::atomic<int> inner{0};
  threads::for_each(4, 4, [&](int) {
    const int number = threads::number();
    threads::for_each(10, 4, [&](int) {
      if (threads::count() == 1 && threads::number() == 0) inner++;
    });
    if (threads::number() != number || threads::count() != 4) inner = -1000;
  });
  CHECK(inner == 40);
}

TEST_CASE("several threads call at once, each with its own team") {
  std::atomic<long> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&] {
      for (int again = 0; again < 300; ++again) threads::for_each(10, 3, [&](int item) { sum += item; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(sum == 6 * 300 * 45);
}

TEST_CASE("workers that went to sleep are woken") {
  for (int again = 0; again < 20; ++again) {
    Seen seen;
    call(seen, 3);
    CHECK(seen.numbers.size() == 3);
    usleep(2000);
  }
}

TEST_CASE("between two calls workers look for work for a moment and then use no CPU") {
  constexpr int kCalls = 50, kRest = 4;  // milliseconds, as of a camera with 250 frames a second
  Seen seen;
  call(seen, 2);
  const double before = cpu_milliseconds();
  for (int again = 0; again < kCalls; ++again) {
    usleep(kRest * 1000);
    call(seen, 2);
  }
  CHECK(cpu_milliseconds() - before < kCalls * kRest / 4);
}

TEST_CASE("who waits long at a barrier sleeps") {
  threads::Barrier barrier{std::chrono::microseconds(100)};
  const double before = cpu_milliseconds();
  std::thread early([&] { barrier.wait(2); });
  usleep(200000);
  barrier.wait(2);
  early.join();
  CHECK(cpu_milliseconds() - before < 50);
}

TEST_CASE("a child process has a team of its own") {
  Seen before;
  call(before, 3);
  const pid_t child = fork();
  if (child == 0) {
    Seen seen;
    call(seen, 3);
    _exit(seen.numbers.size() == 3 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("nobody passes a barrier before all are there") {
  for (const int count : {1, 2, 3, 7}) {
    for (const int look : {0, 100}) {
      threads::Barrier barrier{std::chrono::microseconds(look)};
      constexpr int kRounds = 300;
      std::vector<std::atomic<int>> arrived(kRounds);
      std::atomic<int> early{0};
      std::vector<std::thread> all;
      for (int thread = 0; thread < count; ++thread) {
        all.emplace_back([&, thread] {
          for (int round = 0; round < kRounds; ++round) {
            if ((round + thread) % 50 == 0) usleep(300);  // longer than the others look
            ++arrived[static_cast<std::size_t>(round)];
            barrier.wait(count);
            early += arrived[static_cast<std::size_t>(round)] != count;
          }
        });
      }
      for (std::thread& thread : all) thread.join();
      CHECK(early == 0);
    }
  }
}
