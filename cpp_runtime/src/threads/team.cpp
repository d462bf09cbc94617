#include "threads/team.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "threads/waiting.hpp"

namespace nanoedge::threads {
namespace {

constexpr auto kLookForWork = std::chrono::microseconds(50);  // longer than what lies between two layers
constexpr auto kLookForEnd = std::chrono::microseconds(20);
// Where callers wait for their workers more than half as long as they work themselves, others want the CPUs that the
// workers look for work on. Then workers sleep at once, so that the system starts them where there is room. Judged over
// so many calls; tried again after a rest, twice as long each time.
constexpr int kJudged = 64, kFirstRest = 256, kLongestRest = 1 << 15;
constexpr std::size_t kStack = std::size_t{1} << 20;

// How often this process came out of a fork: a child has none of its parent's workers.
std::atomic<int> forks{0};

thread_local int this_number = 0, this_count = 1;

class Team {
 public:
  Team() = default;
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  ~Team() {
    if (is_of_parent()) return;  // its workers do not exist here
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (const auto& worker : workers_) pthread_join(worker->thread, nullptr);
  }

  bool is_of_parent() const { return forks_ != forks.load(std::memory_order_relaxed); }

  void run(Work work, void* data, int count) {
    const int helpers = hire(count - 1);
    const Clock::time_point start = Clock::now();
    work_ = work;
    data_ = data;
    pending_.store(helpers, std::memory_order_relaxed);
    // The ticket holds the number of helpers too: a worker that has none of this call's work must not look at it.
    const std::uint64_t next = (ticket_.load(std::memory_order_relaxed) >> 16) + 1;
    ticket_.store((next << 16) | static_cast<std::uint64_t>(helpers), std::memory_order_release);
    full_fence();
    if (sleepers_.load(std::memory_order_relaxed) > 0) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
      }
      wake_.notify_all();
    }
    take_part(0, helpers + 1);
    const Clock::time_point own_end = Clock::now();
    if (!look_for(own_end + kLookForEnd, [&] { return pending_.load(std::memory_order_acquire) == 0; })) {
      std::unique_lock<std::mutex> lock(mutex_);
      waits_.store(true, std::memory_order_relaxed);
      full_fence();
      done_.wait(lock, [&] { return pending_.load() == 0; });
      waits_.store(false, std::memory_order_relaxed);
    }
    judge(own_end - start, Clock::now() - own_end);
  }

 private:
  struct Worker {
    Team* team;
    int number;
    pthread_t thread;
  };

  // Decides whether workers may look for work before they sleep.
  void judge(Clock::duration worked, Clock::duration waited) {
    if (crowded_ || (resting_ > 0 && --resting_ > 0)) return;
    if (!may_spin_.load(std::memory_order_relaxed)) {
      may_spin_.store(true, std::memory_order_relaxed);
      return;
    }
    worked_ += worked;
    waited_ += waited;
    if (++judged_ < kJudged) return;
    if (2 * waited_ > worked_) {
      resting_ = rest_;
      rest_ = std::min(2 * rest_, kLongestRest);
      may_spin_.store(false, std::memory_order_relaxed);
    } else {
      rest_ = std::max(kFirstRest, rest_ - kJudged);
    }
    judged_ = 0;
    worked_ = waited_ = Clock::duration::zero();
  }

  void take_part(int number, int count) {
    this_number = number;
    this_count = count;
    work_(data_);
    this_number = 0;
    this_count = 1;
  }

  // As many workers as the system gives, up to `wanted`.
  int hire(int wanted) {
    if (wanted > most_) {
      most_ = wanted;
      crowded_ = wanted >= usable_cpus();
      if (crowded_) may_spin_.store(false);
    }
    while (static_cast<int>(workers_.size()) < wanted) {
      auto worker = std::make_unique<Worker>(Worker{this, static_cast<int>(workers_.size()) + 1, {}});
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      pthread_attr_setstacksize(&attributes, kStack);
      sigset_t all, before;  // signals are for the program's own threads
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);
      const int status = pthread_create(&worker->thread, &attributes, &Team::start, worker.get());
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      pthread_attr_destroy(&attributes);
      if (status != 0) break;
      workers_.push_back(std::move(worker));
    }
    return std::min(wanted, static_cast<int>(workers_.size()));
  }

  static void* start(void* worker) {
    static_cast<Worker*>(worker)->team->serve(static_cast<Worker*>(worker)->number);
    return nullptr;
  }

  void serve(int number) {
    std::uint64_t last = 0;
    for (;;) {
      const auto is_new = [&] { return ticket_.load() != last; };
      const bool may_spin = may_spin_.load(std::memory_order_relaxed);
      if (!look_for(may_spin ? Clock::now() + kLookForWork : Clock::time_point::min(), is_new)) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1, std::memory_order_relaxed);
        full_fence();
        wake_.wait(lock, [&] { return stop_ || is_new(); });
        sleepers_.fetch_sub(1, std::memory_order_relaxed);
        if (stop_) return;
      }
      last = ticket_.load();
      const int helpers = static_cast<int>(last & 0xffff);
      if (number > helpers) continue;
      take_part(number, helpers + 1);
      const bool is_last = pending_.fetch_sub(1, std::memory_order_acq_rel) == 1;
      full_fence();
      if (is_last && waits_.load(std::memory_order_relaxed)) {
        {
          const std::lock_guard<std::mutex> lock(mutex_);
        }
        done_.notify_one();
      }
    }
  }

  const int forks_ = forks.load();
  std::vector<std::unique_ptr<Worker>> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<int> pending_{0}, sleepers_{0};
  std::atomic<bool> waits_{false}, may_spin_{true};
  bool stop_ = false;
  Work work_ = nullptr;
  void* data_ = nullptr;
  Clock::duration worked_{0}, waited_{0};
  int most_ = 0, judged_ = 0, resting_ = 0, rest_ = kFirstRest;
  bool crowded_ = false;  // more threads than CPUs
};

struct TeamOfThread {
  Team* team = nullptr;
  ~TeamOfThread() {
    if (team != nullptr && !team->is_of_parent()) delete team;  // a parent's is left as it is
  }

  Team& get() {
    static const int handler = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
    static_cast<void>(handler);
    if (team == nullptr || team->is_of_parent()) team = new Team;
    return *team;
  }
};

thread_local TeamOfThread team_of_thread;

}  // namespace

int number() {
  return this_number;
}

int count() {
  return this_count;
}

int usable_cpus() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void run(Work work, void* data, int wanted) {
  if (wanted > 1 && this_count == 1) {
    team_of_thread.get().run(work, data, std::min(wanted, 1 << 15));
    return;
  }
  const int number_before = std::exchange(this_number, 0), count_before = std::exchange(this_count, 1);
  work(data);
  this_number = number_before;
  this_count = count_before;
}

}  // namespace nanoedge::threads
