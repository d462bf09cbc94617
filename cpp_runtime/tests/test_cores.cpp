#include <catch.hpp>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "cores.hpp"
#include "refusal.hpp"

using namespace nanoedge;

namespace {

// A folder like /sys in which each CPU has the given number in the given file.
std::string make_sys(const std::string& file, const std::vector<int>& numbers) {
  char pattern[] = "/tmp/nanoedge-sys-XXXXXX";
  const std::string root = mkdtemp(pattern);
  std::string folder = root;
  for (const char* part : {"/devices", "/system", "/cpu"}) {
    folder += part;
    mkdir(folder.c_str(), 0700);
  }
  for (std::size_t cpu = 0; cpu < numbers.size(); ++cpu) {
    const std::string own = folder + "/cpu" + std::to_string(cpu);
    mkdir(own.c_str(), 0700);
    mkdir((own + "/cpufreq").c_str(), 0700);
    std::ofstream(own + "/" + file) << numbers[cpu] << "\n";
  }
  return root;
}

}  // namespace

TEST_CASE("big and little cores are told apart by capacity, else by frequency") {
  for (const char* file : {"cpu_capacity", "cpufreq/cpuinfo_max_freq"}) {
    const std::string root = make_sys(file, {400, 400, 1024, 1024, 990});
    CHECK(cpus_of(Cores::big, {0, 1, 2, 3, 4}, root.c_str()) == std::vector<int>{2, 3, 4});
    CHECK(cpus_of(Cores::little, {0, 1, 2, 3, 4}, root.c_str()) == std::vector<int>{0, 1});
    CHECK(cpus_of(Cores::little, {1, 2}, root.c_str()) == std::vector<int>{1});
    CHECK(cpus_of(Cores::all, {0, 3}, root.c_str()) == std::vector<int>{0, 3});
  }
}

TEST_CASE("a CPU with one kind of cores has neither big nor little ones") {
  const std::string root = make_sys("cpu_capacity", {1024, 1024});
  CHECK_THAT(refusal([&] { cpus_of(Cores::big, {0, 1}, root.c_str()); }), Catch::Contains("all of one kind"));
}

TEST_CASE("a scope gives the thread back where it was") {
  const std::vector<int> before = usable_cpus();
  {
    const AffinityScope scope({before.front()});
    CHECK(usable_cpus() == std::vector<int>{before.front()});
  }
  CHECK(usable_cpus() == before);
}
