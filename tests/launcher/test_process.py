"""Tests of `launcher/process.py`, with real children."""

import asyncio
import contextlib
import errno
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.output import Output
from launcher.process import (
    CannotEnd,
    CannotStart,
    CannotStartNow,
    ChildProcess,
    Launch,
    sentence_of_exit,
)
from tests.launcher.children import killed_at_the_end, lives, python
from tests.waiting import until

pytestmark = pytest.mark.posix

# Starts a grandchild that ignores everything, and prints its number.
FORKS = """
    import subprocess, sys, time, signal
    inner = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", inner], start_new_session=len(sys.argv) > 1)
    print(child.pid)
"""


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Output]:
    opened = Output("child", tmp_path)
    yield opened
    opened.close()


async def test_output_and_exit_code_are_told(output: Output) -> None:
    child = await ChildProcess.start(
        python("import sys; print('out'); print('error', file=sys.stderr); sys.exit(3)"), output
    )
    assert await child.wait() == child.exit_code == 3
    assert sorted(output.lines()) == ["error", "out"]


async def test_nothing_waits_for_a_key(output: Output) -> None:
    child = await ChildProcess.start(python("print(repr(input('press a key')))"), output)
    assert await asyncio.wait_for(child.wait(), 10) == 1
    assert "EOFError" in output.lines()[-1]


async def test_one_that_holds_its_input_ends_when_it_is_closed(output: Output) -> None:
    launch = python("""
        import signal, sys
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("reads", flush=True)
        print(repr(sys.stdin.read()))
    """, holds_stdin=True)  # fmt: skip
    child = await ChildProcess.start(launch, output)
    await until(lambda: output.last_line == "reads")
    assert await child.stop(grace_s=20) == 0
    assert output.last_line == "''"


async def test_one_that_ends_when_asked_is_not_killed(output: Output) -> None:
    launch = python("""
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        print("ready")
        time.sleep(600)
    """)
    child = await ChildProcess.start(launch, output)
    await until(lambda: output.last_line == "ready")
    assert await child.stop(grace_s=20) == 7


async def test_one_that_ignores_us_is_killed(output: Output) -> None:
    launch = python("""
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready")
        time.sleep(600)
    """)
    child = await ChildProcess.start(launch, output)
    await until(lambda: output.last_line == "ready")
    began_s = time.monotonic()
    assert await child.stop(grace_s=0.3) == -signal.SIGKILL
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("leaves_the_session", [False, True])
async def test_what_it_started_is_ended_with_it(output: Output, leaves_the_session: bool) -> None:
    arguments = ["away"] if leaves_the_session else []
    launch = python(f"{FORKS}\n    time.sleep(600)", *arguments)
    with killed_at_the_end() as pids:
        child = await ChildProcess.start(launch, output)
        await until(lambda: output.last_line)
        pids.append(int(output.last_line))
        await child.stop(grace_s=0.2)
        assert not lives(pids[0])


async def test_what_is_left_of_one_that_died_is_ended(output: Output) -> None:
    with killed_at_the_end() as pids:
        child = await ChildProcess.start(python(FORKS), output)
        assert await asyncio.wait_for(child.wait(), 20) == 0
        pids.append(int(output.lines()[-1]))
        assert not lives(pids[0])


async def test_one_that_cannot_die_is_told_and_not_waited_for(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = await ChildProcess.start(python("import time; time.sleep(600)"), output)
    with monkeypatch.context() as patched:
        # As in an uninterruptible wait of the system, which no signal ends.
        patched.setattr("launcher.process._KILL_LIMIT_S", 0.1)
        patched.setattr(child._tree, "kill", lambda: None)
        patched.setattr(child._tree, "ask_to_end", lambda: None)
        with pytest.raises(CannotEnd, match=f"Process {child.pid} cannot be ended"):
            await child.stop(0.1)
    await child.kill()


@pytest.mark.parametrize(
    ("number", "refusal"),
    [(errno.EAGAIN, CannotStartNow), (errno.ENOMEM, CannotStartNow), (errno.EACCES, CannotStart)],
)
async def test_lack_of_memory_passes_and_missing_rights_do_not(
    output: Output, monkeypatch: pytest.MonkeyPatch, number: int, refusal: type[Exception]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("launcher.process_tree.start", refuse)
    with pytest.raises(refusal, match="cannot be started"):
        await ChildProcess.start(python("pass"), output)


@pytest.mark.parametrize("command", [("/nowhere/program",), ("",), ("a\0b",)])
async def test_what_cannot_be_started_is_told(output: Output, command: tuple[str, ...]) -> None:
    with pytest.raises(CannotStart, match="cannot be started"):
        await ChildProcess.start(Launch(command, {}), output)


async def test_one_whose_start_is_given_up_is_not_left(output: Output) -> None:
    begun: list[int] = []
    starting = asyncio.create_task(
        ChildProcess.start(python("import time; time.sleep(600)"), output, starting=begun.append)
    )
    await until(lambda: begun)
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await (await starting).kill()
    assert not lives(begun[0])


@pytest.mark.parametrize(
    ("code", "lines", "sentence"),
    [
        (1, ["a", "It broke."], "Forge ended with exit code 1: It broke."),
        (0, [], "Forge ended with exit code 0."),
        (-9, [], "Forge was ended by signal 9, perhaps because memory ran out."),
        (-15, ["x"], "Forge was ended by signal 15: x."),
    ],
)
def test_end_is_told_in_a_sentence(code: int, lines: list[str], sentence: str) -> None:
    assert sentence_of_exit("Forge", code, lines) == sentence
