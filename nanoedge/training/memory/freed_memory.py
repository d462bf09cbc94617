"""The memory that a step frees stays with the process for the next step."""

from __future__ import annotations

import ctypes
import functools
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
NEVER = 2**31 - 1
LARGEST_KEPT = 32 * 1024 * 1024
"""The most that glibc allows. Larger maps, of large batches, go back to the system: with them the process would be a
tenth larger at batch 32, because of the gaps between them."""


@functools.cache
def keep_freed_memory() -> bool:
    """Let glibc's allocator hand memory on from one step to the next instead of giving it back to the system.

    By default glibc gives a step's tensors back when they are freed, and the system has to clear memory for the next
    step page by page. Set once; it holds until the process ends.

    Returns:
        Whether the allocator is glibc's and took the settings; elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))
