"""Memory that was freed is kept for the next report.

glibc gives the end of its heap back at once, and large blocks always; then each request to Kafka makes the kernel find
and clear the same pages again: 25,000 page faults for a full snapshot, which is 40 to 70 ms of processor. What is kept
is what the last report needed, and the process has just shown that it may need it again.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""As in malloc.h."""
_KEPT, _LARGE = 64 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes at the end of the heap that are not given back, and of a block that is."""


def keep_freed_memory() -> bool:
    """Tell the allocator so, for the whole process; False where it is another one than glibc's."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # macOS, or musl, which has no such setting
        return False
    return all(mallopt(name, size) for name, size in ((_TRIM_THRESHOLD, _KEPT), (_MMAP_THRESHOLD, _LARGE)))
