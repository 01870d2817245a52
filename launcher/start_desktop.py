"""Starts the launcher with its icon, unless it runs already."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher import first_run, logs
from launcher.controller import FOLDER
from launcher.desktop import Desktop
from launcher.errors import SettingsInvalid
from launcher.instance import RunsAlready, only_instance
from launcher.running import show_first
from launcher.settings import LauncherSettings, bare


def run_desktop(
    environ: Mapping[str, str],
    *,
    data_dir: Path | None,
    forge_dir: Path | None,
    options: Sequence[str],
    at_login: bool = False,
) -> int:
    """Runs the launcher with its icon; gives the exit code. Raises `LauncherError`.

    `at_login`: the system starts it, so that nothing is opened.
    """

    def load() -> LauncherSettings:
        return LauncherSettings.load(environ, data_dir=data_dir, forge_dir=forge_dir)

    try:
        settings = load()
        asks = not first_run.is_known(settings) and not at_login
    except SettingsInvalid:  # told, and mended, once there is an icon
        settings, asks = bare(environ, data_dir), False
    folder = settings.data_dir / FOLDER
    try:
        with only_instance(folder):
            logs.configure(settings.log_dir, secrets=settings.secrets)
            return Desktop(
                load,
                settings,
                environ,
                options=options,
                forge_option=[f"--forge-dir={forge_dir}"] if forge_dir is not None else [],
                asks=asks,
            ).run()
    except RunsAlready as error:
        return asyncio.run(show_first(folder, error))
