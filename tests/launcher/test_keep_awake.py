"""Tests of `launcher/keep_awake.py`, with a system bus of the test's own."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import dbus_fast
import pytest
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method

from launcher.keep_awake import KeepAwake, Logind, Nothing
from tests.launcher.buses import private_bus
from tests.waiting import until


class FakeLogind(ServiceInterface):
    """Gives the writing end of a pipe: what holds it is seen at the other."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.login1.Manager")
        self.asked: list[tuple[str, ...]] = []
        self.ends: list[int] = []
        self.refuses = False

    @dbus_method()
    def Inhibit(self, what: "s", who: "s", why: "s", mode: "s") -> "h":  # type: ignore[name-defined]  # noqa: F821, N802
        if self.refuses:
            raise dbus_fast.DBusError("org.freedesktop.DBus.Error.AccessDenied", "no")
        self.asked.append((what, who, why, mode))
        reads, writes = os.pipe()
        os.set_blocking(reads, False)
        self.ends.append(reads)
        self.given = writes
        return writes

    def is_held(self) -> bool:
        """Whether somebody still holds the lock that was given last."""
        with contextlib.suppress(OSError):
            os.close(self.given)  # our own end of what was sent
            self.given = -1
        try:
            return os.read(self.ends[-1], 1) != b""
        except BlockingIOError:
            return True


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """A system bus."""
    async with private_bus(tmp_path, "system") as found:
        yield found


@pytest.fixture
async def logind(address: str) -> AsyncIterator[FakeLogind]:
    """logind on it."""
    bus = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
    fake = FakeLogind()
    bus.export("/org/freedesktop/login1", fake)
    await bus.request_name("org.freedesktop.login1")
    yield fake
    bus.disconnect()
    for end in fake.ends:
        os.close(end)


async def test_machine_stays_awake_while_it_is_wanted(logind: FakeLogind, address: str) -> None:
    awake = KeepAwake(Logind(address))
    await awake.want(True)
    await awake.want(True)
    assert logind.asked == [
        ("sleep:idle", "Navigator", "Navigator draws pictures for friends", "block")
    ]
    assert awake.is_holding
    assert logind.is_held()
    await awake.want(False)
    assert not awake.is_holding
    await until(lambda: not logind.is_held())
    await awake.want(True)
    assert len(logind.asked) == 2
    await awake.want(False)


async def test_refusal_is_told_once_and_costs_nothing(
    logind: FakeLogind, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    logind.refuses = True
    caplog.set_level("INFO")
    awake = KeepAwake(Logind(address))
    for _ in range(3):
        await awake.want(True)
        await awake.want(False)
    assert not awake.is_holding
    assert caplog.text.count("may go to sleep") == 1


async def test_system_without_a_bus_is_no_error(tmp_path: Path) -> None:
    for inhibitor in (Logind(f"unix:path={tmp_path / 'none'}"), Nothing()):
        awake = KeepAwake(inhibitor)
        await awake.want(True)
        await awake.want(False)
        assert not awake.is_holding


async def test_bus_without_logind_is_no_error(address: str) -> None:
    awake = KeepAwake(Logind(address))
    await awake.want(True)
    assert not awake.is_holding


class Silent:
    """A system that never answers."""

    async def hold(self) -> None:
        await asyncio.Event().wait()

    async def release(self) -> None: ...


async def test_system_that_never_answers_is_not_waited_for() -> None:
    awake = KeepAwake(Silent(), timeout_s=0.05)
    await awake.want(True)
    assert not awake.is_holding


async def test_system_that_refused_once_is_asked_again_after_a_while() -> None:
    now_s, inhibitor = [0.0], Moody()
    awake = KeepAwake(inhibitor, clock=lambda: now_s[0])
    await awake.want(True)
    inhibitor.refuses = False
    now_s[0] = 299.0
    await awake.want(True)
    assert (inhibitor.asked, awake.is_holding) == (1, False)
    now_s[0] = 300.0
    await awake.want(True)
    assert (inhibitor.asked, awake.is_holding) == (2, True)


class Moody:
    """A system that refuses at first."""

    def __init__(self) -> None:
        self.refuses, self.asked = True, 0

    async def hold(self) -> None:
        self.asked += 1
        if self.refuses:
            raise OSError("not now")

    async def release(self) -> None: ...
