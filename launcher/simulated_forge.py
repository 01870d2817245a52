"""A Forge that only pretends, for owners who want to try Navigator without one."""

import sys
from collections.abc import Callable, Mapping, Sequence

from launcher.forge_probe import ForgeProbe
from launcher.forge_readiness import ForgeReadiness, needs_its_port
from launcher.process import Launch, sentence_of_exit

_GRACE_S = 5.0
_SILENCE_S = 60.0


class SimulatedForge:
    """`python -m app.simulator`, supervised like a real Forge."""

    name = "Forge"
    grace_s = _GRACE_S
    start_limit_s = _SILENCE_S

    def __init__(
        self, probe: ForgeProbe, environ: Mapping[str, str], lines: Callable[[], Sequence[str]]
    ):
        self._probe = probe
        self._environ = environ
        self._readiness = ForgeReadiness(probe, lines)

    async def prepare(self) -> Launch:
        """How to start it. Raises `CannotStartNow`."""
        await needs_its_port(self._probe)
        port = str(self._probe.address.port)
        command = (sys.executable, "-u", "-P", "-m", "app.simulator", "--port", port)
        return Launch(command, dict(self._environ))

    async def is_served_by_others(self) -> bool:
        """Whether a real one answers, which is better."""
        return await self._readiness.is_served_by_others()

    async def is_ready(self, pid: int) -> bool:
        """Whether it can draw. Raises `StartFailed` and `GivesUp`."""
        return await self._readiness.is_ready(pid)

    def explain(self, code: int, lines: Sequence[str]) -> str:
        """Why it ended."""
        return sentence_of_exit("The simulated Forge", code, lines)
