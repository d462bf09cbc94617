// A plugin for qemu's user-mode emulators: how many instructions a program executed, of which classes, how often it
// read and wrote memory and missed two levels of cache; on standard error at its end, one line for each number that the
// program marked parts of its work with, and one, 0, for the rest. A program marks by writing nothing to a file that
// is not open: `mark` in cpp_runtime/apps/stages.cpp. For programs of one thread.
//   -plugin count.so[,l1=BYTES:WAYS,l2=BYTES:WAYS]
// The interface is QEMU's TCG plugin API, version 1, whose header Debian does not ship: what is used of it is declared
// here.
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "aarch64.h"
#include "cache.h"
#include "classes.h"
#include "x86_64.h"

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint32_t qemu_plugin_meminfo_t;
enum { ADD_U64 = 0, NO_REGISTERS = 0, READS_AND_WRITES = 3 };
struct About {
  const char *target;
};

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translated)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation, void *number,
                                              uint64_t operand);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
                                      void (*accessed)(unsigned cpu, qemu_plugin_meminfo_t, uint64_t address, void *),
                                      int registers, int kind, void *data);
_Bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t access);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t access);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id,
                                          void (*called)(qemu_plugin_id_t, unsigned cpu, int64_t number, uint64_t,
                                                         uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                                         uint64_t));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*at_exit)(qemu_plugin_id_t, void *), void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

// A miss is in order where the line before it is there: CPUs have fetched it by then.
enum { INSTRUCTIONS, READS, WRITES, L1_MISSES, L1_IN_ORDER, L2_MISSES, L2_IN_ORDER, FIRST_CLASS };
enum { COUNTED = FIRST_CLASS + CLASS_COUNT, MOST_MARKS = 1024, NO_SUCH_FILE = 0x6e656d6b };
static const char *const kNames[COUNTED] = {
    "instructions", "reads", "writes", "l1_misses", "l1_in_order", "l2_misses", "l2_in_order",
#define AS_TEXT(name) #name,
    CLASSES(AS_TEXT)};

static uint64_t now[COUNTED], before[COUNTED], marked[MOST_MARKS][COUNTED];
static uint64_t mark;
static int is_aarch64, is_x86_64;
static struct Cache l1, l2;
static uint64_t latest_line;

static void load_line(uint64_t line) {
  if (line == latest_line) return;
  latest_line = line;
  if (touch(&l1, line)) return;
  const int in_order = holds(&l1, line - 1);
  ++now[in_order ? L1_IN_ORDER : L1_MISSES];
  if (l2.ways != 0 && !touch(&l2, line)) ++now[in_order ? L2_IN_ORDER : L2_MISSES];
}

static void accessed(unsigned cpu, qemu_plugin_meminfo_t access, uint64_t address, void *data) {
  (void)cpu;
  (void)data;
  ++now[qemu_plugin_mem_is_store(access) ? WRITES : READS];
  if (l1.ways == 0) return;
  load_line(address / 64);
  load_line((address + (1U << qemu_plugin_mem_size_shift(access)) - 1) / 64);
}

static struct Work work_of(const struct qemu_plugin_insn *instruction) {
  const uint8_t *bytes = qemu_plugin_insn_data(instruction);
  const size_t size = qemu_plugin_insn_size(instruction);
  if (is_x86_64) return x86_64_work(bytes, size);
  uint32_t word = 0;
  if (!is_aarch64 || size != sizeof word) return one(CLASS_other);
  memcpy(&word, bytes, sizeof word);
  return aarch64_work(word);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  const size_t size = qemu_plugin_tb_n_insns(block);
  uint64_t added[COUNTED] = {0};
  added[INSTRUCTIONS] = size;
  for (size_t i = 0; i < size; ++i) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    const struct Work work = work_of(instruction);
    added[FIRST_CLASS + work.first] += work.count;
    added[FIRST_CLASS + work.second] += work.second_count;
    // Not counted inline: QEMU 7.2 mixes up reads and writes there.
    qemu_plugin_register_vcpu_mem_cb(instruction, accessed, NO_REGISTERS, READS_AND_WRITES, NULL);
  }
  for (size_t i = 0; i < COUNTED; ++i) {
    if (added[i] != 0) qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &now[i], added[i]);
  }
}

// What was counted since the last mark belongs to that one.
static void take(void) {
  for (size_t i = 0; i < COUNTED; ++i) marked[mark][i] += now[i] - before[i];
  memcpy(before, now, sizeof before);
}

static void called(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t file, uint64_t data, uint64_t a3,
                   uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
  (void)id, (void)cpu, (void)number, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
  if (file != NO_SUCH_FILE) return;
  take();
  mark = data < MOST_MARKS ? data : 0;
}

static void at_exit(qemu_plugin_id_t id, void *data) {
  (void)id;
  (void)data;
  take();
  fprintf(stderr, "counted mark");
  for (size_t i = 0; i < COUNTED; ++i) fprintf(stderr, " %s", kNames[i]);
  fputc('\n', stderr);
  for (size_t number = 0; number < MOST_MARKS; ++number) {
    if (marked[number][INSTRUCTIONS] == 0) continue;
    fprintf(stderr, "counted %zu", number);
    for (size_t i = 0; i < COUNTED; ++i) fprintf(stderr, " %" PRIu64, marked[number][i]);
    fputc('\n', stderr);
  }
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const struct About *about,
                                                               int count, char **words) {
  is_aarch64 = strcmp(about->target, "aarch64") == 0;
  is_x86_64 = strcmp(about->target, "x86_64") == 0;
  for (int i = 0; i < count; ++i) {
    struct Cache *cache = strncmp(words[i], "l1=", 3) == 0 ? &l1 : strncmp(words[i], "l2=", 3) == 0 ? &l2 : NULL;
    if (cache == NULL || !make_cache(cache, words[i] + 3)) {
      fprintf(stderr, "count: '%s' is no l1=BYTES:WAYS or l2=BYTES:WAYS of a power of two of sets\n", words[i]);
      return 1;
    }
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
