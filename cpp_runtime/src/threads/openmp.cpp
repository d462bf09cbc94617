// What the compiler makes of ncnn's OpenMP pragmas, run by our threads. ncnn uses nothing but parallel loops with
// static schedules.
//
// With GCC cmake/Ncnn.cmake renames ncnn's references to the names below: a program that uses OpenMP itself keeps its
// own runtime. clang's code calls LLVM's interface ("LLVM/OpenMP Runtime Reference"), under its usual names.
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "threads/team.hpp"

#if defined(__clang__)
#define NANOEDGE_NAME(name) name
#else
#define NANOEDGE_NAME(name) nanoedge_##name
#endif

namespace {

thread_local int preset_threads = 0;

int preset() {
  return preset_threads > 0 ? preset_threads : nanoedge::threads::usable_cpus();
}

}  // namespace

extern "C" {

int NANOEDGE_NAME(omp_get_thread_num)() {
  return nanoedge::threads::number();
}

int NANOEDGE_NAME(omp_get_num_threads)() {
  return nanoedge::threads::count();
}

int NANOEDGE_NAME(omp_get_max_threads)() {
  return preset();
}

void NANOEDGE_NAME(omp_set_num_threads)(int threads) {
  preset_threads = threads;
}

int NANOEDGE_NAME(omp_get_dynamic)() {
  return 0;
}

void NANOEDGE_NAME(omp_set_dynamic)(int) {}
}

#if !defined(__clang__)

extern "C" void nanoedge_GOMP_parallel(void (*work)(void*), void* data, unsigned threads, unsigned) {
  nanoedge::threads::run(work, data, threads > 0 ? static_cast<int>(threads) : preset());
}

#else

namespace {

thread_local int next_threads = 0;  // of this thread's next parallel loop; 0 for the preset

using Outlined = void (*)(std::int32_t* global, std::int32_t* bound, ...);

// One parallel region: its outlined function gets the addresses of what it shares as so many pointers.
struct Region {
  static constexpr int kMost = 48;
  Outlined function;
  void* shared[kMost];
  void (*call)(const Region& region);
};

template <std::size_t>
using Pointer = void*;

template <std::size_t... i>
void call_with(const Region& region, std::index_sequence<i...>) {
  std::int32_t number = nanoedge::threads::number();
  using Function = void (*)(std::int32_t*, std::int32_t*, Pointer<i>...);
  reinterpret_cast<Function>(region.function)(&number, &number, region.shared[i]...);
}

template <std::size_t count>
void call(const Region& region) {
  call_with(region, std::make_index_sequence<count>());
}

template <std::size_t... counts>
auto caller(int count, std::index_sequence<counts...>) {
  static constexpr void (*callers[])(const Region&) = {call<counts>...};
  return callers[count];
}

// This thread's part of the iterations lower .. upper (clang counts them from 0 by 1): contiguous, and equal but for
// one.
template <class Integer>
void share(std::int32_t schedule, std::int32_t* last, Integer* lower, Integer* upper) {
  constexpr std::int32_t kStatic = 34;
  *last = 0;
  if (*lower > *upper) return;
  const Integer start = *lower, final = *upper;
  const auto iterations = static_cast<std::uint64_t>(final - start) + 1;
  // Another kind of schedule: all of it to one thread.
  const auto number = static_cast<std::uint64_t>(nanoedge::threads::number());
  const auto count = schedule == kStatic ? static_cast<std::uint64_t>(nanoedge::threads::count()) : 1;
  const std::uint64_t each = iterations / count, more = iterations % count;
  const std::uint64_t first = number * each + (number < more ? number : more);
  const std::uint64_t size = number >= count ? 0 : each + (number < more ? 1 : 0);
  if (size == 0) {
    *lower = final + 1;
    return;
  }
  *lower = start + static_cast<Integer>(first);
  *upper = start + static_cast<Integer>(first + size - 1);
  *last = *upper == final ? 1 : 0;
}

}  // namespace

extern "C" {

std::int32_t __kmpc_global_thread_num(void*) {
  return nanoedge::threads::number();
}

void __kmpc_push_num_threads(void*, std::int32_t, std::int32_t threads) {
  next_threads = threads;
}

void __kmpc_fork_call(void*, std::int32_t count, Outlined function, ...) {
  if (count > Region::kMost) __builtin_trap();  // a test runs the layers; none comes near
  Region region{function, {}, caller(count, std::make_index_sequence<Region::kMost + 1>())};
  va_list shared;
  va_start(shared, function);
  for (int i = 0; i < count; ++i) region.shared[i] = va_arg(shared, void*);
  va_end(shared);
  const int threads = next_threads > 0 ? next_threads : preset();
  next_threads = 0;
  const auto work = [](void* data) {
    const Region& mine = *static_cast<const Region*>(data);
    mine.call(mine);
  };
  nanoedge::threads::run(work, &region, threads);
}

void __kmpc_for_static_init_4(void*, std::int32_t, std::int32_t schedule, std::int32_t* last, std::int32_t* lower,
                              std::int32_t* upper, std::int32_t*, std::int32_t, std::int32_t) {
  share(schedule, last, lower, upper);
}

void __kmpc_for_static_init_4u(void*, std::int32_t, std::int32_t schedule, std::int32_t* last, std::uint32_t* lower,
                               std::uint32_t* upper, std::int32_t*, std::int32_t, std::int32_t) {
  share(schedule, last, lower, upper);
}

void __kmpc_for_static_init_8(void*, std::int32_t, std::int32_t schedule, std::int32_t* last, std::int64_t* lower,
                              std::int64_t* upper, std::int64_t*, std::int64_t, std::int64_t) {
  share(schedule, last, lower, upper);
}

void __kmpc_for_static_init_8u(void*, std::int32_t, std::int32_t schedule, std::int32_t* last, std::uint64_t* lower,
                               std::uint64_t* upper, std::int64_t*, std::int64_t, std::int64_t) {
  share(schedule, last, lower, upper);
}

void __kmpc_for_static_fini(void*, std::int32_t) {}

// How long idle threads spin; ours decide for themselves.
int kmp_get_blocktime() {
  return 0;
}

void kmp_set_blocktime(int) {}
}

#endif
