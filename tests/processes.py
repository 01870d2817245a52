"""Navigator as real child processes of a test. Each one has ended when its block ends."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from app.settings import setting_names
from tests.waiting import until

PROJECT_DIR = Path(__file__).parent.parent
SUPERUSER_TOKEN = "superuser-token-of-a-test"
START_LIMIT_S = 60.0
NO_FORGE = "http://127.0.0.1:9"

_LISTENING = re.compile(r"listening on (http://\S+)")


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (negative: the signal), and what it wrote."""

    code: int
    printed: str
    errors: str


class Child:
    """A running `navigator …`. What it writes goes to files, so that no pipe can be full."""

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        cwd: Path | None,
        module: str = "app",
    ):
        self._folder = tempfile.TemporaryDirectory(prefix="navigator-test-")
        self._printed = Path(self._folder.name) / "stdout"
        self._errors = Path(self._folder.name) / "stderr"
        with self._printed.open("wb") as printed, self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment(environ),
                cwd=cwd or self._folder.name,  # where no .env of a developer lies
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=errors,
            )

    @property
    def printed(self) -> str:
        """Its standard output so far."""
        return self._printed.read_text("utf-8")

    @property
    def errors(self) -> str:
        """Its standard error so far: the log."""
        return self._errors.read_text("utf-8")

    @property
    def url(self) -> str | None:
        """The address that its log names, once it listens."""
        found = _LISTENING.search(self.errors)
        return found.group(1) if found else None

    async def listening(self, timeout_s: float = START_LIMIT_S) -> str:
        """Its address, as soon as it listens there."""
        await until(lambda: self.url or self.has_ended, timeout_s)
        if self.url is None:
            raise AssertionError(f"ended with {self.process.returncode}: {self.errors}")
        return self.url

    @property
    def has_ended(self) -> bool:
        """Whether it has, by itself or not."""
        return self.process.poll() is not None

    async def ended(self, timeout_s: float = START_LIMIT_S) -> Ended:
        """How it ended, once it has by itself."""
        code = await asyncio.to_thread(self.process.wait, timeout_s)
        return Ended(code, self.printed, self.errors)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[Ended, float]:
        """Asks it to end; gives how it did, and after how many seconds."""
        began_s = time.monotonic()
        self.process.send_signal(number)
        return await self.ended(), time.monotonic() - began_s

    def kill(self) -> None:
        """Ends it at once, whatever it does."""
        self.process.kill()
        self.process.wait()

    def remove(self) -> None:
        """Ends it and forgets what it wrote."""
        self.kill()
        self._folder.cleanup()


@contextlib.contextmanager
def child(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    module: str = "app",
) -> Iterator[Child]:
    """`navigator` with these arguments, or another program of ours, until the block ends.

    A failure shows what it wrote.
    """
    started = Child(arguments, environ or {}, cwd, module)
    try:
        yield started
    except BaseException:
        print(f"--- {module} {' '.join(arguments)}\n{started.printed}\n{started.errors}")
        raise
    finally:
        started.remove()


def serve(
    data_dir: Path, *options: str, forge_url: str = NO_FORGE, **settings: str
) -> contextlib.AbstractContextManager[Child]:
    """`navigator serve`, just started. With port 0 it finds one, so that no two tests clash."""
    environ = {
        "SD_API_HOST": f"{forge_url}/sdapi/v1",
        "HTTP_API_PORT": "0",
        "RT_API_PORT": "0",
        "SUPERUSER_ADMIN_TOKEN": SUPERUSER_TOKEN,
        **settings,
    }
    return child("serve", f"--data-dir={data_dir}", *options, environ=environ)


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """Our environment without Navigator's settings, then `changes`. Finds `app` from anywhere."""
    ours = {name: value for name, value in os.environ.items() if name not in setting_names()}
    return ours | {"PYTHONPATH": str(PROJECT_DIR), "NO_COLOR": "1"} | dict(changes)


async def submit(http: aiohttp.ClientSession, url: str, **parameters: object) -> str:
    """Posts a small job as the superuser; gives the id of the accepted job."""
    body = {
        "model_name": "dreamyLandscapes_v2",
        "prompt": "a fox",
        "width": 64,
        "height": 64,
        "steps": 4,
        **parameters,
    }
    async with http.post(
        f"{url}/api/queue/user/txt2img", json=body, headers={"Authorization": SUPERUSER_TOKEN}
    ) as response:
        answer = await response.json()
        assert response.status == 200, answer
        return str(answer["job_id"])
