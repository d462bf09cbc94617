"""Memory that stays as it is for months, although threads pass it to each other."""

from __future__ import annotations

import ctypes
import platform

M_ARENA_MAX = -8
"""Of glibc's malloc.h."""

ARENAS = 2


def limit_arenas() -> bool:
    """Let glibc's threads share two pools of memory.

    By default each thread gets a pool of its own. Frames are made by one thread and freed by another, so that each pool
    keeps gaps; together they grow for hours. To be called before threads are started.

    Returns:
        Whether the allocator is glibc's and took the setting; elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS))
