// The clock of this CPU in GHz: additions that each need the one before take a cycle each.
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#define ADD __asm__ volatile("add $1, %0" : "+r"(sum));
#elif defined(__aarch64__)
#define ADD __asm__ volatile("add %0, %0, #1" : "+r"(sum));
#else
#error "unknown CPU"
#endif
#define TEN(x) x x x x x x x x x x

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(void) {
  enum { ROUNDS = 40, TURNS = 50000, ADDITIONS = 100 };
  uint64_t sum = 0;
  double best = 1e9;
  for (int round = 0; round < ROUNDS; ++round) {
    const double start = seconds();
    for (int turn = 0; turn < TURNS; ++turn) {
      TEN(TEN(ADD))
    }
    const double taken = seconds() - start;
    if (taken < best) best = taken;
  }
  printf("%.4f\n", 1e-9 * TURNS * ADDITIONS / best);
  return sum == 0;
}
