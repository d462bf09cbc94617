"""Memory that stays as it is for months, although threads pass it to each other."""

from __future__ import annotations

import ctypes
import platform

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Of glibc's malloc.h."""

ARENAS = 2
LARGE = 256 * 1024
"""Bytes. Frames are larger."""


def keep_memory_level() -> bool:
    """Let glibc's threads share two pools of memory, and give frames back to the system at once.

    By default each thread gets a pool of its own. Frames are made by one thread and freed by another, so that each pool
    keeps gaps; together they grow for hours. And after the first frame was freed, glibc would take frames from the
    pools, too: every time that a file begins again, its decoder's new frames found other gaps, and a pool grew by a
    megabyte. To be called before threads are started.

    Returns:
        Whether the allocator is glibc's and took the settings; elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_ARENA_MAX, ARENAS)) and bool(mallopt(M_MMAP_THRESHOLD, LARGE))


def give_memory_back() -> bool:
    """Let glibc give the system what lies free in its pools; takes a few milliseconds.

    What is needed for a short time in between (a page's answer, an event's picture) leaves gaps, and over hours pools
    would keep the most that was ever needed at once.

    Returns:
        Whether the allocator is glibc's; elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    ctypes.CDLL(None).malloc_trim(0)
    return True
