"""The memory that a step frees stays with the process for the next step."""

from __future__ import annotations

import ctypes
import functools
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
NEVER = 2**31 - 1


@functools.cache
def keep_freed_memory() -> bool:
    """Let glibc's allocator hand memory on from one step to the next instead of giving it back to the system.

    By default glibc takes a tensor's memory from the system by itself and gives it back when the tensor is freed; the
    system then has to clear it page by page in each step. The process' peak stays what it is. Set once; it holds until
    the process ends.

    Returns:
        Whether the allocator is glibc's and took the settings; elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))
