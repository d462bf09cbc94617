#include "cores.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace nanoedge {
namespace {

// Above it cores are alike: clusters of one kind differ by a few percent, as they turned out, those of two kinds by a
// sixth or more, even where only their clocks are known.
constexpr double kAlike = 0.85;

// -1 where there is none.
long read_number(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return -1;
  char line[32];
  char* end = line;
  const long value = std::fgets(line, sizeof line, file) != nullptr ? std::strtol(line, &end, 10) : -1;
  std::fclose(file);
  return end != line ? value : -1;
}

// A number of each CPU; none where one of them lacks it.
std::vector<long> numbers_of(const std::vector<int>& cpus, const std::string& root, const char* file) {
  std::vector<long> numbers;
  for (const int cpu : cpus) {
    numbers.push_back(read_number(root + "/devices/system/cpu/cpu" + std::to_string(cpu) + "/" + file));
    if (numbers.back() <= 0) return {};
  }
  return numbers;
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

std::vector<int> cpus_of(Cores cores, const std::vector<int>& usable, const char* root, bool frequency_tells) {
  if (cores == Cores::all) return usable;
  const bool is_wish = cores == Cores::auto_;  // not an order
  std::vector<long> strengths = numbers_of(usable, root, "cpu_capacity");
  if (strengths.empty() && (frequency_tells || !is_wish)) {
    strengths = numbers_of(usable, root, "cpufreq/cpuinfo_max_freq");
  }
  const auto [weakest, strongest] = std::minmax_element(strengths.begin(), strengths.end());
  if (strengths.empty() || *weakest == *strongest) {
    if (is_wish) return usable;
    throw Error(ErrorKind::engine,
                "The CPUs that may be used are all of one kind; there are no big and little cores "
                "to choose from.");
  }
  if (is_wish && static_cast<double>(*weakest) > kAlike * static_cast<double>(*strongest)) return usable;
  // Between the two: nearer to the strongest counts as big, so that a middle cluster belongs to one side.
  const long middle = *weakest + (*strongest - *weakest) / 2;
  std::vector<int> chosen;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    if ((strengths[i] > middle) == (cores != Cores::little)) chosen.push_back(usable[i]);
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
