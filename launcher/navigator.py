"""Navigator, as a program that is supervised: the server, a child of ours."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from launcher.errors import LauncherError
from launcher.navigator_api import NavigatorApi, NavigatorAway
from launcher.ports import holder, next_free
from launcher.process import Launch, sentence_of_exit
from launcher.program import GivesUp

TOKEN_NAME = "NAVIGATOR_LAUNCHER_TOKEN"  # noqa: S105 - its name
EXIT_SETTINGS_INVALID = 78
_GRACE_S = 27.0  # a little more than it takes itself before it gives up on an orderly end
_SILENCE_S = 180.0  # a large database takes its time to migrate
_RUN_LIMIT_S = 1800.0
_OWN_PREFIX = "navigator: "
_PORT_TAKEN = re.compile(r"port (\d+) of \S+ is taken")


class NoAnswer(LauncherError):
    """A `navigator` that was run did not say what it was asked for."""


class Navigator:
    """`navigator serve` on one data folder."""

    name = "Navigator"
    grace_s = _GRACE_S
    start_limit_s = _SILENCE_S

    def __init__(
        self,
        api: NavigatorApi,
        data_dir: Path,
        environ: Mapping[str, str],
        *,
        token: str,
        forge_settings: Callable[[], Mapping[str, str]],
        options: Callable[[], Sequence[str]] = tuple,
        command: Sequence[str] | None = None,
    ):
        """`forge_settings` says where Forge is, where its settings do not. `options` gives
        those of `navigator serve`; `command` starts `navigator`."""
        self._api = api
        self._data_dir = data_dir
        self._environ = environ
        self._token = token
        self._forge_settings = forge_settings
        self._options = options
        self._command = tuple(command or own_command())

    async def prepare(self) -> Launch:
        """How to start it now. The token is in the environment alone."""
        environ = {**self._environ, TOKEN_NAME: self._token, "PYTHONUNBUFFERED": "1"}
        if getattr(sys, "frozen", False):
            environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
        environ.update(self._forge_settings())
        self._api.forget()
        command = (*self._command, "serve", f"--data-dir={self._data_dir}", "--exit-with-parent")
        return Launch((*command, *self._options()), environ, holds_stdin=True)

    async def is_served_by_others(self) -> bool:
        """Never: a second one on the same data folder is refused by Navigator itself."""
        return False

    async def is_ready(self, pid: int) -> bool:
        """Whether its API answers to us."""
        if await self._api.find(pid) is None:
            return False
        try:
            await self._api.status()
        except NavigatorAway:
            return False
        return True

    def explain(self, code: int, lines: Sequence[str]) -> str:
        """Why it ended. Raises `GivesUp` when a setting has to be changed first."""
        self._api.forget()
        said = [line.removeprefix(_OWN_PREFIX) for line in lines if line.startswith(_OWN_PREFIX)]
        if code == EXIT_SETTINGS_INVALID:
            raise GivesUp(said[-1] if said else "Navigator's settings are not valid.")
        if not said:
            return sentence_of_exit(self.name, code, lines)
        return said[-1] + _offer(said[-1])


def _offer(sentence: str) -> str:
    """Who has the port that Navigator wants, and which one is free. Blocks for a moment."""
    taken = _PORT_TAKEN.search(sentence)
    if taken is None:
        return ""
    port = int(taken[1])
    by = holder(port)
    told = f" It is {by};" if by is not None and by.name is not None else ""
    return f"{told} {next_free(port)} is free."


def own_command() -> tuple[str, ...]:
    """What starts `navigator`, as we were started ourselves."""
    if getattr(sys, "frozen", False):
        ours = Path(sys.executable)
        return (str(ours.with_name(f"navigator{ours.suffix}")),)
    # -P: else a module `app` in the folder that we were called from would be run.
    return (sys.executable, "-P", "-m", "app")


def run_once(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[int, str]:
    """Runs `navigator` with these arguments to its end: its exit code, and what it said last.

    Blocks, for half an hour at most.
    """
    try:
        done = _run(arguments, environ)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, _last_words(done)


def ask_once(arguments: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """Runs `navigator` with these arguments and `--json`: what it printed. Blocks.

    Raises `NoAnswer`.
    """
    try:
        done = _run([*arguments, "--json"], environ)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswer(f"navigator cannot be asked ({error}).") from error
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise NoAnswer(_last_words(done) or "navigator says nothing.") from error
    return told


def _run(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - our own program
        [*own_command(), *arguments],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_RUN_LIMIT_S,
        check=False,
    )


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1].removeprefix(_OWN_PREFIX) if said else ""
