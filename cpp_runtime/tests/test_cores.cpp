#include <catch.hpp>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "cores.hpp"
#include "options.hpp"
#include "refusal.hpp"

using namespace nanoedge;

namespace {

// A folder like /sys in which CPU 0, 1, ... has the given number in the given file; none where it is 0.
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
    if (numbers[cpu] != 0) std::ofstream(own + "/" + file) << numbers[cpu] << "\n";
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

TEST_CASE("big cores are taken by default where others are clearly weaker") {
  const std::string four_and_four = make_sys("cpu_capacity", {400, 400, 400, 400, 1003, 1003, 1024, 1024});
  CHECK(cpus_of(Cores::auto_, {0, 1, 2, 3, 4, 5, 6, 7}, four_and_four.c_str()) == std::vector<int>{4, 5, 6, 7});
  CHECK(cpus_of(Cores::auto_, {0, 1, 5}, four_and_four.c_str()) == std::vector<int>{5});
  CHECK(cpus_of(Cores::auto_, {1, 2}, four_and_four.c_str()) == std::vector<int>{1, 2});  // as taskset may leave
  const std::string phone = make_sys("cpu_capacity", {330, 330, 330, 330, 870, 870, 870, 1024});
  CHECK(cpus_of(Cores::auto_, {0, 1, 2, 3, 4, 5, 6, 7}, phone.c_str()) == std::vector<int>{4, 5, 6, 7});
}

TEST_CASE("small differences are no reason to leave out cores, unless they are asked for") {
  const std::string root = make_sys("cpu_capacity", {1003, 1003, 1024, 1024, 902});
  const std::vector<int> all = {0, 1, 2, 3, 4};
  CHECK(cpus_of(Cores::auto_, all, root.c_str()) == all);
  CHECK(cpus_of(Cores::big, all, root.c_str()) == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("frequencies count by default where they tell kinds of cores: not on x86") {
  const std::string root = make_sys("cpufreq/cpuinfo_max_freq", {1416000, 1416000, 1800000, 1800000});
  const std::vector<int> all = {0, 1, 2, 3};
  CHECK(cpus_of(Cores::auto_, all, root.c_str(), true) == std::vector<int>{2, 3});
  CHECK(cpus_of(Cores::auto_, all, root.c_str(), false) == all);
  CHECK(cpus_of(Cores::big, all, root.c_str(), false) == std::vector<int>{2, 3});
  const std::string favoured = make_sys("cpufreq/cpuinfo_max_freq", {5500000, 5500000, 5800000, 5500000});
  CHECK(cpus_of(Cores::auto_, all, favoured.c_str(), true) == all);
}

TEST_CASE("what the system tells of no CPU, or of some only, is no reason to choose and no error") {
  const std::vector<int> all = {0, 1, 2};
  CHECK(cpus_of(Cores::auto_, all, "/nowhere", true) == all);
  const std::string some = make_sys("cpu_capacity", {400, 0, 1024});
  CHECK(cpus_of(Cores::auto_, all, some.c_str(), true) == all);
  CHECK_THAT(refusal([&] { cpus_of(Cores::big, {0, 1, 2}, some.c_str()); }), Catch::Contains("all of one kind"));
  const std::string root = make_sys("cpufreq/cpuinfo_max_freq", {1400000, 1400000, 1800000});
  std::ofstream(root + "/devices/system/cpu/cpu0/cpu_capacity") << "1024\n";  // not comparable with frequencies
  std::ofstream(root + "/devices/system/cpu/cpu1/cpu_capacity") << "<none>\n";
  CHECK(cpus_of(Cores::auto_, all, root.c_str(), true) == std::vector<int>{2});
}

TEST_CASE("a detector has a thread for each core of its kind; more threads than big cores take all") {
  const std::vector<int> usable = usable_cpus();
  if (usable.size() < 2) {
    WARN("left out: needs two CPUs");
    return;
  }
  std::vector<int> capacities(static_cast<std::size_t>(usable.back()) + 1, 1024);
  capacities[static_cast<std::size_t>(usable.front())] = 300;
  const std::string root = make_sys("cpu_capacity", capacities);
  const int all = static_cast<int>(usable.size());
  const std::vector<int> big(usable.begin() + 1, usable.end());

  Options options;
  CHECK(engine_options_of(options, root.c_str()).threads == all - 1);
  CHECK(engine_options_of(options, root.c_str()).cpus == big);
  options.threads = 1;
  CHECK(engine_options_of(options, root.c_str()).cpus == big);
  options.threads = all;
  CHECK(engine_options_of(options, root.c_str()).threads == all);
  CHECK(engine_options_of(options, root.c_str()).cpus.empty());
  options.cores = Cores::big;
  CHECK(engine_options_of(options, root.c_str()).cpus == big);
  options.cores = Cores::all, options.threads = 0;
  CHECK(engine_options_of(options, root.c_str()).threads == all);
  CHECK(engine_options_of(options, root.c_str()).cpus.empty());
  options.cores = Cores::auto_;
  CHECK(engine_options_of(options, "/nowhere").threads == all);
  CHECK(engine_options_of(options, "/nowhere").cpus.empty());
}

TEST_CASE("a scope gives the thread back where it was") {
  const std::vector<int> before = usable_cpus();
  {
    const AffinityScope scope({before.front()});
    CHECK(usable_cpus() == std::vector<int>{before.front()});
  }
  CHECK(usable_cpus() == before);
}
