#include "cores.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace nanoedge {
namespace {

long read_number(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return -1;
  long value = -1;
  if (std::fscanf(file, "%ld", &value) != 1) value = -1;
  std::fclose(file);
  return value;
}

long strength_of(int cpu, const std::string& root) {
  const std::string folder = root + "/devices/system/cpu/cpu" + std::to_string(cpu);
  const long capacity = read_number(folder + "/cpu_capacity");
  return capacity > 0 ? capacity : read_number(folder + "/cpufreq/cpuinfo_max_freq");
}

}  // namespace

std::vector<int> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

std::vector<int> cpus_of(Cores cores, const std::vector<int>& usable, const char* root) {
  if (cores == Cores::all) return usable;
  std::vector<long> strengths;
  for (const int cpu : usable) strengths.push_back(strength_of(cpu, root));
  const auto [weakest, strongest] = std::minmax_element(strengths.begin(), strengths.end());
  if (*weakest == *strongest) {
    throw Error(ErrorKind::engine,
                "The CPUs that may be used are all of one kind; there are no big and little cores "
                "to choose from.");
  }
  // Between the two: nearer to the strongest counts as big, so that a middle cluster belongs to one side.
  const long middle = *weakest + (*strongest - *weakest) / 2;
  std::vector<int> chosen;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    if ((strengths[i] > middle) == (cores == Cores::big)) chosen.push_back(usable[i]);
  }
  return chosen;
}

AffinityScope::AffinityScope(const std::vector<int>& cpus) {
  if (cpus.empty() || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  active_ = sched_setaffinity(0, sizeof set, &set) == 0;
}

AffinityScope::~AffinityScope() {
  if (active_) sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace nanoedge
