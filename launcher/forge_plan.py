"""Where Forge is, or will be: what its owner has chosen, and what is free. Nothing is started."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from launcher.forge_command import auth_of, flag, port_of
from launcher.forge_install import NoForge, find, read, usual_places
from launcher.forge_probe import ForgeProbe
from launcher.ports import LOOPBACK, holder, is_taken, next_free
from launcher.settings import FORGE_PORT, ForgeAddress, LauncherSettings


@dataclass(frozen=True)
class ForgePlan:
    """Where Forge is to be, and a sentence if that is not where its owner would look."""

    folder: Path | None
    address: ForgeAddress
    notice: str | None


async def planned(
    session: aiohttp.ClientSession, settings: LauncherSettings, environ: Mapping[str, str]
) -> ForgePlan:
    """Where it is, if one answers; else where ours will be."""
    told = settings.forge
    if told is not None and not told.is_here:
        return ForgePlan(None, told, None)
    folder, owners = await asyncio.to_thread(_owners_forge, settings, environ)
    auth = settings.forge_auth or auth_of(owners)
    # What SD_API_HOST names can be a tunnel to another machine: our Forge is not put into its way.
    ours = _usual(owners, auth)
    wanted = replace(told, auth=auth) if told is not None else ours
    if await ForgeProbe(session, wanted).answers():
        return ForgePlan(folder, wanted, None)
    port, notice = await asyncio.to_thread(chosen_port, wanted.port, ours.host)
    return ForgePlan(folder, replace(ours, port=port), notice)


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
