// What GCC's OpenMP pragmas in ncnn call, under names of ours: a program that uses OpenMP itself keeps its own runtime.
// cmake/Ncnn.cmake renames ncnn's references; ncnn uses nothing but parallel loops with static schedules.
#include "threads/team.hpp"

namespace {

thread_local int preset_threads = 0;

int preset() {
  return preset_threads > 0 ? preset_threads : nanoedge::threads::usable_cpus();
}

}  // namespace

extern "C" {

void nanoedge_GOMP_parallel(void (*work)(void*), void* data, unsigned threads, unsigned) {
  nanoedge::threads::run(work, data, threads > 0 ? static_cast<int>(threads) : preset());
}

int nanoedge_omp_get_thread_num() {
  return nanoedge::threads::number();
}

int nanoedge_omp_get_num_threads() {
  return nanoedge::threads::count();
}

int nanoedge_omp_get_max_threads() {
  return preset();
}

void nanoedge_omp_set_num_threads(int threads) {
  preset_threads = threads;
}

int nanoedge_omp_get_dynamic() {
  return 0;
}

void nanoedge_omp_set_dynamic(int) {}
}
