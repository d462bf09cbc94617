// Keeps the calling thread's workers on the chosen CPUs during a run.
#pragma once

#include <sched.h>

#include <vector>

#include "engines/engine.hpp"
#include "threads/team.hpp"

namespace nanoedge {

// While it lives. Another detector on the same thread has the same workers, so they go back afterwards; the calling
// thread itself is moved by Detector.
class WorkersOnCpus {
 public:
  explicit WorkersOnCpus(const EngineOptions& options) : options_(options) { move(options_.cpus); }
  ~WorkersOnCpus() { move(options_.usable_cpus); }
  WorkersOnCpus(const WorkersOnCpus&) = delete;
  WorkersOnCpus& operator=(const WorkersOnCpus&) = delete;

 private:
  void move(const std::vector<int>& cpus) const {
    if (options_.cpus.empty()) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int cpu : cpus) CPU_SET(cpu, &set);
    const auto work = [](void* data) {
      if (threads::number() > 0) sched_setaffinity(0, sizeof(cpu_set_t), static_cast<const cpu_set_t*>(data));
    };
    threads::run(work, &set, options_.threads);
  }

  const EngineOptions& options_;
};

}  // namespace nanoedge
