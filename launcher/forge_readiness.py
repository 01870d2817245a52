"""Whether a Forge that we have started can draw, or never will, because others have its port."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence

from launcher.forge_log import of_taken_port
from launcher.forge_probe import ForgeProbe
from launcher.ports import family_of, holder, is_taken, listeners, next_free
from launcher.process import CannotStartNow
from launcher.program import GivesUp, StartFailed

_UP = "Startup time: "  # what it writes when its start is over [README, section 11]
_UP_LIMIT_S = 300.0


class ForgeReadiness:
    """Judges one Forge of ours after the other, by its answers and by what it writes."""

    def __init__(
        self,
        probe: ForgeProbe,
        lines: Callable[[], Sequence[str]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ):
        """`lines` gives what it wrote last."""
        self._clock = clock
        self._up_s: float | None = None
        self._probe = probe
        self._lines = lines
        self._harmless: list[str] = []
        self._others = set[int | None]()

    async def is_served_by_others(self) -> bool:
        """Whether a Forge answers that is not ours, or has, and has its port still.

        While it loads a checkpoint it may be silent for long; one of ours beside it would only take
        its memory.
        """
        port = self._probe.address.port
        if await self._probe.answers():
            self._others = await asyncio.to_thread(listeners, port)
            return True
        if self._others:
            self._others &= await asyncio.to_thread(listeners, port)
        return bool(self._others)

    async def is_ready(self, pid: int) -> bool:
        """Whether the process, or one that it has started, can draw.

        Raises `StartFailed` when something else has its port, and `GivesUp` when it wants another
        login than ours.
        """
        said = of_taken_port(self._lines())
        if said != self._harmless:
            await self._port_is_not_lost(said, pid)
            self._harmless = said
        port = self._probe.address.port
        if not await self._probe.is_ready() and not self._probe.refuses_us:
            self._check_patience(port)
            return False
        if await asyncio.to_thread(_is_of_others, port, pid):
            raise StartFailed(await asyncio.to_thread(port_taken, port))
        if self._probe.refuses_us:
            raise GivesUp(
                "Forge refuses our login: SD_API_AUTH has to be one of the user:password of its"
                " --api-auth."
            )
        return True

    def _check_patience(self, port: int) -> None:
        """Raises `StartFailed` for one that says that it is up and does not answer for minutes."""
        if not any(_UP in line for line in self._lines()):
            self._up_s = None
            return
        now_s = self._clock()
        self._up_s = now_s if self._up_s is None else self._up_s
        if now_s - self._up_s > _UP_LIMIT_S:
            raise StartFailed(
                f"Forge says that it is up, and its API does not answer on port {port}."
            )

    async def _port_is_not_lost(self, said: Sequence[str], pid: int) -> None:
        port = self._probe.address.port
        if await asyncio.to_thread(has_lost_port, port, said, pid):
            raise StartFailed(await asyncio.to_thread(port_taken, port))


async def needs_its_port(probe: ForgeProbe) -> None:
    """Raises `CannotStartNow` while something else has it: a start would come to nothing."""
    port, host = probe.address.port, probe.address.host
    if await asyncio.to_thread(is_taken, port, host):
        raise CannotStartNow(await asyncio.to_thread(port_taken, port))


def has_lost_port(port: int, said: Sequence[str], pid: int | None = None) -> bool:
    """Whether lines about a taken port are about ours, and not one of an extension's. Blocks.

    `pid` is Forge's process, None once it has ended.
    """
    if not said:
        return False
    found = listeners(port)
    if pid is not None and found & family_of(pid):
        return False
    return bool(found) or any(re.search(rf"\b{port}\b", line) for line in said)


def port_taken(port: int) -> str:
    """Who has Forge's port, and which is free, for a person. Blocks."""
    by = holder(port) or "another program"
    return (
        f"Port {port} is taken by {by}; {next_free(port)} is free, and Forge takes it when the"
        " launcher is started anew."
    )


def _is_of_others(port: int, pid: int) -> bool:
    """Whether what listens there is surely none of ours. Blocks."""
    found = listeners(port)
    return bool(found) and None not in found and not found & family_of(pid)
