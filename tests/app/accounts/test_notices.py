"""Tests of telling the owner who knocks."""

import asyncio
import logging

import aiohttp
import pytest

from app.accounts.notices import Notices
from app.clients.webhook import Webhook
from app.events import EventBus, ModelsRefreshed, UserApproved, UserPending, UserSnapshot
from tests.fakes.discord import TESTER_ID, FakeWebhook
from tests.fakes.serving import Fault
from tests.waiting import until


async def at_once(_pause_s: float) -> None:
    """Waits for nothing."""


def notices(
    connections: aiohttp.ClientSession, receiver: FakeWebhook, capacity: int = 100
) -> Notices:
    """Notices that try again at once."""
    return Notices(Webhook(connections, receiver.url, sleep=at_once), capacity=capacity)


def knock(
    name: str = "Mira",
    user_id: str = TESTER_ID,
    *,
    provider: str | None = "discord",
    avatar: str | None = None,
) -> UserPending:
    """What is published when somebody knocks."""
    return UserPending(UserSnapshot(user_id, name, 0, "pending", provider, avatar), "192.0.2.7")


async def test_owner_is_told_who_knocks_in_order_and_of_nothing_else(
    connections: aiohttp.ClientSession,
) -> None:
    bus = EventBus()
    async with FakeWebhook().serving() as receiver, notices(connections, receiver).sending(bus):
        bus.publish(ModelsRefreshed())
        bus.publish(knock())
        bus.publish(UserApproved(knock("Approved").user))
        bus.publish(knock("Tom", "local-1", provider="local"))
        await until(lambda: len(receiver.messages) == 2)
    assert [message["content"] for message in receiver.messages] == [
        f"Mira (Discord {TESTER_ID}) waits for approval.",
        "Tom waits for approval.",
    ]


async def test_picture_of_a_discord_user_is_shown(connections: aiohttp.ClientSession) -> None:
    bus = EventBus()
    async with FakeWebhook().serving() as receiver, notices(connections, receiver).sending(bus):
        bus.publish(knock(avatar="a_0f"))
        bus.publish(knock(avatar="a_0f", provider="local"))
        await until(lambda: len(receiver.messages) == 2)
    icon = f"https://cdn.discordapp.com/avatars/{TESTER_ID}/a_0f.png"
    with_picture, without = receiver.messages
    assert with_picture["embeds"] == [{"author": {"name": "Mira", "icon_url": icon}}]
    assert "embeds" not in without


async def test_name_cannot_hide_what_the_message_says(connections: aiohttp.ClientSession) -> None:
    bus = EventBus()
    async with FakeWebhook().serving() as receiver, notices(connections, receiver).sending(bus):
        bus.publish(knock("@everyone " + "*" * 5000))
        bus.publish(knock(" \n", "local-1", provider="local"))
        await until(lambda: len(receiver.messages) == 2)
    long, nameless = (message["content"] for message in receiver.messages)
    assert long.startswith(r"\@everyone \*")
    assert long.endswith(f"… (Discord {TESTER_ID}) waits for approval.")
    assert nameless == r"local\-1 waits for approval."


async def test_failure_is_logged_once_and_the_next_is_told(
    connections: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="app")
    bus = EventBus()
    receiver = FakeWebhook(faults=[*[Fault(500)] * 4, Fault(404)])
    async with receiver.serving(), notices(connections, receiver).sending(bus):
        for name in ("First", "Second", "Third"):
            bus.publish(knock(name))
        await until(lambda: receiver.messages)
    assert receiver.messages[0]["content"].startswith("Third")
    assert [record.message for record in caplog.records] == [
        f"nobody was told that user {TESTER_ID} waits: {why}"
        for why in (
            "The webhook answered 500.",
            "The webhook refuses our message with 404; check NOTIFY_WEBHOOK_URL.",
        )
    ]
    # A traceback might hold the address.
    assert [record.exc_info for record in caplog.records] == [None, None]
    assert "webhook-token-of-tests" not in caplog.text


async def test_flood_waits_in_a_queue_that_is_bounded(
    connections: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    bus = EventBus()
    going_on = asyncio.Event()

    async def wait(_pause_s: float) -> None:
        await going_on.wait()

    async with FakeWebhook(faults=[Fault(500)]).serving() as receiver:
        webhook = Webhook(connections, receiver.url, sleep=wait)
        async with Notices(webhook, capacity=2).sending(bus):
            bus.publish(knock("0"))
            await until(lambda: receiver.requests)
            for name in ("1", "2", "3", "4"):
                bus.publish(knock(name, f"id{name}"))
            await until(lambda: len(caplog.records) == 2)
            going_on.set()
            await until(lambda: len(receiver.messages) == 3)
    assert [message["content"][0] for message in receiver.messages] == ["0", "1", "2"]
    assert "user id3 waits: too many messages" in caplog.text
    assert "user id4 waits: too many messages" in caplog.text


async def test_block_ends_while_a_message_hangs(connections: aiohttp.ClientSession) -> None:
    bus = EventBus()
    async with FakeWebhook(faults=[Fault(hangs=True)]).serving() as receiver:
        async with asyncio.timeout(5), notices(connections, receiver).sending(bus):
            bus.publish(knock())
            bus.publish(knock())
            await until(lambda: receiver.requests)
        bus.publish(knock())
    assert len(receiver.requests) == 1
    assert receiver.messages == []
