"""Makes the C library give large buffers back to the system. Linux with glibc only."""

import ctypes
import sys

# From malloc.h of the GNU C library.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGE_BYTES = 128 * 1024
_ARENAS = 2


def give_memory_back() -> bool:
    """Keeps buffers of pictures out of the heap; says whether the C library took the advice.

    glibc raises its threshold for own mappings with every large buffer that is freed, up to
    32 MB. From then on pictures leave holes in the heaps of every thread, and a server that has
    handled a few hundred keeps twice the memory it needs. Naming the threshold keeps it fixed.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES) and mallopt(_M_ARENA_MAX, _ARENAS))
