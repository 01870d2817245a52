"""Tests of `app/cli/demo.py`, as a real process in a folder of its own."""

import contextlib
import io
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests.processes import Child, child
from tests.waiting import until

PROMPT = "a lighthouse at dusk"
PREFERRED_PORT = 3333
DEMO_LIMIT_S = 40.0

_ADDRESS = re.compile(r"Also at (http://127\.0\.0\.1:(\d+)/api/images/\w+)")
_SAVED = re.compile(r"Saved (\S+\.png)")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The folder where the demo is called."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The system's folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


@contextlib.contextmanager
def demo(*arguments: str, here: Path, scratch: Path) -> Iterator[Child]:
    """`navigator demo` in the folder `here`."""
    environ = {"TMPDIR": str(scratch), "PYTHONIOENCODING": "utf-8"}
    with child("demo", *arguments, environ=environ, cwd=here) as started:
        yield started


async def test_demo_once_saves_a_picture_and_leaves_nothing_else(here: Path, scratch: Path) -> None:
    with demo("--once", PROMPT, here=here, scratch=scratch) as started:
        ended = await started.ended(DEMO_LIMIT_S)
    assert (ended.code, ended.errors) == (0, "")
    (picture,) = here.iterdir()
    with Image.open(picture) as opened:
        opened.load()
        assert (opened.format, opened.size) == ("PNG", (512, 512))
        assert str(opened.info["parameters"]).startswith(PROMPT)
    assert f"Saved {picture}" in ended.printed
    assert f"Drawing “{PROMPT}”" in ended.printed
    assert re.search(r"step \d+/20, \d+ s", ended.printed)
    assert _ADDRESS.search(ended.printed)
    assert list(scratch.iterdir()) == []


async def test_demo_takes_another_port_and_serves_until_ctrl_c(here: Path, scratch: Path) -> None:
    async with taken(PREFERRED_PORT):
        with demo(PROMPT, here=here, scratch=scratch) as started:
            await until(lambda: "Ctrl-C" in started.printed, DEMO_LIMIT_S)
            found, saved = _ADDRESS.search(started.printed), _SAVED.search(started.printed)
            assert found is not None
            assert saved is not None
            assert int(found[2]) != PREFERRED_PORT
            async with aiohttp.ClientSession() as http, http.get(found[1]) as response:
                content = await response.read()
            assert content == Path(saved[1]).read_bytes()
            with Image.open(io.BytesIO(content)) as opened:
                assert opened.format == "PNG"
            ended, took_s = await started.stop(signal.SIGINT)
    assert (ended.code, ended.errors) == (0, "")
    assert took_s < 4
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("moment", ["Drawing", "step 1/20", "step 7/20"])
async def test_ctrl_c_ends_the_demo_quietly_at_any_moment(
    moment: str, here: Path, scratch: Path
) -> None:
    with demo(PROMPT, here=here, scratch=scratch) as started:
        await until(lambda: reached(started, moment), DEMO_LIMIT_S)
        ended, took_s = await started.stop(signal.SIGINT)
    assert (ended.code, ended.errors) == (0, "")
    assert took_s < 4
    assert list(here.iterdir()) == []
    assert list(scratch.iterdir()) == []


async def test_folder_that_takes_no_picture_is_named(scratch: Path) -> None:
    # Nobody may write there, root neither.
    with demo("--once", PROMPT, here=Path("/proc"), scratch=scratch) as started:
        ended = await started.ended(DEMO_LIMIT_S)
    assert ended.code == 1
    assert ended.errors.startswith("navigator: The picture cannot be saved in the folder /proc (")
    assert "Traceback" not in ended.errors
    assert list(scratch.iterdir()) == []


def reached(started: Child, moment: str) -> bool:
    """Whether the demo has printed this, or a later step."""
    name, _, number = moment.removesuffix("/20").partition(" ")
    steps = [int(step) for step in re.findall(r"step (\d+)/20", started.printed)]
    return any(step >= int(number) for step in steps) if number else name in started.printed


@contextlib.asynccontextmanager
async def taken(port: int) -> AsyncIterator[None]:
    """Listens on the port, once whoever has it, perhaps the demo of another test, lets it go."""
    with socket.socket() as listener:
        # As the demo listens: else the remains of its last connections would be in the way.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        await until(lambda: _binds(listener, port), DEMO_LIMIT_S)
        listener.listen()
        yield


def _binds(listener: socket.socket, port: int) -> bool:
    with contextlib.suppress(OSError):
        listener.bind(("127.0.0.1", port))
        return True
    return False
