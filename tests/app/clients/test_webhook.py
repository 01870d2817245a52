"""Tests of the owner's webhook, against a receiver over real HTTP."""

import logging
from typing import Any

import aiohttp
import pytest

from app.clients.webhook import Webhook, WebhookRefuses
from app.errors import UpstreamFailed, UpstreamUnavailable
from tests.fakes.discord import FakeWebhook
from tests.fakes.serving import Fault

AVATAR = "https://cdn.example.org/avatars/1/a.png"
HANGS = Fault(hangs=True)
CUT = Fault(500, b"x", is_cut=True)


class Pauses(list[float]):
    """Notes the pauses between tries instead of waiting for them."""

    async def sleep(self, pause_s: float) -> None:
        self.append(pause_s)


async def send(
    connections: aiohttp.ClientSession,
    receiver: FakeWebhook,
    sentence: str = "Mira waits.",
    *,
    name: str = "Mira",
    avatar_url: str | None = None,
    pauses: Pauses | None = None,
    timeout_s: float = 10,
) -> list[float]:
    """Sends one message; gives the pauses that were made."""
    pauses = Pauses() if pauses is None else pauses
    async with receiver.serving():
        webhook = Webhook(connections, receiver.url, timeout_s=timeout_s, sleep=pauses.sleep)
        await webhook.send(sentence, name=name, avatar_url=avatar_url)
    return pauses


async def message(
    connections: aiohttp.ClientSession, sentence: str, **options: Any
) -> dict[str, Any]:
    """What arrives of a sentence."""
    receiver = FakeWebhook()
    assert await send(connections, receiver, sentence, **options) == []
    (arrived,) = receiver.messages
    return arrived


@pytest.mark.usefixtures("passwords_of_others")
async def test_message_has_the_form_of_discord(connections: aiohttp.ClientSession) -> None:
    receiver = FakeWebhook()
    await send(connections, receiver, "Mira (Discord 1) waits.")
    (request,) = receiver.requests
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers
    assert receiver.messages == [
        {"content": "Mira (Discord 1) waits.", "allowed_mentions": {"parse": []}}
    ]


async def test_picture_comes_with_the_name(connections: aiohttp.ClientSession) -> None:
    arrived = await message(connections, "Mira waits.", name="Mi\nra *", avatar_url=AVATAR)
    assert arrived["embeds"] == [{"author": {"name": "Mi ra *", "icon_url": AVATAR}}]
    nameless = await message(connections, "Somebody waits.", name=" \n", avatar_url=AVATAR)
    assert nameless["embeds"][0]["author"]["name"] == "?"


@pytest.mark.parametrize(
    ("sentence", "content"),
    [
        ("@everyone", r"\@everyone"),
        ("<@1> <#2> <:a:3>", r"\<\@1\> \<\#2\> \<\:a\:3\>"),
        ("**b** __u__ ~~s~~ `c` ||h||", r"\*\*b\*\* \_\_u\_\_ \~\~s\~\~ \`c\` \|\|h\|\|"),
        ("[a](https://b.example)", r"\[a\](https\:\/\/b.example)"),
        ("discord.gg/abc", r"discord.gg\/abc"),
        ("# big", r"\# big"),
        ("-# small", r"\-\# small"),
        ("> quote", r"\> quote"),
        (r"\*", r"\\\*"),
        ("a\r\nb\x00c\u2028d\te ", "a b c d e"),
        ("a\u202eb\u2066c\u200f", "abc"),
        ("half \ud83e", "half"),
        ("👩\u200d🚀 Zoë", "👩\u200d🚀 Zoë"),
    ],
)
async def test_names_are_plain_text(
    sentence: str, content: str, connections: aiohttp.ClientSession
) -> None:
    assert (await message(connections, sentence))["content"] == content


async def test_lengths_are_those_that_discord_takes(connections: aiohttp.ClientSession) -> None:
    arrived = await message(connections, "*" * 5000, name="n" * 5000, avatar_url=AVATAR)
    assert len(arrived["content"]) <= 2000
    assert arrived["content"].endswith(r"\*…")
    assert len(arrived["embeds"][0]["author"]["name"]) == 200
    assert "embeds" not in await message(
        connections, "a", avatar_url="https://e.example/" + "x" * 2000
    )


@pytest.mark.parametrize("fault", [Fault(500), Fault(503), CUT])
async def test_message_is_sent_again_after_longer_and_longer_pauses(
    fault: Fault, connections: aiohttp.ClientSession
) -> None:
    receiver = FakeWebhook(faults=[fault] * 3)
    assert await send(connections, receiver) == [1, 5, 25]
    assert len(receiver.messages) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(500), UpstreamFailed),
        (CUT, UpstreamFailed),
        (Fault(429), UpstreamFailed),
        (HANGS, UpstreamUnavailable),
    ],
)
async def test_fourth_failure_is_the_last(
    fault: Fault, kind: type[Exception], connections: aiohttp.ClientSession
) -> None:
    receiver, pauses = FakeWebhook(faults=[fault] * 5), Pauses()
    with pytest.raises(kind):
        await send(connections, receiver, pauses=pauses, timeout_s=0.2 if fault.hangs else 10)
    assert len(receiver.requests) == 4
    assert pauses == [1, 5, 25]


async def test_receiver_that_hangs_is_asked_again(connections: aiohttp.ClientSession) -> None:
    receiver = FakeWebhook(faults=[HANGS])
    assert await send(connections, receiver, timeout_s=0.5) == [1]
    assert len(receiver.messages) == 1


async def test_nobody_there_is_unavailable_after_four_tries(
    connections: aiohttp.ClientSession, unused_port: int
) -> None:
    pauses = Pauses()
    webhook = Webhook(connections, f"http://127.0.0.1:{unused_port}/secret", sleep=pauses.sleep)
    with pytest.raises(UpstreamUnavailable, match="cannot be reached") as raised:
        await webhook.send("a", name="a", avatar_url=None)
    assert raised.value.service == "webhook"
    assert pauses == [1, 5, 25]


@pytest.mark.parametrize(
    ("retry_after", "pause_s"),
    [("3.25", 3.25), ("0.2", 1), ("7", 7), ("86400", 60), ("-5", 1), ("nan", 1), ("inf", 1),
     ("", 1), ("Wed, 21 Oct 2026 07:28:00 GMT", 1)],
)  # fmt: skip
async def test_pause_that_the_receiver_asks_for_is_kept(
    retry_after: str, pause_s: float, connections: aiohttp.ClientSession
) -> None:
    receiver = FakeWebhook(faults=[Fault(429, headers={"Retry-After": retry_after})])
    assert await send(connections, receiver) == [pause_s]
    assert len(receiver.messages) == 1


@pytest.mark.parametrize("status", [302, 400, 401, 404])
async def test_refused_message_is_not_sent_again(
    status: int, connections: aiohttp.ClientSession
) -> None:
    receiver = FakeWebhook(faults=[Fault(status, headers={"Location": "/"})])
    with pytest.raises(WebhookRefuses, match=f"refuses our message with {status}; check NOTIFY_"):
        await send(connections, receiver)
    assert len(receiver.requests) == 1


async def test_answer_that_breaks_off_after_its_status_is_a_success(
    connections: aiohttp.ClientSession,
) -> None:
    receiver = FakeWebhook(faults=[Fault(200, b"{", is_cut=True)])
    assert await send(connections, receiver) == []
    assert len(receiver.requests) == 1


async def test_password_in_the_address_is_sent(connections: aiohttp.ClientSession) -> None:
    async with FakeWebhook().serving() as receiver:
        url = receiver.url.replace("http://", "http://me:word@")
        await Webhook(connections, url).send("a", name="a", avatar_url=None)
    assert receiver.requests[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("fault", [Fault(500), Fault(404), Fault(429), HANGS, CUT])
async def test_address_gets_into_no_log_and_no_message(
    fault: Fault, connections: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises((UpstreamFailed, UpstreamUnavailable)) as raised:
        await send(
            connections, FakeWebhook(faults=[fault] * 4), timeout_s=0.2 if fault.hangs else 10
        )
    assert "webhook-token-of-tests" not in f"{caplog.text} {raised.value!r}"
