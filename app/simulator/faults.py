"""Faults that a test or a developer switches on: what goes wrong, where, how many times."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

GENERATION_PATHS = frozenset({"/sdapi/v1/txt2img", "/sdapi/v1/img2img"})

OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.25 GiB. GPU 0 has a total capacity of 7.79 GiB of "
    "which 1.02 GiB is free. Including non-PyTorch memory, this process has 6.76 GiB memory in "
    "use. Of the allocated memory 6.30 GiB is allocated by PyTorch, and 221.44 MiB is reserved "
    "by PyTorch but unallocated."
)


class FaultKind(StrEnum):
    HANG = "hang"
    CRASH = "crash"
    HTTP_500 = "http-500"
    OUT_OF_MEMORY = "out-of-memory"
    DROP = "drop"
    SLOW = "slow"
    JUNK_JSON = "junk-json"
    NO_IMAGES = "no-images"
    CORRUPT_IMAGE = "corrupt-image"


AT_ARRIVAL = frozenset({FaultKind.SLOW, FaultKind.HTTP_500, FaultKind.JUNK_JSON})
"""These strike before the request is looked at, on every path."""

WHILE_SAMPLING = frozenset(
    {FaultKind.HANG, FaultKind.CRASH, FaultKind.OUT_OF_MEMORY, FaultKind.DROP}
)
"""These strike a generation after `after_steps` steps, any other path at its arrival."""

IN_THE_ANSWER = frozenset({FaultKind.NO_IMAGES, FaultKind.CORRUPT_IMAGE})
"""These only change the answer of a generation."""


@dataclass(frozen=True)
class Fault:
    """One kind of trouble.

    `path` None means both generation routes. `times` None means until `clear_faults()`.
    HANG stands still until `clear_faults()` or `restart()`; interrupting does not help.
    CRASH and OUT_OF_MEMORY raise inside the run, so the task stays active until the next one.
    DROP closes the connection without an answer while the run goes on, as Forge does not care
    who listens; a Forge that dies is `Simulator.restart()`.
    """

    kind: FaultKind
    path: str | None = None
    times: int | None = 1
    after_steps: int = 1
    delay_s: float = 1.0

    def concerns(self, path: str) -> bool:
        return path == self.path if self.path is not None else path in GENERATION_PATHS

    @classmethod
    def hang(cls, path: str | None = None, times: int | None = 1, after_steps: int = 1) -> "Fault":
        return cls(FaultKind.HANG, path, times, after_steps)

    @classmethod
    def crash(cls, path: str | None = None, times: int | None = 1, after_steps: int = 1) -> "Fault":
        return cls(FaultKind.CRASH, path, times, after_steps)

    @classmethod
    def http_500(cls, path: str | None = None, times: int | None = 1) -> "Fault":
        return cls(FaultKind.HTTP_500, path, times)

    @classmethod
    def out_of_memory(cls, path: str | None = None, times: int | None = 1) -> "Fault":
        return cls(FaultKind.OUT_OF_MEMORY, path, times)

    @classmethod
    def drop(cls, path: str | None = None, times: int | None = 1, after_steps: int = 1) -> "Fault":
        return cls(FaultKind.DROP, path, times, after_steps)

    @classmethod
    def slow(cls, delay_s: float, path: str | None = None, times: int | None = 1) -> "Fault":
        return cls(FaultKind.SLOW, path, times, delay_s=delay_s)

    @classmethod
    def junk_json(cls, path: str | None = None, times: int | None = 1) -> "Fault":
        return cls(FaultKind.JUNK_JSON, path, times)

    @classmethod
    def no_images(cls, path: str | None = None, times: int | None = 1) -> "Fault":
        return cls(FaultKind.NO_IMAGES, path, times)

    @classmethod
    def corrupt_image(cls, path: str | None = None, times: int | None = 1) -> "Fault":
        return cls(FaultKind.CORRUPT_IMAGE, path, times)


@dataclass
class _Armed:
    fault: Fault
    left: int | None


class Faults:
    """The faults that are switched on, in the order in which they were."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._cleared = asyncio.Event()

    def inject(self, fault: Fault) -> None:
        self._armed.append(_Armed(fault, fault.times))

    def clear(self) -> None:
        """Switches all off and lets what hangs go on."""
        self._armed.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    def take(self, path: str, kinds: frozenset[FaultKind]) -> Fault | None:
        """Gives the next fault of these kinds for this path and counts it as used."""
        for armed in self._armed:
            if armed.fault.kind in kinds and armed.fault.concerns(path):
                if armed.left is not None:
                    armed.left -= 1
                    if armed.left <= 0:
                        self._armed.remove(armed)
                return armed.fault
        return None

    async def hang(self) -> None:
        await self._cleared.wait()
