"""Runs the launcher without a desktop, and ends the one that runs."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher import logs
from launcher.console import on_end
from launcher.control import NotRunning, Refused, ask
from launcher.controller import FOLDER, Controller
from launcher.errors import LauncherError
from launcher.instance import RunsAlready, only_instance, read_contact
from launcher.record import Record
from launcher.settings import LauncherSettings
from launcher.sharing import LanSharing

log = logging.getLogger(__name__)

_STOP_LIMIT_S = 90.0
_LOOK_S = 0.05


class DoesNotStop(LauncherError):
    """The running launcher was asked to end, and has not."""


async def run_headless(
    environ: Mapping[str, str],
    *,
    data_dir: Path | None,
    forge_dir: Path | None,
    options: Sequence[str],
) -> int:
    """Runs until somebody wants it to end; gives the exit code.

    A second one shows the first. Raises `LauncherError`.
    """
    settings = LauncherSettings.load(environ, data_dir=data_dir, forge_dir=forge_dir)
    folder = settings.data_dir / FOLDER
    try:
        with only_instance(folder):
            logs.configure(settings.log_dir, secrets=settings.secrets)
            controller = Controller(
                settings,
                environ,
                options=options,
                echo=logs.echo,
                is_lan=await asyncio.to_thread(LanSharing.was_on, folder),
            )
            on_end(asyncio.get_running_loop(), controller.stop)
            code = await controller.run()
            log.info("all is stopped")
            return code
    except RunsAlready as error:
        return await show_first(folder, error)


async def show_first(folder: Path, error: RunsAlready) -> int:
    """Shows the launcher that runs already; gives our exit code. Raises `error` if it is silent."""
    try:
        told = await ask(folder, "show")
    except (NotRunning, Refused):
        raise error from None
    print(f"{error.message}\n{told['text']}")  # noqa: T201
    return 0


async def stop(folder: Path) -> None:
    """Ends the running launcher; returns when it has ended. Raises `LauncherError`."""
    contact = await asyncio.to_thread(read_contact, folder)
    record = Record.of(contact.pid) if contact is not None else None
    await ask(folder, "stop")
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + _STOP_LIMIT_S
    while record is not None and record.process() is not None:
        if loop.time() > deadline_s:
            raise DoesNotStop(f"The launcher (process {record.pid}) does not end.")
        await asyncio.sleep(_LOOK_S)
