"""A person at the tray icon: starts the launcher, looks into its menu, quits."""

from pathlib import Path

from tests.fakes.forge_install import FakeForge
from tests.launcher.desktop import Desktop
from tests.launcher.launching import launcher
from tests.processes import Child

BROWSER = '#!/bin/sh\necho "$1" >> "{log}"\n'


def started(desktop: Desktop, data_dir: Path, forge: FakeForge, tmp_path: Path):  # type: ignore[no-untyped-def]
    """The launcher with its icon, just started."""
    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(log=tmp_path / "opened"))
    browser.chmod(0o755)
    return launcher(
        data_dir,
        f"--forge-dir={forge.root}",
        is_headless=False,
        DBUS_SESSION_BUS_ADDRESS=desktop.address,
        BROWSER=str(browser),
        XDG_CONFIG_HOME=str(tmp_path / "config"),
    )


async def is_ready(desktop: Desktop) -> bool:
    """Whether the status line says so."""
    return bool(desktop.watcher.names) and "Ready" in [
        label[:5] for label in await desktop.labels()
    ]


async def has(desktop: Desktop, *path: str) -> bool:
    """Whether there is a menu with this entry."""
    if not desktop.watcher.names:
        return False
    try:
        await desktop.find(*path)
    except StopIteration:
        return False
    except RuntimeError:  # what a coroutine makes of it
        return False
    return True


async def quit_by_menu(desktop: Desktop, running: Child) -> None:
    """Chooses the last entry."""
    await desktop.click("Quit")
    ended = await running.ended(30)
    assert (ended.code, "Traceback" in ended.errors) == (0, False), ended.errors
