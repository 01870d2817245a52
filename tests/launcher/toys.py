"""A program for a service in tests: real processes that do what a test says."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launcher.errors import LauncherError
from launcher.output import Output
from launcher.process import CannotStart, Launch, sentence_of_exit
from launcher.program import GivesUp
from launcher.record import RecordFile
from launcher.restart_policy import RestartPolicy
from launcher.service import Service
from tests.launcher.children import python

IGNORES_US = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("begun")
    time.sleep(600)
"""
LASTS = "import time; print('begun'); time.sleep(600)"


@dataclass
class Toy:
    """A program that does what a test says. It is ready once it has printed something."""

    output: Output
    code: str = LASTS
    name: str = "Toy"
    grace_s: float = 5.0
    start_limit_s: float = 30.0
    why_not: str | None = None
    is_foreign: bool = False
    never_ready: str | None = None
    final_code: int | None = None
    pids: list[int] = field(default_factory=list)

    async def prepare(self) -> Launch:
        if self.why_not is not None:
            raise CannotStart(self.why_not)
        return python(self.code)

    async def is_served_by_others(self) -> bool:
        return self.is_foreign

    async def is_ready(self, pid: int) -> bool:
        if pid not in self.pids:
            self.pids.append(pid)
        if self.never_ready is not None:
            raise LauncherError(self.never_ready)
        return self.output.last_line != ""

    def explain(self, code: int, lines: Sequence[str]) -> str:
        sentence = sentence_of_exit(self.name, code, lines)
        if code == self.final_code:
            raise GivesUp(sentence)
        return sentence


@contextlib.asynccontextmanager
async def supervised(toy: Toy, tmp_path: Path, **policy: float) -> AsyncIterator[Service]:
    """The toy, wanted."""
    options = {"limit": 4, "first_pause_s": 0.05, "longest_pause_s": 0.1} | policy
    service = Service(
        toy,
        toy.output,
        RecordFile(tmp_path / "toy.json"),
        policy=RestartPolicy(**options),  # type: ignore[arg-type]
    )
    service.start()
    async with service.supervised():
        yield service
    assert not (tmp_path / "toy.json").exists()
