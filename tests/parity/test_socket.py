"""The recording of how a socket.io client gets in."""

import json
from typing import Any

import pytest

from tests.contract import FOLDER
from tests.parity.world import World
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER = 281


def recorded() -> dict[str, Any]:
    """It is no exchange like the others."""
    (path,) = FOLDER.glob(f"{NUMBER:03}_*.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


async def test_socket_is_welcomed_as_recorded(world: World) -> None:
    async with world.server.listening(realtime=True) as heard:
        await until(lambda: heard.events)
        assert heard.events == [(told["event"], told["payload"]) for told in recorded()["events"]]


async def test_handshake_is_as_recorded(world: World) -> None:
    theirs = recorded()["polling_handshake"]
    answer = await world.server.get(
        "/socket.io/?EIO=4&transport=polling", realtime=True, headers={"Origin": "http://x.test"}
    )
    assert answer.status == theirs["status"]
    assert answer.headers["Access-Control-Allow-Origin"] in {"*", "http://x.test"}
    ours, expected = (
        json.loads(body.lstrip("0")) for body in (answer.content.decode(), theirs["body"])
    )
    assert ours.pop("maxPayload") >= expected.pop("maxPayload")
    assert ours | {"sid": "<sid>"} == expected


async def test_older_clients_are_refused_as_recorded(world: World) -> None:
    theirs = recorded()["eio3_handshake"]
    answer = await world.server.get("/socket.io/?EIO=3&transport=polling", realtime=True)
    assert answer.status == theirs["status"]


async def test_nothing_else_is_on_that_port(world: World) -> None:
    """The client's own script was, see CONTRIBUTING.md."""
    assert (await world.server.get("/", realtime=True)).status == recorded()["plain_get"]["status"]
    assert (await world.server.get("/socket.io/socket.io.js", realtime=True)).status != 200
