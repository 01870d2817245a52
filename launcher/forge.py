"""Forge, as a program that is supervised."""

import asyncio
import ctypes.util
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from launcher.forge_command import RESTART_MARK, auth_of, launch_of, speaks_tls
from launcher.forge_install import IS_WINDOWS, ForgeInstall, NoForge, read
from launcher.forge_log import cause, of_taken_port
from launcher.forge_probe import ForgeProbe
from launcher.forge_readiness import ForgeReadiness, has_lost_port, needs_its_port, port_taken
from launcher.process import CannotStart, Launch, sentence_of_exit
from launcher.settings import ForgeAddress

_GRACE_S = 5.0  # it flushes nothing, and SIGTERM ends it in 0.1 s [README, section 11]
_AMD_DEVICE = Path("/dev/kfd")  # webui.sh sets what such cards need


class Forge:
    """One Forge install on one port. Without a folder it can only be used when others start it."""

    name = "Forge"
    grace_s = _GRACE_S

    def __init__(
        self,
        probe: ForgeProbe,
        folder: Path | None,
        environ: Mapping[str, str],
        lines: Callable[[], Sequence[str]],
        *,
        silence_s: float,
        has_own_login: bool = False,
        moved: Callable[[ForgeAddress], None] = lambda _: None,
    ):
        """`lines` gives what it wrote last. It may be silent for `silence_s` while it starts.
        `has_own_login`: it is in the settings, and not in Forge's flags. `moved` hears of another
        login in those."""
        self._has_own_login = has_own_login
        self._moved = moved
        self._probe = probe
        self._folder = folder
        self._environ = environ
        self._readiness = ForgeReadiness(probe, lines)
        self._root: Path | None = None
        self.start_limit_s = silence_s

    async def prepare(self) -> Launch:
        """How to start it now, as its owner would. Raises `CannotStart` and `CannotStartNow`."""
        address = self._probe.address
        if not await asyncio.to_thread(lambda: address.is_here):
            raise CannotStart(
                f"SD_API_HOST names another machine, {address.host}, where no Forge answers;"
                " start it there."
            )
        if self._folder is None:
            raise CannotStart(
                "No Forge was found; name its folder with FORGE_DIR or --forge-dir, or start it"
                " yourself."
            )
        await needs_its_port(self._probe)
        try:
            launch, auth = await asyncio.to_thread(self._launch, self._folder)
        except NoForge as error:
            raise CannotStart(error.message) from error
        if not self._has_own_login and auth != address.auth:
            self._probe.address = replace(address, auth=auth)
            self._moved(self._probe.address)
        return launch

    async def is_served_by_others(self) -> bool:
        """Whether a Forge answers that was started by hand."""
        return await self._readiness.is_served_by_others()

    async def is_ready(self, pid: int) -> bool:
        """Whether it can draw. Raises `StartFailed` and `GivesUp`."""
        return await self._readiness.is_ready(pid)

    def explain(self, code: int, lines: Sequence[str]) -> str | None:
        """Why it ended; None when somebody asked it to restart itself."""
        if self._root is not None and (self._root / RESTART_MARK).exists():
            return None
        port = self._probe.address.port
        if has_lost_port(port, of_taken_port(lines)):
            return port_taken(port)
        return cause(lines) or sentence_of_exit(self.name, code, lines)

    def _launch(self, folder: Path) -> tuple[Launch, str | None]:
        """How to start it, and the login that its owner's flags name."""
        install = read(folder, self._environ)
        if speaks_tls(install.arguments) and self._probe.address.scheme != "https":
            raise NoForge(
                "Forge is to serve https. Take --tls-keyfile and --tls-certfile out of"
                " COMMANDLINE_ARGS, since only Navigator speaks to it, or set SD_API_HOST to the"
                " https address that its certificate is for."
            )
        self._root = install.root
        # Forge removes it only while it prepares, which a flag of its own can leave out.
        (install.root / RESTART_MARK).unlink(missing_ok=True)
        launch = launch_of(
            install,
            self._environ,
            port=self._probe.address.port,
            is_root=hasattr(os, "geteuid") and os.geteuid() == 0,
            needs_scripts=not IS_WINDOWS and _AMD_DEVICE.exists(),
            preload=_tcmalloc(install),
        )
        return launch, auth_of(install.arguments)


@functools.cache
def _library(name: str) -> str | None:
    return ctypes.util.find_library(name)


def _tcmalloc(install: ForgeInstall) -> str | None:
    """The allocator that webui.sh loads, too: with glibc's own, Forge's memory grows and grows."""
    if IS_WINDOWS or install.environ.get("NO_TCMALLOC", "").strip():
        return None
    return _library("tcmalloc_minimal") or _library("tcmalloc")
