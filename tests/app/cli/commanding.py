"""`navigator users …` and `navigator invite …`: as real processes, and beside a running server.

The second way takes no time to start, and everything but the process is the same.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from app.cli import main, server_file
from app.cli.instance import only_instance
from tests.processes import NO_FORGE, Ended, child
from tests.running import SUPERUSER_TOKEN, RunningNavigator


async def command(data_dir: Path, *arguments: str, **environ: str) -> Ended:
    """How a process `navigator` with these arguments and this data folder ended."""
    environ = {"SD_API_HOST": f"{NO_FORGE}/sdapi/v1", **environ}
    with child(*arguments, f"--data-dir={data_dir}", environ=environ) as started:
        return await started.ended()


async def done(data_dir: Path, *arguments: str, **environ: str) -> str:
    """What such a process printed; it must have ended well."""
    ended = await command(data_dir, *arguments, **environ)
    assert ended.code == 0, ended.errors
    return ended.printed


async def told(data_dir: Path, *arguments: str, **environ: str) -> Any:
    """What it printed with `--json`: that and nothing else."""
    return json.loads(await done(data_dir, *arguments, "--json", **environ))


@contextmanager
def listed(data_dir: Path, url: str, token: str = SUPERUSER_TOKEN) -> Iterator[None]:
    """The data folder is held, and its file names a server."""
    with only_instance(data_dir), server_file.removed_around(data_dir):
        server_file.write(data_dir, url, token)
        yield


class Beside:
    """Commands in a thread of this process, for a server that runs in it."""

    def __init__(self, data_dir: Path):
        self.data_dir = data_dir

    async def ended(self, *arguments: str) -> Ended:
        """How it ended. Nobody is there to be asked."""
        return await self.ended_as_given(*arguments, f"--data-dir={self.data_dir}")

    async def ended_as_given(self, *arguments: str) -> Ended:
        """The same, without naming the data folder."""
        result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    async def done(self, *arguments: str) -> str:
        """What it printed; it must have ended well."""
        ended = await self.ended(*arguments)
        assert ended.code == 0, ended.errors
        return ended.printed

    async def told(self, *arguments: str) -> Any:
        """What it printed with `--json`: that and nothing else."""
        return json.loads(await self.done(*arguments, "--json"))

    async def refused(self, *arguments: str) -> str:
        """The one sentence with which it was refused."""
        ended = await self.ended(*arguments)
        assert (ended.code, ended.printed) == (1, "")
        assert ended.errors.startswith("navigator: ")
        assert len(ended.errors.splitlines()) == 1
        return ended.errors.removeprefix("navigator: ").rstrip()


@contextmanager
def beside(server: RunningNavigator) -> Iterator[Beside]:
    """Commands that find the server."""
    with listed(server.settings.data_dir, server.url):
        yield Beside(server.settings.data_dir)
