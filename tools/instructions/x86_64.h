// Classes of x86-64's instructions as far as compilers use them with AVX2, by the opcode maps of Intel's manual (volume
// 2, appendix A): enough to try the model of a CPU on a CPU that is here. No EVEX, no x87.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "classes.h"

struct Instruction {
  int is_vex, is_wide, prefix;  // 256 bits; the last of 0x66, 0xf2, 0xf3
  unsigned map, opcode;         // 0: one byte, 1: behind 0f, 2: behind 0f38, 3: behind 0f3a
  int has_memory;               // where the opcode has an operand that may be memory
  unsigned extension;           // the middle field of the byte that names operands
};

static inline struct Instruction decoded(const uint8_t *at, size_t size) {
  struct Instruction it = {0};
  const uint8_t *end = at + size;
  for (; at < end; ++at) {
    if (*at == 0x66 || *at == 0xf2 || *at == 0xf3) {
      it.prefix = *at;
    } else if ((*at & 0xf0) != 0x40 && (*at & 0xe7) != 0x26 && *at != 0x64 && *at != 0x65 && *at != 0x67 &&
               *at != 0xf0) {
      break;
    }
  }
  static const uint8_t prefixes[4] = {0, 0x66, 0xf3, 0xf2};
  if (end - at > 2 && *at == 0xc5) {
    it.is_vex = 1, it.map = 1, it.is_wide = at[1] >> 2 & 1, it.prefix = prefixes[at[1] & 3];
    at += 2;
  } else if (end - at > 3 && *at == 0xc4) {
    it.is_vex = 1, it.map = at[1] & 31, it.is_wide = at[2] >> 2 & 1, it.prefix = prefixes[at[2] & 3];
    at += 3;
  } else if (end - at > 1 && *at == 0x0f) {
    ++at, it.map = 1;
    if (end - at > 1 && (*at == 0x38 || *at == 0x3a)) it.map = *at++ == 0x38 ? 2 : 3;
  }
  if (at < end) it.opcode = *at++;
  if (at < end) it.has_memory = *at >> 6 != 3, it.extension = *at >> 3 & 7;
  return it;
}

static inline int is_in(unsigned value, unsigned first, unsigned last) { return value >= first && value <= last; }

static inline enum Class class_0f(unsigned opcode) {
  if (is_in(opcode, 0x14, 0x15) || is_in(opcode, 0x60, 0x63) || is_in(opcode, 0x67, 0x6d) || opcode == 0x70 ||
      opcode == 0xc6) {
    return CLASS_zip;
  }
  if (opcode == 0x50 || is_in(opcode, 0xc4, 0xc5) || opcode == 0xd7 || opcode == 0x6e || opcode == 0x7e) {
    return CLASS_transfer;
  }
  if (is_in(opcode, 0x2a, 0x2d) || is_in(opcode, 0x5a, 0x5b) || opcode == 0xe6) return CLASS_convert;
  if (opcode == 0x51 || opcode == 0x5e) return CLASS_fp_slow;
  if (is_in(opcode, 0x2e, 0x2f) || is_in(opcode, 0x52, 0x53) || is_in(opcode, 0x58, 0x5f) || opcode == 0xc2 ||
      opcode == 0xd0 || is_in(opcode, 0x7c, 0x7d)) {
    return CLASS_fp;
  }
  if (is_in(opcode, 0x71, 0x73) || is_in(opcode, 0xd1, 0xd3) || is_in(opcode, 0xe1, 0xe2) ||
      is_in(opcode, 0xf1, 0xf3)) {
    return CLASS_shift;
  }
  if (opcode == 0xd5 || is_in(opcode, 0xe4, 0xe5) || is_in(opcode, 0xf4, 0xf6)) return CLASS_multiply_long;
  return CLASS_vector;
}

static inline enum Class class_0f38(unsigned opcode) {
  if (opcode == 0x04 || opcode == 0x0b || opcode == 0x28) return CLASS_multiply_long;
  if (opcode == 0x40) return CLASS_multiply;
  if (opcode == 0x13) return CLASS_convert;
  if (is_in(opcode, 0x45, 0x47)) return CLASS_shift;
  if (is_in(opcode, 0x50, 0x53)) return CLASS_dot;
  if (is_in(opcode, 0x96, 0xbf)) return CLASS_fp_multiply_add;
  if (opcode == 0x00 || is_in(opcode, 0x0c, 0x0d) || is_in(opcode, 0x16, 0x1a) || is_in(opcode, 0x20, 0x25) ||
      opcode == 0x2b || is_in(opcode, 0x30, 0x36) || is_in(opcode, 0x58, 0x5a) || is_in(opcode, 0x78, 0x79)) {
    return CLASS_zip;
  }
  return CLASS_vector;
}

static inline enum Class class_0f3a(unsigned opcode) {
  if (is_in(opcode, 0x08, 0x0b) || opcode == 0x1d) return CLASS_convert;
  if (is_in(opcode, 0x14, 0x17) || is_in(opcode, 0x20, 0x22)) return CLASS_transfer;
  if (opcode <= 0x01 || is_in(opcode, 0x04, 0x06) || opcode == 0x0f || is_in(opcode, 0x18, 0x19) ||
      is_in(opcode, 0x38, 0x39) || opcode == 0x46) {
    return CLASS_zip;
  }
  return CLASS_vector;
}

static inline int only_stores(const struct Instruction *it) {
  switch (it->map) {
    case 1:
      return it->opcode == 0x11 || it->opcode == 0x13 || it->opcode == 0x17 || it->opcode == 0x29 ||
             it->opcode == 0x2b || it->opcode == 0x7f || it->opcode == 0xe7 || it->opcode == 0xd6 ||
             (it->opcode == 0x7e && it->prefix != 0xf3);
    case 2:
      return is_in(it->opcode, 0x2e, 0x2f) || it->opcode == 0x8e;
    default:
      return is_in(it->opcode, 0x14, 0x17) || it->opcode == 0x19 || it->opcode == 0x39 || it->opcode == 0x1d;
  }
}

static inline int only_loads(const struct Instruction *it) {
  switch (it->map) {
    case 1:
      return it->opcode == 0x10 || it->opcode == 0x12 || it->opcode == 0x16 || it->opcode == 0x28 ||
             is_in(it->opcode, 0x6e, 0x6f) || it->opcode == 0x7e || it->opcode == 0xf0;
    case 2:
      return is_in(it->opcode, 0x18, 0x1a) || is_in(it->opcode, 0x58, 0x5a) || is_in(it->opcode, 0x78, 0x79) ||
             it->opcode == 0x2a || is_in(it->opcode, 0x2c, 0x2d) || it->opcode == 0x8c;
    default:
      return 0;
  }
}

static inline struct Work simd_work(const struct Instruction *it) {
  const unsigned width = it->is_wide ? 2 : 1;
  const int is_one_float = it->map == 1 && (it->prefix == 0xf2 || it->prefix == 0xf3) &&
                           (is_in(it->opcode, 0x10, 0x11) || is_in(it->opcode, 0x51, 0x5f));
  const int is_half = is_one_float || (it->map == 1 && (is_in(it->opcode, 0x12, 0x13) || it->opcode == 0xd6 ||
                                                         is_in(it->opcode, 0x16, 0x17) || it->opcode == 0x6e ||
                                                         it->opcode == 0x7e));
  const enum Class loads = is_half ? CLASS_load_vector : CLASS_load_wide;
  const enum Class stores = is_half ? CLASS_store_vector : CLASS_store_wide;
  const enum Class class = it->map == 1   ? class_0f(it->opcode)
                           : it->map == 2 ? class_0f38(it->opcode)
                                           : class_0f3a(it->opcode);
  if (!it->has_memory) return several(class, width, CLASS_other, 0);
  if (only_stores(it)) return several(stores, it->map == 3 ? 1 : width, CLASS_other, 0);
  if (only_loads(it)) return several(loads, width, CLASS_other, 0);
  return several(class, width, loads, width);
}

static inline struct Work with_memory(enum Class class, const struct Instruction *it) {
  return several(class, 1, CLASS_load, it->has_memory ? 1 : 0);
}

static inline struct Work moved(const struct Instruction *it, enum Class memory) {
  return several(it->has_memory ? memory : CLASS_integer, 1, CLASS_other, 0);
}

static inline struct Work one_byte(const struct Instruction *it) {
  const unsigned opcode = it->opcode;
  if (is_in(opcode, 0x70, 0x7f) || is_in(opcode, 0xe0, 0xe3) || opcode == 0xe9 || opcode == 0xeb) {
    return one(CLASS_branch);
  }
  if (opcode == 0xe8) return several(CLASS_branch, 1, CLASS_store, 1);
  if (is_in(opcode, 0xc2, 0xc3)) return several(CLASS_branch, 1, CLASS_load, 1);
  if (is_in(opcode, 0x50, 0x57) || opcode == 0x68 || opcode == 0x6a || is_in(opcode, 0xa4, 0xa5) ||
      is_in(opcode, 0xaa, 0xab)) {
    return one(CLASS_store);
  }
  if (is_in(opcode, 0x58, 0x5f)) return one(CLASS_load);
  if (is_in(opcode, 0x88, 0x89) || is_in(opcode, 0xc6, 0xc7)) return moved(it, CLASS_store);
  if (is_in(opcode, 0x8a, 0x8b) || opcode == 0x63) return moved(it, CLASS_load);
  if (opcode == 0x69 || opcode == 0x6b) return with_memory(CLASS_integer_multiply, it);
  if (is_in(opcode, 0xf6, 0xf7)) {
    return with_memory(it->extension >= 4 ? CLASS_integer_multiply : CLASS_integer, it);
  }
  if (opcode == 0xff && is_in(it->extension, 2, 5)) return with_memory(CLASS_branch, it);
  const int has_operands = (opcode < 0x40 && (opcode & 7) < 4) || is_in(opcode, 0x80, 0x87) ||
                           is_in(opcode, 0xc0, 0xc1) || is_in(opcode, 0xd0, 0xd3) || is_in(opcode, 0xfe, 0xff);
  return has_operands ? with_memory(CLASS_integer, it) : one(CLASS_integer);
}

static inline struct Work x86_64_work(const uint8_t *at, size_t size) {
  const struct Instruction found = decoded(at, size);
  const unsigned opcode = found.opcode;
  if (found.map == 0) return one_byte(&found);
  if (found.map == 2 && opcode >= 0xf0) return with_memory(CLASS_integer, &found);
  if (found.map == 3 && opcode >= 0xf0) return with_memory(CLASS_integer, &found);
  if (found.map != 1 || opcode == 0x77) return found.map == 1 ? one(CLASS_other) : simd_work(&found);
  if (is_in(opcode, 0x80, 0x8f) || opcode == 0x05) return one(CLASS_branch);
  if (opcode == 0xaf) return with_memory(CLASS_integer_multiply, &found);
  if (is_in(opcode, 0xb6, 0xb7) || is_in(opcode, 0xbe, 0xbf)) return moved(&found, CLASS_load);
  if (is_in(opcode, 0x90, 0x9f)) return moved(&found, CLASS_store);
  if (is_in(opcode, 0x40, 0x4f)) return with_memory(CLASS_integer, &found);
  if (is_in(opcode, 0x10, 0x17) || is_in(opcode, 0x28, 0x2f) || is_in(opcode, 0x50, 0x7f) || opcode == 0xc2 ||
      is_in(opcode, 0xc4, 0xc6) || opcode >= 0xd0) {
    return simd_work(&found);
  }
  return one(CLASS_integer);
}
