"""Tests of `app/web/realtime.py`: who hears of which job, and who does not."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.listening import Listener
from tests.running import JOB_PATH, SUPERUSER_TOKEN, RunningNavigator, running_navigator

ALICE = {"X-Forwarded-For": "198.51.100.1"}
BOB = {"X-Forwarded-For": "198.51.100.2"}


@pytest.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[RunningNavigator]:
    """A Navigator that believes whoever is on this machine about addresses."""
    async with running_navigator(tmp_path, TRUSTED_PROXIES="127.0.0.0/8") as running:
        yield running


async def heard_all(
    server: RunningNavigator,
    token: str,
    listener: Listener,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Returns when the listener has heard everything that was to be heard before now.

    It hears of the job that is sent for this; events keep their order.
    """
    job_id = (await server.submit(token, headers=headers or {}))["job_id"]
    await listener.event("task-finished", job_id)


async def test_token_hears_its_users_jobs_from_anywhere(proxied: RunningNavigator) -> None:
    alice, bob = await proxied.add_user("alice"), await proxied.add_user("bob")
    async with (
        proxied.listening(alice, headers=BOB) as alices,
        proxied.listening(alice, headers=ALICE, realtime=True) as alices_other,
        proxied.listening(bob, headers=ALICE) as bobs,
    ):
        job_id = (await proxied.submit(alice, headers=ALICE))["job_id"]
        for listener in (alices, alices_other):
            await listener.event("task-finished", job_id)
        await heard_all(proxied, bob, bobs)
        assert bobs.of(job_id) == []
        assert len([name for name, _ in alices.of(job_id) if name == "task-finished"]) == 1


async def test_without_token_only_the_own_address_is_heard(proxied: RunningNavigator) -> None:
    alice, bob = await proxied.add_user("alice"), await proxied.add_user("bob")
    async with (
        proxied.listening(headers=ALICE) as at_alices,
        proxied.listening(headers=BOB) as at_bobs,
        proxied.listening() as at_home,
    ):
        of_alice = (await proxied.submit(alice, headers=ALICE))["job_id"]
        of_bob = (await proxied.submit(bob, headers=BOB))["job_id"]
        at_the_machine = (await proxied.submit(alice))["job_id"]
        await at_alices.event("task-finished", of_alice)
        await at_bobs.event("task-finished", of_bob)
        await at_home.event("task-finished", at_the_machine)
        for listener, own in ((at_alices, of_alice), (at_bobs, of_bob), (at_home, at_the_machine)):
            jobs = {told.get("job_id") for name, told in listener.events if name != "connected"}
            assert jobs == {own}


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "CF-Connecting-IP", "Forwarded", "X-Real-IP", "True-Client-IP"]
)
async def test_invented_address_hears_nothing(server: RunningNavigator, header: str) -> None:
    token = await server.login()
    async with server.listening(headers={header: "203.0.113.7"}) as listener:
        job_id = (await server.submit(token, headers={header: "198.51.100.1"}))["job_id"]
        # Both are at the real address, whatever they say.
        await listener.event("task-finished", job_id)


async def test_claiming_the_address_of_a_job_adds_nothing_to_a_token(
    proxied: RunningNavigator,
) -> None:
    alice, bob = await proxied.add_user("alice"), await proxied.add_user("bob")
    async with proxied.listening(bob, headers=ALICE) as spy:
        job_id = (await proxied.submit(alice, headers=ALICE))["job_id"]
        await heard_all(proxied, bob, spy)
        assert spy.of(job_id) == []


async def test_proxy_that_is_trusted_cannot_be_fooled(proxied: RunningNavigator) -> None:
    alice, bob = await proxied.add_user("alice"), await proxied.add_user("bob")
    # The client wrote the first entry, the proxy appended the second.
    claims = {"X-Forwarded-For": "198.51.100.1, 198.51.100.2"}
    async with proxied.listening(headers=claims) as spy, proxied.listening(headers=ALICE) as heard:
        job_id = (await proxied.submit(alice, headers=ALICE))["job_id"]
        await heard.event("task-finished", job_id)
        await heard_all(proxied, bob, spy, headers=BOB)
        assert spy.of(job_id) == []


async def test_superuser_token_hears_the_superusers_jobs(proxied: RunningNavigator) -> None:
    alice = await proxied.add_user("alice")
    body = {"model_name": "dreamModel_v1", "prompt": "a fox", "width": 64, "height": 64}
    async with proxied.listening(SUPERUSER_TOKEN, headers=BOB) as heard:
        of_alice = (await proxied.submit(alice, headers=BOB))["job_id"]
        headers = {**ALICE, "Authorization": SUPERUSER_TOKEN}
        own = (await proxied.post(JOB_PATH, body, headers=headers)).json["job_id"]
        await heard.event("task-finished", own)
        assert heard.of(of_alice) == []


async def test_what_is_for_administrators_reaches_nobody_else(server: RunningNavigator) -> None:
    token = await server.add_user("friend")
    owner = {"Authorization": SUPERUSER_TOKEN}
    async with server.listening(token) as friend, server.listening() as neighbour:
        await server.post("/api/admin/queue/pause", headers=owner)
        await server.post("/api/admin/queue/resume", headers=owner)
        await heard_all(server, token, friend)
        assert not {"queue-paused", "queue-resumed"} & {name for name, _ in friend.events}
        assert not {"queue-paused", "queue-resumed"} & {name for name, _ in neighbour.events}
