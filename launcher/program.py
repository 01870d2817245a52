"""What a service needs to know of the program that it supervises."""

from collections.abc import Sequence
from typing import Protocol

from launcher.errors import LauncherError
from launcher.process import Launch


class StartFailed(LauncherError):
    """A process runs, and will never be ready; another one may."""


class GivesUp(LauncherError):
    """A service failed in a way that trying again does not mend."""


class Program(Protocol):
    """What is to be supervised."""

    name: str
    grace_s: float
    start_limit_s: float

    async def prepare(self) -> Launch:
        """What to start now. Raises `CannotStart` and `CannotStartNow`."""

    async def is_served_by_others(self) -> bool:
        """Whether something that we did not start does its work already."""

    async def is_ready(self, pid: int) -> bool:
        """Whether it can be used; asked again and again. Raises `StartFailed` and `GivesUp`."""

    def explain(self, code: int, lines: Sequence[str]) -> str | None:
        """Why it ended, a sentence; None when it wants to be started again, which is no failure.

        It may block, and is asked in a thread.
        Raises `GivesUp` when starting it again is no use.
        """
