"""Threads share few pools of memory."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, re, sys, threading
from nanoedge.video.allocator import limit_arenas

if sys.argv[1] == "limited":
    assert limit_arenas()
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
