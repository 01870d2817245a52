"""What ends a program from outside: signals, and on Windows the window of its console.

Windows tells of a closed window or a shutdown by its console events only, and ends the process some
seconds later whatever it does (Microsoft's documentation of `SetConsoleCtrlHandler`).
"""

import asyncio
import ctypes
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

_CLOSING = frozenset({2, 5, 6})  # the window, the user's logoff, the shutdown
_GRANTED_S = 20.0
_kept: list[object] = []  # Windows calls it for as long as we live


def on_end(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Calls `stop` on the loop when somebody wants the program to end."""
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        on_window_closed(lambda: loop.call_soon_threadsafe(stop))
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # `nohup`: it is to outlive its terminal
        loop.add_signal_handler(number, stop)


def on_window_closed(
    stop: Callable[[], object], *, kernel: Any = None, wait: Callable[[float], None] = time.sleep
) -> None:
    """Calls `stop` in a thread of Windows' own, and keeps that one until the process ends.

    `kernel` and `wait` are for tests.
    """
    make = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)

    def handle(event: int) -> bool:
        if event not in _CLOSING:
            return False
        stop()
        wait(_GRANTED_S)  # Windows ends us as soon as this returns
        return True

    handler = make(ctypes.c_int, ctypes.c_uint32)(handle)
    _kept.append(handler)
    (kernel or getattr(ctypes, "windll").kernel32).SetConsoleCtrlHandler(handler, True)  # noqa: B009
