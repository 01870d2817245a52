"""Runs the server inside a command: event loop, signals, settings, exit codes."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, NoReturn

import click

from app.cli.allocator import give_memory_back
from app.errors import NavigatorError, SettingsInvalid
from app.tasks import running

EXIT_SETTINGS_INVALID = 78  # EX_CONFIG: starting again will not help
EXIT_FAILED = 1
_SHUTDOWN_LIMIT_S = 25.0
_STDIN = 0

Main = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


def run(
    main: Main, *, shutdown_limit_s: float = _SHUTDOWN_LIMIT_S, until_stdin_closes: bool = False
) -> None:
    """Runs `main` with an event that SIGINT and SIGTERM set; ends as `exits` does.

    With `until_stdin_closes` the end of our standard input sets it, too: whoever started us has
    gone. Whatever `main` does then, the process ends when `shutdown_limit_s` is over.
    """
    give_memory_back()
    # Whatever hangs while closing, a stop is a stop: everything accepted is in the database.
    deadline = threading.Timer(shutdown_limit_s, os._exit, args=(EXIT_FAILED,))
    deadline.daemon = True
    with contextlib.ExitStack() as stack:
        stack.enter_context(exits())
        stack.callback(deadline.cancel)
        stack.enter_context(contextlib.suppress(asyncio.CancelledError))  # see `unless_stopped`
        runner = stack.enter_context(asyncio.Runner(loop_factory=_loop_factory()))
        runner.run(
            _with_signals(main, on_stop=deadline.start, until_stdin_closes=until_stdin_closes)
        )


@contextlib.contextmanager
def exits() -> Iterator[None]:
    """Turns the errors of the block into a sentence and an exit code."""
    try:
        yield
    except SettingsInvalid as error:
        fail(error.message, EXIT_SETTINGS_INVALID)
    except NavigatorError as error:
        fail(error.message, EXIT_FAILED)
    except Exception as error:
        from app.database.connection import is_unavailable

        if not is_unavailable(error):
            raise
        fail(f"The database does not answer: {error}", EXIT_FAILED)


@contextlib.asynccontextmanager
async def unless_stopped(stopped: asyncio.Event) -> AsyncIterator[None]:
    """Cancels the calling task when `stopped` is set before the block ends.

    For what may take long before there is anything to close in order; `run` takes this for a
    normal end.
    """
    task = asyncio.current_task()

    async def cut_off() -> None:
        await stopped.wait()
        # Once is not enough: `asyncio.wait_for` of Python 3.11 can swallow it.
        while task is not None:
            task.cancel()
            await asyncio.sleep(1)

    async with running(cut_off()):
        yield


def fail(sentence: str, code: int) -> NoReturn:
    """Ends the program with one sentence on stderr."""
    click.echo(f"navigator: {sentence}", err=True)
    sys.exit(code)


async def _with_signals(
    main: Main, *, on_stop: Callable[[], None], until_stdin_closes: bool
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopped.is_set():
            return
        stopped.set()
        on_stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        else:
            loop.add_signal_handler(number, stop)
    if until_stdin_closes:
        threading.Thread(target=_wait_for_end_of_stdin, args=(loop, stop), daemon=True).start()
    await main(stopped)


def _wait_for_end_of_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    # Past Python's own stream: its lock, held here, would make the interpreter die of its end.
    with contextlib.suppress(OSError):
        while os.read(_STDIN, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # we are ending already
        loop.call_soon_threadsafe(stop)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    if sys.platform == "win32":
        import winloop

        factory: Callable[[], asyncio.AbstractEventLoop] = winloop.new_event_loop
        return factory
    import uvloop

    return uvloop.new_event_loop
