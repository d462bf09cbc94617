// Two levels of cache with lines of 64 bytes, the least recently used line replaced; a write loads its line, too.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct Cache {
  uint64_t sets;    // a power of two
  unsigned ways;    // 0: no cache
  uint64_t *lines;  // [set][way], the latest first; a line's number plus 1
};

// From "BYTES:WAYS"; whether it makes sense.
static inline int make_cache(struct Cache *cache, const char *words) {
  char *end = NULL;
  const uint64_t size = strtoull(words, &end, 10);
  cache->ways = *end == ':' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
  cache->sets = cache->ways ? size / 64 / cache->ways : 0;
  if (cache->sets == 0 || (cache->sets & (cache->sets - 1)) != 0) return 0;
  cache->lines = calloc(cache->sets * cache->ways, sizeof *cache->lines);
  return cache->lines != NULL;
}

static inline int holds(const struct Cache *cache, uint64_t line) {
  const uint64_t *set = cache->lines + (line & (cache->sets - 1)) * cache->ways;
  for (unsigned way = 0; way < cache->ways; ++way) {
    if (set[way] == line + 1) return 1;
  }
  return 0;
}

// Whether it was there; afterwards it is.
static inline int touch(struct Cache *cache, uint64_t line) {
  uint64_t *set = cache->lines + (line & (cache->sets - 1)) * cache->ways;
  unsigned way = 0;
  while (way + 1 < cache->ways && set[way] != line + 1) ++way;
  const int found = set[way] == line + 1;
  memmove(set + 1, set, way * sizeof *set);
  set[0] = line + 1;
  return found;
}
