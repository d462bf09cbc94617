"""What the plugin counts an instruction as: assembled, then asked of the same code that the plugin has."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.instructions import measure

SOURCE = Path(measure.__file__).parent
PROGRAM = r"""
#include <stdio.h>
#include "aarch64.h"
#include "x86_64.h"

static const char *const names[] = {
#define AS_TEXT(name) #name,
    CLASSES(AS_TEXT)};

int main(int count, char **words) {
  (void)count;
  unsigned char bytes[16];
  while (fread(bytes, sizeof bytes, 1, stdin) == 1) {
    const uint32_t word = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    const struct Work work = words[1][0] == 'a' ? aarch64_work(word) : x86_64_work(bytes, sizeof bytes);
    printf("%s %u", names[work.first], work.count);
    if (work.second_count != 0) printf(" %s %u", names[work.second], work.second_count);
    puts("");
  }
  return 0;
}
"""
AARCH64 = {
    "fmla v0.4s, v1.4s, v2.4s": "fp_multiply_add 1",
    "fmla v0.4s, v1.4s, v2.s[1]": "fp_multiply_add 1",
    "fmla v0.8h, v1.8h, v2.8h": "fp_multiply_add 1",
    "fmla v0.8h, v1.8h, v2.h[3]": "fp_multiply_add 1",
    "fmadd s0, s1, s2, s3": "fp_multiply_add 1",
    "fmul v0.4s, v1.4s, v2.4s": "fp 1",
    "fmul v0.8h, v1.8h, v2.8h": "fp 1",
    "fmul v0.4s, v1.4s, v2.s[0]": "fp 1",
    "fadd s0, s1, s2": "fp 1",
    "fmax v0.4s, v1.4s, v2.4s": "fp 1",
    "fcmgt v0.4s, v1.4s, v2.4s": "fp 1",
    "fcmp s0, s1": "fp 1",
    "fneg v0.4s, v1.4s": "fp 1",
    "fdiv v0.4s, v1.4s, v2.4s": "fp_slow 1",
    "fdiv v0.8h, v1.8h, v2.8h": "fp_slow 1",
    "fsqrt s0, s1": "fp_slow 1",
    "scvtf v0.4s, v1.4s": "convert 1",
    "fcvtns v0.4s, v1.4s": "convert 1",
    "fcvtl v0.4s, v1.4h": "convert 1",
    "scvtf s0, w1": "convert 1",
    "smull v0.8h, v1.8b, v2.8b": "multiply_long 1",
    "smlal2 v0.8h, v1.16b, v2.16b": "multiply_long 1",
    "umlal v0.4s, v1.4h, v2.h[1]": "multiply_long 1",
    "mul v0.4s, v1.4s, v2.4s": "multiply 1",
    "mla v0.8h, v1.8h, v2.h[1]": "multiply 1",
    "sadalp v0.4s, v1.8h": "pair_add 1",
    "saddlp v0.4s, v1.8h": "pair_add 1",
    "sdot v0.4s, v1.16b, v2.16b": "dot 1",
    "sdot v0.4s, v1.16b, v2.4b[2]": "dot 1",
    "usdot v0.4s, v1.16b, v2.16b": "dot 1",
    "usmmla v0.4s, v1.16b, v2.16b": "matrix 1",
    "shl v0.4s, v1.4s, #3": "shift 1",
    "sshll v0.8h, v1.8b, #0": "shift 1",
    "sqxtn v0.4h, v1.4s": "shift 1",
    "sqxtun v0.8b, v1.8h": "shift 1",
    "addv s0, v1.4s": "shift 1",
    "xtn v0.4h, v1.4s": "vector 1",
    "eor v0.16b, v1.16b, v2.16b": "vector 1",
    "add v0.4s, v1.4s, v2.4s": "vector 1",
    "umax v0.16b, v1.16b, v2.16b": "vector 1",
    "movi v0.4s, #1": "vector 1",
    "mov v0.16b, v1.16b": "vector 1",
    "dup v0.4s, v1.s[2]": "vector 1",
    "ext v0.16b, v1.16b, v2.16b, #4": "vector 1",
    "tbl v0.16b, {v1.16b}, v2.16b": "table 1",
    "tbl v0.16b, {v1.16b, v2.16b}, v3.16b": "table 2",
    "zip1 v0.16b, v1.16b, v2.16b": "zip 1",
    "uzp2 v0.8h, v1.8h, v2.8h": "zip 1",
    "dup v0.4s, w1": "transfer 1",
    "umov w0, v1.s[1]": "transfer 1",
    "fmov s0, w1": "transfer 1",
    "ldr q0, [x1]": "load_wide 1",
    "ldr q0, [x1, x2]": "load_wide 1",
    "ldr q0, [x1], #16": "load_wide 1",
    "ldur q0, [x1, #-16]": "load_wide 1",
    "ldp q0, q1, [x2], #32": "load_wide 2",
    "ld1 {v0.4s, v1.4s, v2.4s, v3.4s}, [x0], #64": "load_wide 4",
    "ld1 {v0.16b}, [x0]": "load_wide 1",
    "ld2 {v0.4s, v1.4s}, [x0]": "load_wide 2 zip 2",
    "ld1r {v0.4s}, [x0]": "load_vector 1 vector 1",
    "ld1 {v0.s}[1], [x0]": "load_vector 1 vector 1",
    "ldr s0, [x1, #4]": "load_vector 1",
    "ldr d0, [x1]": "load_vector 1",
    "str q0, [x1, #16]": "store_wide 1",
    "stp q0, q1, [x2]": "store_wide 2",
    "st1 {v0.8b}, [x0]": "store_vector 1",
    "str s0, [x1]": "store_vector 1",
    "ldr x0, [x1, #8]": "load 1",
    "ldrb w0, [x1, x2]": "load 1",
    "ldp x0, x1, [sp]": "load 1",
    "ldrsw x0, [x1]": "load 1",
    "str w0, [x1]": "store 1",
    "stp x0, x1, [sp, #-16]!": "store 1",
    "add x0, x1, x2": "integer 1",
    "add x0, x1, #3": "integer 1",
    "adrp x0, .": "integer 1",
    "cmp w0, w1": "integer 1",
    "csel w0, w1, w2, eq": "integer 1",
    "mul x0, x1, x2": "integer_multiply 1",
    "smaddl x0, w1, w2, x3": "integer_multiply 1",
    "sdiv w0, w1, w2": "integer_multiply 1",
    "b .": "branch 1",
    "cbz x0, .": "branch 1",
    "ret": "branch 1",
}
X86_64 = {
    "vfmadd231ps %ymm0, %ymm1, %ymm2": "fp_multiply_add 2",
    "vfmadd231ps (%rax), %ymm1, %ymm2": "fp_multiply_add 2 load_wide 2",
    "vfmadd213ss %xmm0, %xmm1, %xmm2": "fp_multiply_add 1",
    "vaddps %xmm0, %xmm1, %xmm2": "fp 1",
    "mulss %xmm8, %xmm9": "fp 1",
    "vdivps %ymm0, %ymm1, %ymm2": "fp_slow 2",
    "vcvtdq2ps %ymm0, %ymm1": "convert 2",
    "vpmaddubsw %ymm0, %ymm1, %ymm2": "multiply_long 2",
    "vpmaddwd (%rax), %ymm1, %ymm2": "multiply_long 2 load_wide 2",
    "vpmulld %ymm0, %ymm1, %ymm2": "multiply 2",
    "vpaddd %ymm0, %ymm1, %ymm12": "vector 2",
    "vpxor %xmm0, %xmm1, %xmm2": "vector 1",
    "vpsrld $3, %ymm0, %ymm1": "shift 2",
    "vpackssdw %ymm0, %ymm1, %ymm2": "zip 2",
    "vpunpcklbw %ymm0, %ymm1, %ymm2": "zip 2",
    "vpshufb %ymm0, %ymm1, %ymm2": "zip 2",
    "vmovups (%rax,%rcx,4), %ymm0": "load_wide 2",
    "vmovdqu %ymm0, 64(%rax)": "store_wide 2",
    "vbroadcastss (%rax), %ymm0": "load_wide 2",
    "vpbroadcastd %xmm0, %ymm0": "zip 2",
    "vmovss (%rax), %xmm0": "load_vector 1",
    "vmovd %xmm0, %eax": "transfer 1",
    "vextracti128 $1, %ymm0, (%rax)": "store_wide 1",
    "movaps %xmm0, (%rax)": "store_wide 1",
    "movq (%r12), %r13": "load 1",
    "movq %rax, 8(%rsp)": "store 1",
    "movl %eax, %ebx": "integer 1",
    "movzbl (%rax), %ecx": "load 1",
    "addq $8, %rax": "integer 1",
    "addl (%rax), %ebx": "integer 1 load 1",
    "cmpq $0, (%rax)": "integer 1 load 1",
    "leaq (%rax,%rbx,2), %rcx": "integer 1",
    "imulq %rax, %rbx": "integer_multiply 1",
    "sarx %eax, %ebx, %ecx": "integer 1",
    "jne .": "branch 1",
    "jmp .": "branch 1",
    "pushq %rax": "store 1",
    "popq %r12": "load 1",
    "ret": "branch 1 load 1",
}


@pytest.mark.parametrize(
    ("prefix", "machine", "options", "expected"),
    [
        ("aarch64-linux-gnu-", "a", ["-march=armv8.6-a+fp16"], AARCH64),
        ("", "x", [], X86_64),
    ],
    ids=["aarch64", "x86_64"],
)
def test_instructions_are_counted_as_what_they_are(
    tmp_path: Path, prefix: str, machine: str, options: list[str], expected: dict[str, str]
) -> None:
    missing = [name for name in ("cc", f"{prefix}as", f"{prefix}objcopy") if shutil.which(name) is None]
    if missing:
        required = os.environ.get("NANOEDGE_REQUIRE_CROSS") == "1"
        (pytest.fail if required else pytest.skip)(f"needs {', '.join(missing)}")
    assembly, objects, code = (tmp_path / name for name in ("code.s", "code.o", "code.bin"))
    assembly.write_text("".join(f".balign 16\n{text}\n" for text in expected) + ".balign 16\n")
    subprocess.run([f"{prefix}as", *options, "-o", objects, assembly], check=True)
    subprocess.run([f"{prefix}objcopy", "-O", "binary", "-j", ".text", objects, code], check=True)
    (tmp_path / "ask.c").write_text(PROGRAM)
    ask = tmp_path / "ask"
    subprocess.run(["cc", "-Wall", "-Werror", "-I", SOURCE, "-o", ask, tmp_path / "ask.c"], check=True)
    done = subprocess.run([ask, machine], input=code.read_bytes(), capture_output=True, check=True)
    found = dict(zip(expected, done.stdout.decode().splitlines(), strict=True))
    assert found == expected
