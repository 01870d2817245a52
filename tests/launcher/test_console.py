"""Tests of `launcher/console.py`."""

import asyncio
import os
import signal
from typing import Any

import pytest

from launcher.console import on_end, on_window_closed
from tests.waiting import until


class FakeKernel:
    """Windows, as far as it is needed."""

    def SetConsoleCtrlHandler(self, handler: Any, add: bool) -> None:  # noqa: N802
        self.handler, self.is_added = handler, add


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_signals_end_it(number: signal.Signals) -> None:
    ended: list[bool] = []
    loop = asyncio.get_running_loop()
    on_end(loop, lambda: ended.append(True))
    try:
        os.kill(os.getpid(), number)
        await until(lambda: ended)
    finally:
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(one)


@pytest.mark.parametrize(("event", "ends"), [(0, False), (1, False), (2, True), (5, True)])
def test_closed_window_ends_it_and_windows_waits(event: int, ends: bool) -> None:
    kernel, calls = FakeKernel(), list[object]()
    on_window_closed(lambda: calls.append("stop"), kernel=kernel, wait=calls.append)
    assert kernel.is_added
    assert bool(kernel.handler(event)) is ends
    assert calls == (["stop", 20.0] if ends else [])


@pytest.mark.posix
async def test_nohup_is_respected() -> None:
    loop, before = asyncio.get_running_loop(), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        on_end(loop, lambda: None)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(one)
        signal.signal(signal.SIGHUP, before)
