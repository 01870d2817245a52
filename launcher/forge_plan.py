"""Where Forge is, or will be: what its owner has chosen, and what is free. Nothing is started."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import psutil

from launcher.forge_command import auth_of, flag, port_of, speaks_tls
from launcher.forge_install import NoForge, find, read, usual_places
from launcher.forge_probe import ForgeProbe
from launcher.ports import LOOPBACK, holder, is_taken, listeners, next_free
from launcher.settings import FORGE_PORT, ForgeAddress, LauncherSettings

_PATIENCE_S = 30.0
_LOOK_S = 0.5
_OF_FORGE = frozenset({"launch.py", "webui.py"})


@dataclass(frozen=True)
class ForgePlan:
    """Where Forge is to be, and a sentence if that is not where its owner would look."""

    folder: Path | None
    address: ForgeAddress
    notice: str | None


async def planned(
    session: aiohttp.ClientSession,
    settings: LauncherSettings,
    environ: Mapping[str, str],
    *,
    patience_s: float = _PATIENCE_S,
) -> ForgePlan:
    """Where it is, if one answers; else where ours will be.

    A Forge that others are just starting gets `patience_s` to answer.
    """
    told = settings.forge
    if told is not None and not await asyncio.to_thread(lambda: told.is_here):
        return ForgePlan(None, told, None)
    folder, owners = await asyncio.to_thread(_owners_forge, settings, environ)
    auth = settings.forge_auth or auth_of(owners)
    # What SD_API_HOST names can be a tunnel to another machine: our Forge is not put into its way.
    ours = _usual(owners, auth)
    wanted = replace(told, auth=auth) if told is not None else ours
    if speaks_tls(owners) and wanted.scheme == "https":
        ours = replace(wanted, is_bound=True)  # its certificate is for that host
    if await _answers(ForgeProbe(session, wanted), patience_s):
        return ForgePlan(folder, wanted, None)
    port, notice = await asyncio.to_thread(chosen_port, wanted.port, ours.host)
    return ForgePlan(folder, replace(ours, port=port), notice)


async def _answers(probe: ForgeProbe, patience_s: float) -> bool:
    """Whether a Forge answers, or one that has the port already does before long."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + patience_s
    while not await probe.answers():
        if loop.time() > deadline_s or not await asyncio.to_thread(_starts, probe.address.port):
            return False
        await asyncio.sleep(_LOOK_S)
    return True


def _starts(port: int) -> bool:
    """Whether what listens there was started as a Forge is. Blocks."""
    for pid in listeners(port):
        with contextlib.suppress(psutil.Error):
            if pid is not None and _OF_FORGE & {
                Path(word).name for word in psutil.Process(pid).cmdline()
            }:
                return True
    return False


def chosen_port(wanted: int, host: str = LOOPBACK) -> tuple[int, str | None]:
    """The port for a Forge of ours, and a sentence if it is not the one that is wanted. Blocks."""
    if not is_taken(wanted, host):
        return wanted, None
    port = next_free(wanted, host)
    by = holder(wanted) or "another program"
    return port, f"Port {wanted} is taken by {by}; Forge takes {port}."


def _usual(owners: Sequence[str], auth: str | None) -> ForgeAddress:
    """Where it listens as its owner starts it."""
    host = flag(owners, "--server-name") or LOOPBACK
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = LOOPBACK
    return ForgeAddress(host, port_of(owners) or FORGE_PORT, auth, is_bound=True)


def _owners_forge(
    settings: LauncherSettings, environ: Mapping[str, str]
) -> tuple[Path | None, Sequence[str]]:
    """The folder, and the flags that its owner has chosen."""
    if settings.is_simulated:
        return None, ()
    folder = settings.forge_dir or find(usual_places(Path.home(), Path.cwd()))
    if folder is not None:
        with contextlib.suppress(NoForge):  # told when it is to be started
            return folder, read(folder, environ).arguments
    return folder, ()
