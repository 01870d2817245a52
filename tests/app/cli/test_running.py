"""Tests of `app/cli/running.py`."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from app.cli.running import Main, run, unless_stopped
from app.errors import InvalidInput, SettingsInvalid
from tests.databases import python
from tests.processes import PROJECT_DIR

# Everything that takes long to import or much memory. `--help` needs none of it.
HEAVY = (
    *("tortoise", "aerich", "aiosqlite", "asyncmy", "sqlite3", "quart", "quart_schema"),
    *("hypercorn", "socketio", "aiohttp", "pydantic", "PIL", "structlog", "jwt"),
)
HELP = """
import sys
from app.cli import main
main(["--help"], standalone_mode=False)
print("imported:", *sys.modules)
"""
NEVER_ENDS = """
import asyncio, os, signal
from app.cli.running import run

async def main(stopped):
    os.kill(os.getpid(), signal.SIGTERM)
    await stopped.wait()
    print("stopping", flush=True)
    await asyncio.Event().wait()

run(main, shutdown_limit_s=0.2)
"""


async def test_help_is_shown_without_importing_anything_heavy() -> None:
    text, _, imported = (await python(HELP)).partition("imported: ")
    assert "demo" in text
    assert "serve" in text
    assert not {name.partition(".")[0] for name in imported.split()} & set(HEAVY)


def raising(error: Exception) -> Main:
    """A main function that fails."""

    async def main(_stopped: asyncio.Event) -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (SettingsInvalid("DB_NAME: is odd."), 78, "navigator: DB_NAME: is odd.\n"),
        (InvalidInput("No such picture."), 1, "navigator: No such picture.\n"),
        (sqlite3.OperationalError("disk I/O error"), 1, None),
    ],
)
def test_known_error_becomes_a_sentence_and_an_exit_code(
    error: Exception, code: int, sentence: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if isinstance(error, sqlite3.Error):
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    with pytest.raises(SystemExit) as ended:
        run(raising(error))
    assert ended.value.code == code
    shown = sentence or f"navigator: The database does not answer: {error}\n"
    assert capsys.readouterr() == ("", shown)


def test_unknown_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run(raising(ZeroDivisionError()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_asks_to_stop(number: signal.Signals) -> None:
    seen: list[bool] = []

    async def main(stopped: asyncio.Event) -> None:
        seen.append(stopped.is_set())
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopped.wait(), 5)
        seen.append(stopped.is_set())

    run(main)
    assert seen == [False, True]


def test_opening_is_cut_off_by_a_stop() -> None:
    seen: list[str] = []

    async def main(stopped: asyncio.Event) -> None:
        try:
            async with unless_stopped(stopped):
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.wait_for(asyncio.Event().wait(), 10)
        finally:
            seen.append("closed")
        seen.append("never")

    run(main)
    assert seen == ["closed"]


def test_what_follows_the_opening_is_not_cut_off() -> None:
    seen: list[str] = []

    async def main(stopped: asyncio.Event) -> None:
        async with unless_stopped(stopped):
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stopped.wait(), 5)
        await asyncio.sleep(0)
        seen.append("closed in order")

    run(main)
    assert seen == ["closed in order"]


def test_process_ends_though_closing_hangs() -> None:
    began_s = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", NEVER_ENDS],
        cwd=PROJECT_DIR,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, b"stopping\n"), ended.stderr
    assert time.monotonic() - began_s < 15
