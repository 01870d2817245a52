"""Where Forge is, or will be: what its owner has chosen, and what is free. Nothing is started."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from launcher.forge import chosen_port
from launcher.forge_command import auth_of, port_of
from launcher.forge_install import NoForge, find, read, usual_places
from launcher.forge_probe import ForgeProbe
from launcher.ports import LOOPBACK
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
    folder, owners_port, auth = await asyncio.to_thread(_owners_forge, settings, environ)
    port = owners_port or (told.port if told is not None else FORGE_PORT)
    wanted = ForgeAddress(LOOPBACK, port, settings.forge_auth or auth)
    if await ForgeProbe(session, wanted).answers():
        return ForgePlan(folder, wanted, None)
    port, notice = await asyncio.to_thread(chosen_port, port)
    return ForgePlan(folder, replace(wanted, port=port), notice)


def _owners_forge(
    settings: LauncherSettings, environ: Mapping[str, str]
) -> tuple[Path | None, int | None, str | None]:
    """The folder, and the port and login that its owner has chosen."""
    if settings.is_simulated:
        return None, None, None
    folder = settings.forge_dir or find(usual_places(Path.home(), Path.cwd()))
    if folder is not None:
        with contextlib.suppress(NoForge):  # told when it is to be started
            owners = read(folder, environ).arguments
            return folder, port_of(owners), auth_of(owners)
    return folder, None, None
