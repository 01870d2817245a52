"""Keeps the machine from going to sleep while there is work.

Linux: an inhibitor of systemd-logind, held by a file descriptor, so that it ends with us. Windows:
`SetThreadExecutionState`, which holds for the thread that calls it, so that one thread does.
"""

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

log = logging.getLogger(__name__)

_WHY = "Navigator draws pictures for friends"
_TIMEOUT_S = 10.0  # the doctor waits for it, and has other work
_AGAIN_S = 300.0
_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001


class Inhibitor(Protocol):
    """How one system does it. Methods may block for a moment, and raise OSError."""

    async def hold(self) -> None:
        """From now on the machine stays awake."""

    async def release(self) -> None:
        """It may sleep again."""


class KeepAwake:
    """Awake while wanted. A system that cannot do it is asked again only after a while."""

    def __init__(
        self,
        inhibitor: Inhibitor | None = None,
        *,
        timeout_s: float = _TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._timeout_s = timeout_s
        self._clock = clock
        self._inhibitor = inhibitor or _of_this_system()
        self.is_holding = False
        self._refused_s = float("-inf")
        self._has_told = False

    async def want(self, wanted: bool) -> None:
        """Holds or releases, where that differs from what is."""
        is_refused = self._clock() - self._refused_s < _AGAIN_S
        if wanted == self.is_holding or (wanted and is_refused):
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                if wanted:
                    await self._inhibitor.hold()
                else:
                    await self._inhibitor.release()
        except OSError as error:  # TimeoutError is one
            if not self._has_told:
                why = str(error) or "no answer"
                log.info("the machine may go to sleep while jobs wait: %s", why)
            self._has_told = True
            self._refused_s = self._clock()
            self.is_holding = False
        else:
            self.is_holding = wanted
            self._has_told = False


class Logind:
    """systemd-logind over D-Bus.

    Source: org.freedesktop.login1(5), `Inhibit`: the lock is held until its descriptor is closed.
    """

    def __init__(self, address: str | None = None):
        """`address` is that of the system bus, None for the usual one."""
        self._address = address
        self._descriptor: int | None = None

    async def hold(self) -> None:
        import dbus_fast  # noqa: PLC0415 - costs memory, and other systems have none
        from dbus_fast.aio import MessageBus  # noqa: PLC0415

        try:
            bus = await MessageBus(
                bus_address=self._address,
                bus_type=dbus_fast.BusType.SYSTEM,
                negotiate_unix_fd=True,
            ).connect()
        except Exception as error:  # it has many ways to say that there is no bus
            raise OSError(f"no system bus ({error})") from error
        try:
            answer = await bus.call(
                dbus_fast.Message(
                    destination="org.freedesktop.login1",
                    path="/org/freedesktop/login1",
                    interface="org.freedesktop.login1.Manager",
                    member="Inhibit",
                    signature="ssss",
                    body=["sleep:idle", "Navigator", _WHY, "block"],
                )
            )
        except Exception as error:
            raise OSError(f"the system bus does not answer ({error})") from error
        finally:
            bus.disconnect()
        if answer is None or answer.message_type is not dbus_fast.MessageType.METHOD_RETURN:
            told = answer.body[0] if answer is not None and answer.body else "no answer"
            raise OSError(f"logind refuses ({told})")
        self._descriptor = answer.unix_fds[answer.body[0]]

    async def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class ExecutionState:
    """Windows' own. `call` is for tests."""

    def __init__(self, call: Any = None):
        self._call = call or _set_execution_state
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keep-awake")

    async def hold(self) -> None:
        self._set(_CONTINUOUS | _SYSTEM_REQUIRED)

    async def release(self) -> None:
        self._set(_CONTINUOUS)

    def _set(self, state: int) -> None:
        if not self._thread.submit(self._call, state).result():
            raise OSError("Windows refuses SetThreadExecutionState")


class Nothing:
    """A system for which there is no way."""

    async def hold(self) -> None:
        raise OSError("there is no way on this system")

    async def release(self) -> None:
        pass


def _of_this_system() -> Inhibitor:
    if sys.platform == "win32":
        return ExecutionState()
    if sys.platform == "linux":
        return Logind()
    return Nothing()


def _set_execution_state(state: int) -> int:
    import ctypes  # noqa: PLC0415 - only there

    windll: Any = getattr(ctypes, "windll")  # noqa: B009
    with contextlib.suppress(AttributeError):
        return int(windll.kernel32.SetThreadExecutionState(state))
    return 0
