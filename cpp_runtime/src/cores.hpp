// Which CPUs this process may use, and which of them are the big and the little ones.
#pragma once

#include <sched.h>

#include <vector>

#include "nanoedge/detector.hpp"

namespace nanoedge {

// The CPUs that this process may use.
std::vector<int> usable_cpus();

// Those of one kind: by the kernel's cpu_capacity (ARM), else by the highest frequency. Throws Error (engine) when the
// CPUs are all of one kind and `cores` is not `all`. `root` is /sys, or a copy of its layout in tests.
std::vector<int> cpus_of(Cores cores, const std::vector<int>& usable, const char* root = "/sys");

// Keeps the calling thread on some CPUs while it lives, then gives it back where it was. Threads that are started
// meanwhile inherit it. An empty list changes nothing.
class AffinityScope {
 public:
  explicit AffinityScope(const std::vector<int>& cpus);
  ~AffinityScope();
  AffinityScope(const AffinityScope&) = delete;
  AffinityScope& operator=(const AffinityScope&) = delete;

 private:
  bool active_ = false;
  cpu_set_t before_;
};

}  // namespace nanoedge
