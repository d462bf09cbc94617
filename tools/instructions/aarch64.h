// Classes of 64-bit ARM's instructions, by the groups of the Arm Architecture Reference Manual (DDI 0487, C4.1).
#pragma once

#include <stdint.h>

#include "classes.h"

static inline unsigned bits(uint32_t word, unsigned from, unsigned count) { return word >> from & ((1U << count) - 1); }

static inline enum Class by_element(uint32_t word) {
  const unsigned is_unsigned = bits(word, 29, 1);
  switch (bits(word, 12, 4)) {
    case 0x0:
    case 0x4:
      return is_unsigned ? CLASS_multiply : CLASS_fp_multiply_add;  // mla, mls; fmlal, fmlsl
    case 0x1:
    case 0x5:
      return CLASS_fp_multiply_add;
    case 0x9:
      return CLASS_fp;
    case 0x8:
      return is_unsigned ? CLASS_fp_multiply_add : CLASS_multiply;
    case 0xc:
    case 0xd:
      return CLASS_multiply;
    case 0xe:
      return CLASS_dot;
    case 0xf:
      return is_unsigned ? CLASS_multiply : CLASS_dot;
    default:
      return CLASS_multiply_long;
  }
}

static inline enum Class three_same(uint32_t word) {
  const unsigned opcode = bits(word, 11, 5), is_unsigned = bits(word, 29, 1);
  switch (opcode) {
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x0b:
      return CLASS_shift;
    case 0x12:
    case 0x13:
    case 0x16:
      return CLASS_multiply;
    case 0x19:
      return CLASS_fp_multiply_add;
    case 0x1d:
      return is_unsigned ? CLASS_fp : CLASS_fp_multiply_add;
    case 0x1f:
      return is_unsigned ? CLASS_fp_slow : CLASS_fp_multiply_add;
    default:
      return opcode >= 0x18 ? CLASS_fp : CLASS_vector;
  }
}

static inline enum Class three_different(uint32_t word) {
  const unsigned opcode = bits(word, 12, 4);
  return opcode >= 0x8 && opcode <= 0xe ? CLASS_multiply_long : CLASS_vector;
}

static inline enum Class two_registers(uint32_t word) {
  const unsigned opcode = bits(word, 12, 5);
  if (bits(word, 17, 4) == 0x8) {  // across a vector
    return opcode == 0x0c || opcode == 0x0d || opcode == 0x0f ? CLASS_fp : CLASS_shift;
  }
  switch (opcode) {
    case 0x02:
    case 0x06:
      return CLASS_pair_add;
    case 0x0c:
    case 0x0d:
    case 0x0e:
    case 0x0f:
      return CLASS_fp;
    case 0x12:
      return bits(word, 29, 1) ? CLASS_shift : CLASS_vector;
    case 0x13:
    case 0x14:
      return CLASS_shift;
    case 0x1f:
      return CLASS_fp_slow;
    default:
      return opcode >= 0x16 ? CLASS_convert : CLASS_vector;
  }
}

static inline enum Class three_same_extra(uint32_t word) {
  switch (bits(word, 11, 4)) {
    case 0x0:
    case 0x1:
      return CLASS_multiply;
    case 0x2:
    case 0x3:
      return CLASS_dot;
    case 0x4:
    case 0x5:
      return CLASS_matrix;
    case 0xd:
      return bits(word, 22, 2) == 1 ? CLASS_matrix : CLASS_fp_multiply_add;
    case 0xf:
      return bits(word, 22, 2) == 1 ? CLASS_dot : CLASS_fp_multiply_add;
    default:
      return CLASS_fp_multiply_add;
  }
}

static inline enum Class three_same_halves(uint32_t word) {
  const unsigned opcode = bits(word, 11, 3), is_unsigned = bits(word, 29, 1);
  if (opcode == 1) return is_unsigned ? CLASS_fp : CLASS_fp_multiply_add;
  if (opcode == 7) return is_unsigned && !bits(word, 23, 1) ? CLASS_fp_slow : CLASS_fp_multiply_add;
  return CLASS_fp;
}

static inline enum Class copied(uint32_t word) {
  if (bits(word, 29, 1)) return CLASS_vector;  // from element to element
  return bits(word, 11, 4) == 0 ? CLASS_vector : CLASS_transfer;
}

// Advanced SIMD, on vectors or on one element.
static inline struct Work vector_work(uint32_t word) {
  if (bits(word, 24, 1)) {
    if (!bits(word, 10, 1)) return one(by_element(word));
    if (bits(word, 19, 4) == 0) return one(CLASS_vector);  // a constant
    const unsigned opcode = bits(word, 11, 5);
    return one(opcode == 0x1c || opcode == 0x1f ? CLASS_convert : CLASS_shift);
  }
  if (bits(word, 21, 1)) {
    if (bits(word, 10, 1)) return one(three_same(word));
    return one(bits(word, 11, 1) ? two_registers(word) : three_different(word));
  }
  if (bits(word, 10, 1)) {
    if (bits(word, 15, 1)) return one(three_same_extra(word));
    return one(bits(word, 22, 1) ? three_same_halves(word) : copied(word));
  }
  if ((word & 0xbfe08c00) == 0x0e000000) return several(CLASS_table, bits(word, 13, 2) + 1, CLASS_other, 0);
  return one((word & 0xbf208c00) == 0x0e000800 ? CLASS_zip : CLASS_vector);
}

// Floats one by one.
static inline struct Work scalar_work(uint32_t word) {
  if (bits(word, 24, 1)) return one(CLASS_fp_multiply_add);
  if (!bits(word, 21, 1)) return one(CLASS_convert);
  switch (bits(word, 10, 2)) {
    case 0:
      if (bits(word, 10, 6) == 0) return one(bits(word, 16, 3) >= 6 ? CLASS_transfer : CLASS_convert);
      if (bits(word, 12, 1)) return one(CLASS_vector);  // a constant
      if (bits(word, 13, 1)) return one(CLASS_fp);      // a comparison
      return one(bits(word, 15, 6) < 3 ? CLASS_vector : bits(word, 15, 6) == 3 ? CLASS_fp_slow : CLASS_convert);
    case 2:
      return one(bits(word, 12, 4) == 1 ? CLASS_fp_slow : CLASS_fp);
    case 3:
      return one(CLASS_vector);
    default:
      return one(CLASS_fp);
  }
}

static inline struct Work structures(uint32_t word) {
  static const unsigned char registers[16] = {4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2};  // by the opcode
  const int is_load = bits(word, 22, 1), is_wide = bits(word, 30, 1);
  const enum Class narrow = is_load ? CLASS_load_vector : CLASS_store_vector;
  if (bits(word, 24, 1)) {  // one element of each register, or all elements the same
    const unsigned count = 2 * bits(word, 13, 1) + bits(word, 21, 1) + 1;
    return several(narrow, count, CLASS_vector, count);
  }
  const unsigned opcode = bits(word, 12, 4), count = registers[opcode];
  const enum Class class = !is_wide ? narrow : is_load ? CLASS_load_wide : CLASS_store_wide;
  const int is_interleaved = opcode == 0 || opcode == 4 || opcode == 8;
  return several(class, count, CLASS_zip, is_interleaved ? count : 0);
}

static inline struct Work memory_work(uint32_t word) {
  const int is_vector = bits(word, 26, 1);
  const unsigned size = bits(word, 30, 2);
  if ((word & 0xbe000000) == 0x0c000000) return structures(word);
  if ((word & 0x3b000000) == 0x18000000) {  // from beside the code
    return one(!is_vector ? CLASS_load : size == 2 ? CLASS_load_wide : CLASS_load_vector);
  }
  if ((word & 0x3a000000) == 0x28000000) {  // pairs
    const int is_load = bits(word, 22, 1);
    if (!is_vector) return one(is_load ? CLASS_load : CLASS_store);
    const enum Class narrow = is_load ? CLASS_load_vector : CLASS_store_vector;
    return several(size != 2 ? narrow : is_load ? CLASS_load_wide : CLASS_store_wide, 2, CLASS_other, 0);
  }
  if ((word & 0x3f000000) == 0x08000000) return one(bits(word, 22, 1) ? CLASS_load : CLASS_store);  // exclusive
  const unsigned opcode = bits(word, 22, 2);
  if (!is_vector) return one(opcode ? CLASS_load : CLASS_store);
  const int is_wide = size == 0 && opcode >= 2;
  if (opcode & 1) return one(is_wide ? CLASS_load_wide : CLASS_load_vector);
  return one(is_wide ? CLASS_store_wide : CLASS_store_vector);
}

static inline struct Work aarch64_work(uint32_t word) {
  switch (bits(word, 25, 4)) {
    case 0x8:
    case 0x9:
      return one(CLASS_integer);
    case 0xa:
    case 0xb:
      return one(CLASS_branch);
    case 0x4:
    case 0x6:
    case 0xc:
    case 0xe:
      return memory_work(word);
    case 0x5:
    case 0xd: {
      const int divides = (word & 0x5fe0f800) == 0x1ac00800;
      return one(divides || (word & 0x1f000000) == 0x1b000000 ? CLASS_integer_multiply : CLASS_integer);
    }
    case 0x7:
    case 0xf:
      return bits(word, 28, 1) && !bits(word, 30, 1) ? scalar_work(word) : vector_work(word);
    default:
      return one(CLASS_other);
  }
}
