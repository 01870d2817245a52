"""Tests of `launcher/navigator_api.py`, against a real Navigator and against what is none."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from launcher.navigator_api import Endpoint, NavigatorApi, NavigatorAway, NavigatorStatus, Pause
from tests.fakes.serving import Fault, served
from tests.launcher.launching import PID, TOKEN
from tests.launcher.launching import write_server_file as write
from tests.running import RunningNavigator


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def test_status_is_understood_and_the_queue_paused(
    server: RunningNavigator, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    write(tmp_path, server.url)
    api = NavigatorApi(session, tmp_path, TOKEN)
    with pytest.raises(NavigatorAway, match="does not run"):
        await api.status()
    endpoint = await api.find(PID)
    assert endpoint is not None
    assert endpoint.url == server.url
    status = await api.status()
    assert (status.job, status.waiting, status.restart_wanted) == (None, 0, None)
    assert status.pause == Pause(False)
    pause = await api.pause_queue(minutes=10)
    assert pause.is_paused
    assert (await api.status()).pause == pause
    await api.resume_queue()
    assert not (await api.status()).pause.is_paused


async def test_wrong_token_is_told(
    server: RunningNavigator, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    write(tmp_path, server.url)
    api = NavigatorApi(session, tmp_path, "another")
    await api.find(PID)
    with pytest.raises(NavigatorAway, match="answered 401"):
        await api.status()


async def test_interpreter_that_the_started_process_starts_is_found(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    api = NavigatorApi(session, tmp_path, TOKEN)
    write(tmp_path, "http://127.0.0.1:1", pid=os.getpid())
    assert await api.find(PID) is None
    assert await api.find(os.getppid()) == Endpoint("http://127.0.0.1:1", os.getpid())


async def test_file_of_another_process_is_none(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    api = NavigatorApi(session, tmp_path, TOKEN)
    assert await api.find(PID) is None
    write(tmp_path, "http://127.0.0.1:1", pid=PID + 1)
    assert await api.find(PID) is None
    for junk in ("", "[]", '{"url": "x"}'):
        (tmp_path / "server.json").write_text(junk)
        assert await api.find(PID) is None


@pytest.mark.parametrize(
    "fault",
    [Fault(500, b"x"), Fault(200, b"<html>"), Fault(200, b"[]"), Fault(200, b"{}"),
     Fault(200, b'{"forge": 1, "queue": []}'), Fault(hangs=True), Fault(200, b"{", is_cut=True)],
)  # fmt: skip
async def test_what_is_no_navigator_is_away(
    session: aiohttp.ClientSession, tmp_path: Path, fault: Fault
) -> None:
    other = web.Application()
    other.router.add_get("/{path:.*}", fault.answer)
    async with served(other) as url:
        write(tmp_path, url)
        api = NavigatorApi(session, tmp_path, TOKEN, timeout_s=0.3)
        await api.find(PID)
        with pytest.raises(NavigatorAway):
            await api.status()
    with pytest.raises(NavigatorAway, match="does not answer"):
        await api.status()


@pytest.mark.parametrize(
    ("job", "waiting", "is_paused", "has_work"),
    [(None, 0, False, False), ("x", 0, False, True), (None, 2, False, True), (None, 2, True, False),
     ("x", 2, True, True)],
)  # fmt: skip
def test_work_is_what_runs_or_will(
    job: str | None, waiting: int, is_paused: bool, has_work: bool
) -> None:
    status = NavigatorStatus(None, True, job, waiting, Pause(is_paused), {})
    assert status.has_work is has_work
