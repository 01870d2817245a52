"""A child process on the event loop: its output, its end, and how it is ended."""

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launcher import process_tree
from launcher.errors import LauncherError
from launcher.output import Output

_READ_BYTES = 65_536
_KILL_LIMIT_S = 10.0
_PASSING = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


class CannotStart(LauncherError):
    """A service cannot be started as things are; trying again by itself is no use."""


class CannotStartNow(LauncherError):
    """A service cannot be started at this moment: memory is full, or its port is taken."""


class CannotEnd(LauncherError):
    """A process outlives everything that ends processes."""


@dataclass(frozen=True)
class Launch:
    """What to start. `holds_stdin`: it ends when its standard input is closed."""

    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    cwd: Path | None = None
    holds_stdin: bool = False


class ChildProcess:
    """A running child and all that it started."""

    def __init__(self, tree: process_tree.ProcessTree, output: Output):
        self._tree = tree
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[int] = self._loop.create_future()
        self._drained = asyncio.Event()
        for work in (self._read, self._wait):
            threading.Thread(target=work, daemon=True, name=f"child-{self.pid}").start()

    @classmethod
    async def start(
        cls, launch: Launch, output: Output, *, starting: Callable[[int], None] = lambda _: None
    ) -> "ChildProcess":
        """Starts it; `starting` hears its process id at once.

        Raises `CannotStart` and `CannotStartNow`.
        """

        def begin() -> process_tree.ProcessTree:
            tree = process_tree.start(
                launch.command,
                environ=launch.environ,
                cwd=launch.cwd,
                holds_stdin=launch.holds_stdin,
            )
            starting(tree.popen.pid)
            return tree

        beginning = asyncio.create_task(asyncio.to_thread(begin))
        try:
            return cls(await asyncio.shield(beginning), output)
        except asyncio.CancelledError:  # it may be there already, and nobody else would know
            with contextlib.suppress(OSError):
                await asyncio.to_thread(_abandon, await beginning)
            raise
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            passes = isinstance(error, OSError) and error.errno in _PASSING
            refusal = CannotStartNow if passes else CannotStart
            raise refusal(f"{launch.command[0]} cannot be started ({reason}).") from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._tree.popen.pid

    @property
    def exit_code(self) -> int | None:
        """Negative: the signal that ended it. None while it runs."""
        return self._exited.result() if self._exited.done() else None

    async def wait(self) -> int:
        """Returns its exit code once it has ended, and all that it started with it.

        What it wrote has been taken then.
        """
        code = await asyncio.shield(self._exited)
        await self._end_rest()
        return code

    async def stop(self, grace_s: float) -> int:
        """Asks it to end, and after `grace_s` seconds makes it; its exit code.

        Raises `CannotEnd` for one that hangs in the system itself, such as in a driver.
        """
        self._close_stdin()
        self._tree.ask_to_end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await asyncio.shield(self._exited)
        await self._end_rest()
        try:
            async with asyncio.timeout(_KILL_LIMIT_S):
                return await asyncio.shield(self._exited)
        except TimeoutError as error:
            raise CannotEnd(
                f"Process {self.pid} cannot be ended: it hangs in the system, perhaps in the GPU's"
                " driver. Only a restart of the machine helps."
            ) from error

    async def kill(self) -> int:
        """Ends it at once; its exit code."""
        return await self.stop(0)

    async def _end_rest(self) -> None:
        await asyncio.to_thread(self._tree.kill)
        # Whatever still holds the other end is none of ours any more.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILL_LIMIT_S):
                await self._drained.wait()
        self._close_stdin()

    def _close_stdin(self) -> None:
        if self._tree.popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._tree.popen.stdin.close()

    def _read(self) -> None:
        stdout = self._tree.popen.stdout
        assert stdout is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(OSError, ValueError), stdout:
            while data := stdout.raw.read(_READ_BYTES):  # type: ignore[attr-defined]
                self._output.feed(data)
        self._output.end()
        self._tell(self._drained.set)

    def _wait(self) -> None:
        code = self._tree.popen.wait()
        self._tell(lambda: self._exited.set_result(code))

    def _tell(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before the process
            self._loop.call_soon_threadsafe(act)


def _abandon(tree: process_tree.ProcessTree) -> None:
    """Ends one that nobody listens to."""
    tree.kill()
    for stream in (tree.popen.stdin, tree.popen.stdout):
        if stream is not None:
            stream.close()


def sentence_of_exit(name: str, code: int, last_lines: Sequence[str]) -> str:
    """How a process ended, for a person."""
    if code < 0:
        how = f"was ended by signal {-code}"
        if -code == 9:
            how += ", perhaps because memory ran out"
    else:
        how = f"ended with exit code {code}"
    if not last_lines:
        return f"{name} {how}."
    said = last_lines[-1]
    return f"{name} {how}: {said}" + ("" if said.endswith((".", "!", "?")) else ".")
