// Which CPUs this process may use, and which of them are the big and the little ones.
#pragma once

#include <sched.h>

#include <vector>

#include "nanoedge/detector.hpp"

namespace nanoedge {

// Whether CPUs that differ in their highest frequency are of different kinds. On x86 they need not be: cores of one
// kind are sorted by how fast they turned out, and hybrids are not measured.
#if defined(__x86_64__) || defined(__i386__)
inline constexpr bool kFrequencyTellsKinds = false;
#else
inline constexpr bool kFrequencyTellsKinds = true;
#endif

// The CPUs that this process may use.
std::vector<int> usable_cpus();

// Those of one kind: by the kernel's cpu_capacity (ARM), else by the highest frequency.
//
// `auto_`: the big ones where others are clearly weaker, else all. What the system does not tell, or tells of some CPUs
// only, is no reason to choose; nothing is thrown.
// `big`, `little`: Throws Error (engine) where the CPUs are all of one kind.
//
// `root` is /sys, or a copy of its layout in tests.
std::vector<int> cpus_of(Cores cores, const std::vector<int>& usable, const char* root = "/sys",
                         bool frequency_tells = kFrequencyTellsKinds);

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
