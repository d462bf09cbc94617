// What executed instructions are counted as, in micro-operations: a load of two registers counts as two, vectors of 256
// bits as two of 128. What is named here is what the pipes of CPUs tell apart (tools/cost_model/cores.py).
#pragma once

#define CLASSES(_)                                                                                                \
  _(branch) _(integer) _(integer_multiply)                                                                        \
  _(load) _(load_vector) _(load_wide)       /* into scalars; into vectors, up to 64 bits a register; 128 bits */  \
  _(store) _(store_vector) _(store_wide)                                                                          \
  _(fp_multiply_add) _(fp) _(fp_slow)       /* fused; other arithmetic and comparisons; divisions and roots */    \
  _(convert)                                /* between whole numbers and floats, between floats, rounding */      \
  _(multiply_long) _(multiply) _(pair_add)  /* products of twice the width; of the same; sums of neighbours */    \
  _(dot) _(matrix)                          /* products of four bytes a lane; of small matrices */                \
  _(shift)                                  /* also saturating packs on ARM, and sums across a vector */          \
  _(vector)                                 /* other arithmetic and logic in one vector operation */              \
  _(table) _(zip)                           /* look-ups by byte; interleaving, on x86 every shuffle and pack */   \
  _(transfer)                               /* between vectors and scalars */                                     \
  _(other)

enum Class {
#define AS_NAME(name) CLASS_##name,
  CLASSES(AS_NAME)
#undef AS_NAME
      CLASS_COUNT
};

// Up to two kinds of micro-operation of an instruction, and how many of each.
struct Work {
  enum Class first, second;
  unsigned count, second_count;
};

static inline struct Work several(enum Class first, unsigned count, enum Class second, unsigned second_count) {
  const struct Work work = {first, second, count, second_count};
  return work;
}

static inline struct Work one(enum Class class) { return several(class, 1, CLASS_other, 0); }
