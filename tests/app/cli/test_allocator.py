"""Tests of `app/cli/allocator.py`, in processes of their own: it changes the C library for good."""

import platform
import sys

import pytest

from tests.databases import python

# How much the heap grows for a picture, after another one was freed.
SHOW_GROWTH = """
import sys
from app.cli.allocator import give_memory_back

def heap_kib():
    with open("/proc/self/maps") as file:
        (heap,) = (line.split()[0] for line in file if "[heap]" in line)
    start, end = (int(address, 16) for address in heap.split("-"))
    return (end - start) // 1024

if sys.argv[1] == "advised":
    give_memory_back()
first = bytearray(30_000_000)
del first
before = heap_kib()
second = bytearray(2_000_000)
print(heap_kib() - before)
"""
IS_GLIBC = sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


async def test_advice_is_taken_where_there_is_somebody_to_take_it() -> None:
    printed = await python(
        "from app.cli.allocator import give_memory_back; print(give_memory_back())"
    )
    assert printed.strip() == str(IS_GLIBC)


@pytest.mark.parametrize("advice", ["advised", *(["not advised"] if IS_GLIBC else [])])
async def test_pictures_stay_out_of_the_heap(advice: str) -> None:
    grown_kib = int(await python(SHOW_GROWTH, advice))
    # Without the advice the second one lies in the heap: the first one taught glibc to do so.
    assert (grown_kib < 1000) == (advice == "advised")
