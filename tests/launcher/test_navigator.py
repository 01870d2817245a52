"""Tests of `launcher/navigator.py`."""

import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from launcher.navigator import Navigator, own_command
from launcher.navigator_api import NavigatorApi
from launcher.program import GivesUp


def program(folder: Path, session: aiohttp.ClientSession, **environ: str) -> Navigator:
    """A Navigator that is not started."""
    return Navigator(
        NavigatorApi(session, folder, "token"),
        folder,
        dict(os.environ) | environ,
        token="token",
        forge_settings=lambda: {"SD_API_HOST": "http://127.0.0.1:7865/sdapi/v1"},
        options=lambda: ["--http-port=0"],
    )


async def test_it_is_started_with_our_token_in_its_environment(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        launch = await program(tmp_path, session, SD_API_HOST="http://x:1").prepare()
    assert launch.command == (
        sys.executable, "-P", "-m", "app", "serve", f"--data-dir={tmp_path}", "--exit-with-parent",
        "--http-port=0",
    )  # fmt: skip
    assert launch.holds_stdin
    assert launch.environ["NAVIGATOR_LAUNCHER_TOKEN"] == "token"
    assert launch.environ["SD_API_HOST"] == "http://127.0.0.1:7865/sdapi/v1"
    assert "token" not in repr(launch)


async def test_frozen_program_starts_the_one_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/apps/navigator-tray.exe")
    assert own_command() == ("/apps/navigator.exe",)
    async with aiohttp.ClientSession() as session:
        launch = await program(tmp_path, session).prepare()
    assert launch.environ["PYINSTALLER_RESET_ENVIRONMENT"] == "1"


async def test_its_end_is_told_in_its_own_words(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        navigator = program(tmp_path, session)
        lines = ["x", "navigator: HTTP_API_PORT: port 3333 is taken.", "y"]
        assert navigator.explain(1, lines) == "HTTP_API_PORT: port 3333 is taken."
        assert navigator.explain(-9, []).startswith("Navigator was ended by signal 9")
        with pytest.raises(GivesUp, match="port 3333 is taken"):
            navigator.explain(78, lines)
        with pytest.raises(GivesUp, match="settings"):
            navigator.explain(78, [])
        assert not await navigator.is_served_by_others()
        assert not await navigator.is_ready(77)


def test_module_of_the_same_name_in_the_current_folder_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("raise SystemExit(3)")
    command = [*own_command(), "--help"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
