"""Threads share few pools of memory, and frames go back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, re, sys, threading
from nanoedge.video.allocator import keep_memory_level

if sys.argv[1] == "limited":
    assert keep_memory_level()
held, done = [], threading.Event()
def work():
    held.append([bytes(1000) for _ in range(1000)])
    done.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
while len(held) < 8: pass
done.set()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_eight_threads_have_two_pools() -> None:
    def pools(kind: str) -> int:
        done = subprocess.run([sys.executable, "-c", PROGRAM, kind], capture_output=True, text=True, check=True)
        return done.stderr.count("Arena ")

    assert pools("limited") <= 2 < pools("free")


GIVES_BACK = """
import ctypes, re, sys
from pathlib import Path
from nanoedge.video.allocator import keep_memory_level

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "level":
    assert keep_memory_level()
malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
frame = 1 << 20
free(malloc(frame))  # from now on glibc would take frames from its pools
frames = [malloc(frame) for _ in range(32)]
for at in frames: ctypes.memset(at, 1, frame)
full = resident()
for at in frames[:-1]: free(at)  # the last one holds the pool
print((full - resident()) // frame)
"""


LEAVES_GAPS = """
import ctypes, sys
from pathlib import Path
from nanoedge.video.allocator import give_memory_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

malloc, free = ctypes.CDLL(None).malloc, ctypes.CDLL(None).free
malloc.restype, free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
small = 16 << 10
blocks = [malloc(small) for _ in range(1024)]
for at in blocks: ctypes.memset(at, 1, small)
full = resident()
for at in blocks[:-1]: free(at)  # the last one holds the pool
if sys.argv[1] == "given": assert give_memory_back()
print((full - resident()) >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_gaps_between_small_pieces_can_be_given_back() -> None:
    def given_back(kind: str) -> int:
        done = subprocess.run([sys.executable, "-c", LEAVES_GAPS, kind], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert given_back("kept") <= 1
    assert given_back("given") >= 14


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_frames_go_back_to_the_system_although_a_later_one_is_still_used() -> None:
    def given_back(kind: str) -> int:
        done = subprocess.run([sys.executable, "-c", GIVES_BACK, kind], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert given_back("free") <= 1
    assert given_back("level") >= 30
